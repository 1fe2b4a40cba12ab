# SPDX-License-Identifier: Apache-2.0

"""A cloud whose images are changed."""

from collections.abc import Iterable
import json
import pathlib
from typing import Any

import pytest
import requests_mock

from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from tests.unit.conftest import set_catalog
from tests.unit.running import App
from tests.unit.running import DB
from tests.unit.running import ID
from tests.unit.running import images
from tests.unit.running import new_fleet


@pytest.fixture
def fleet(http: requests_mock.Mocker) -> Fleet:
    """Serve a base image, snapshots of two servers, and the servers."""
    return new_fleet().serve(http)


@pytest.fixture
def app(fleet: Fleet, tmp_path: pathlib.Path) -> App:
    """Provide the shell, on this cloud."""
    del fleet
    return App(tmp_path)


OTHER = 'http://nova2.example.com:8774/v2.1'
REGIONS = {'RegionOne': nova.ENDPOINT, 'RegionTwo': OTHER}


@pytest.fixture
def apart(fleet: Fleet, http: requests_mock.Mocker) -> Fleet:
    """Serve a second region, with an Image service of its own."""
    del fleet
    set_catalog(
        http, REGIONS, {name: f'http://{name}/image' for name in REGIONS}
    )
    others = [{**i, 'id': ID[15 - n]} for n, i in enumerate(images()[1:])]
    return Fleet(others, [server(DB, 'db')]).serve(http, OTHER)


@pytest.fixture
def shared(fleet: Fleet, http: requests_mock.Mocker) -> Fleet:
    """Serve a second region of the same Image service."""
    image = 'http://image.example.com'
    set_catalog(
        http, REGIONS, {'RegionOne': f'{image}/v2', 'RegionTwo': image}
    )
    other = Fleet([], [server(DB, 'db', image=ID[4])])
    other.images = fleet.images
    return other.serve(http, OTHER)


def written(folder: pathlib.Path, plan: Iterable[Any]) -> str:
    """Write a plan; return the name of the file."""
    file = folder / 'plan.json'
    file.write_text(json.dumps([*plan]))
    return str(file)
