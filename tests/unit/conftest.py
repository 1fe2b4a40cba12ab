# SPDX-License-Identifier: Apache-2.0

"""A keystoneauth session and adapter, over mocked HTTP, without delays.

All properties are tested with one profile of Hypothesis.
"""

import os
import random
import signal
import sys
import time

from hypothesis import HealthCheck
from hypothesis import settings
from keystoneauth1 import adapter
from keystoneauth1 import session
from keystoneauth1.identity import v3
import pytest
import requests_mock

from osc_compute_images.api import _alarms
from osc_compute_images.api import ImagesAPI
from testbed import keystone
from testbed import nova
from tests.unit.running import App
from tests.unit.running import AUTH
from tests.unit.running import Terminal
from tests.unit.running import TWO

# Each run makes the same examples, however slow the machine is.
settings.register_profile(
    'unit',
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile('unit')


@pytest.fixture(autouse=True)
def alarms(monkeypatch):
    """Let no test depend on another one that allows them."""
    monkeypatch.setattr(_alarms, 'allowed', False)


@pytest.fixture(autouse=True, scope='session')
def signals():
    """Receive signals that a shell ignores for what runs in background."""
    for number in (signal.SIGINT, getattr(signal, 'SIGHUP', signal.SIGINT)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@pytest.fixture
def slept(monkeypatch):
    """Replace sleeping: record the durations, and advance the clock.

    There is no jitter.
    """
    seconds = []
    clock = [1000.0]

    def sleep(duration):
        seconds.append(duration)
        clock[0] += duration

    monkeypatch.setattr(time, 'sleep', sleep)
    monkeypatch.setattr(random, 'random', lambda: 0.0)
    monkeypatch.setattr(time, 'monotonic', lambda: clock[0])
    return seconds


@pytest.fixture
def http():
    """Mock HTTP, with a Keystone."""
    with requests_mock.Mocker() as mocker:
        set_catalog(mocker, {'RegionOne': nova.ENDPOINT})
        yield mocker


def set_catalog(mocker, regions, images=None, **fields):
    """Let Keystone issue tokens with these endpoints.

    :param regions: the Compute endpoint of each region
    :param images: the Image endpoint of each region
    :param fields: of the token
    """
    mocker.post(
        f'{nova.KEYSTONE}/v3/auth/tokens',
        json=keystone.token(regions, images, **fields),
        headers={'X-Subject-Token': nova.TOKEN},
    )


def new_session():
    """Make a session, not yet authenticated."""
    return session.Session(v3.Password(**AUTH))


@pytest.fixture
def ksa_session():
    """Provide a session, not yet authenticated."""
    return new_session()


@pytest.fixture
def compute(ksa_session):
    """Provide an adapter for Compute."""
    return adapter.Adapter(ksa_session, service_type='compute')


@pytest.fixture
def api(http, compute):
    """Provide the tested API."""
    return ImagesAPI(compute)


@pytest.fixture
def app(http, tmp_path):
    """Provide the shell that runs commands."""
    return App(tmp_path)


@pytest.fixture
def two_regions(http):
    """Mock two regions, each with an image of its own."""
    set_catalog(http, {'RegionOne': nova.ENDPOINT, 'RegionTwo': TWO})
    http.get(nova.DETAIL, json=nova.page([nova.image(1)]))
    http.get(f'{TWO}/images/detail', json=nova.page([nova.image(2)]))


@pytest.fixture
def typed(monkeypatch):
    """Return a function that puts stdin, with this input, on a terminal.

    The test must call it, because pytest replaces the streams before.
    """

    def type_(text='', stdin=Terminal):
        monkeypatch.setattr(sys, 'stdin', stdin(text))
        monkeypatch.setattr(sys, 'stderr', terminal := Terminal())
        monkeypatch.setenv('TERM', 'xterm')
        return terminal

    return type_


@pytest.fixture
def typed_slowly(typed, slept):
    """Return a function that types the approval after this many seconds."""

    def type_(seconds, meanwhile):
        class Slow(Terminal):
            def readline(self):
                meanwhile()
                time.sleep(seconds)
                return super().readline()

        return typed('y\n', Slow)

    return type_


@pytest.fixture(scope='session')
def shell_class():
    """Import the shell of OpenStackClient only if it is needed: it is slow."""
    from openstackclient import shell

    return shell.OpenStackShell


@pytest.fixture
def set_variables(monkeypatch):
    """Return a function that sets the variables of the client."""

    def set_(variables):
        for name in [name for name in os.environ if name.startswith('OS_')]:
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_


def sent(mocker):
    """Return the requests to Compute: method, path and query."""
    return [
        f'{r.method} {r.url.removeprefix(nova.HOST)}'
        for r in mocker.request_history
        if r.url.startswith(nova.HOST)
    ]
