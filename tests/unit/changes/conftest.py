# SPDX-License-Identifier: Apache-2.0

"""A cloud whose images are changed, and terminals to approve changes on."""

from collections.abc import Callable
import pathlib
import sys
from typing import Any

import pytest
import requests_mock

from testbed.fleet import Fleet
from tests.unit.running import App
from tests.unit.running import new_fleet
from tests.unit.running import Terminal


@pytest.fixture
def fleet(http: requests_mock.Mocker) -> Fleet:
    """Serve a base image, snapshots of two servers, and the servers."""
    return new_fleet().serve(http)


@pytest.fixture
def app(fleet: Fleet, tmp_path: pathlib.Path) -> App:
    """Provide the shell, on this cloud."""
    del fleet
    return App(tmp_path)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Terminal]:
    """Return a function that makes a terminal with this input."""

    def type_(text: str, stdin: Any = Terminal) -> Terminal:
        monkeypatch.setattr(sys, 'stdin', stdin(text))
        terminal = Terminal()
        monkeypatch.setattr(sys, 'stderr', terminal)
        return terminal

    return type_
