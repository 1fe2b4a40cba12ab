# SPDX-License-Identifier: Apache-2.0

"""A cloud whose images are changed."""

import json

import pytest

from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from tests.unit.conftest import set_catalog
from tests.unit.running import DB
from tests.unit.running import ID
from tests.unit.running import images
from tests.unit.running import new_fleet
from tests.unit.running import TWO

REGIONS = {'RegionOne': nova.ENDPOINT, 'RegionTwo': TWO}


@pytest.fixture(autouse=True)
def fleet(http):
    """Serve a base image, snapshots of two servers, and the servers."""
    return new_fleet().serve(http)


@pytest.fixture
def apart(http):
    """Serve a second region, with an Image service of its own."""
    set_catalog(
        http, REGIONS, {name: f'http://{name}/image' for name in REGIONS}
    )
    others = [{**i, 'id': ID[15 - n]} for n, i in enumerate(images()[1:])]
    return Fleet(others, [server(DB, 'db')]).serve(http, TWO)


@pytest.fixture
def shared(fleet, http):
    """Serve a second region of the same Image service."""
    image = 'http://image.example.com'
    set_catalog(
        http, REGIONS, {'RegionOne': f'{image}/v2', 'RegionTwo': image}
    )
    other = Fleet([], [server(DB, 'db', image=ID[4])])
    other.images = fleet.images
    return other.serve(http, TWO)


def written(folder, plan):
    """Write a plan; return the name of the file."""
    file = folder / 'plan.json'
    file.write_text(json.dumps([*plan]))
    return str(file)
