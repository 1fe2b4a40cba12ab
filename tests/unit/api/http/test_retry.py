# SPDX-License-Identifier: Apache-2.0

"""Retries, timeouts and deadlines of requests."""

import io
import random
import socket
import time
from unittest import mock

from keystoneauth1 import adapter
from keystoneauth1 import fixture
from keystoneauth1 import session
from keystoneauth1.identity import generic
from keystoneauth1.identity import v3
import pytest
import requests
import urllib3

from osc_compute_images import api as images
from osc_compute_images.api import _alarms
from osc_compute_images.api import ImagesAPI
from testbed import nova
from tests.unit.conftest import sent
from tests.unit.conftest import set_catalog
from tests.unit.running import AUTH

EMPTY = {'images': []}
ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'
TOKENS = f'{nova.KEYSTONE}/v3/auth/tokens'


def broken(error):
    """Return a body whose reading fails; several responses share it."""
    fail = mock.Mock(side_effect=error)
    methods = {'read': fail, 'read1': fail, 'closed': False}
    return {'body': mock.NonCallableMock(io.BytesIO, **methods)}


RESET = {'exc': requests.exceptions.ConnectionError('reset')}
CUT = broken(urllib3.exceptions.ProtocolError('Broken'))
STALLED = broken(urllib3.exceptions.ReadTimeoutError(None, None, 'x'))
SILENT = {'exc': requests.exceptions.ReadTimeout}
BUSY = {'status_code': 503}
CONNECT, STATUS = 'connect_retries', 'status_code_retries'
USUAL = [0.5, 1, 2]


def after(seconds, status=503):
    return {'status_code': status, 'headers': {'Retry-After': seconds}}


# -- how often and when ----------------------------------------------------


@pytest.mark.parametrize(
    ('fault', 'settings', 'delays'),
    [
        (RESET, {}, USUAL),
        (CUT, {}, USUAL),
        *(({'status_code': n}, {}, USUAL) for n in (429, 502, 503, 504)),
        (SILENT, {}, []),
        (STALLED, {}, []),
        # These are permanent.
        ({'exc': requests.exceptions.SSLError('verify failed')}, {}, []),
        ({'exc': requests.exceptions.InvalidURL('bad URL')}, {}, []),
        ({'exc': OSError('Could not find a TLS CA certificate')}, {}, []),
        ({'exc': MemoryError()}, {}, []),
        (after('3', 500), {}, []),
        # It is the 429 of an older Nova only with Retry-After.
        ({'status_code': 413}, {}, []),
        (after('3', 413), {}, [3, 3, 3]),
        (after('30'), {}, [30, 30, 30]),
        (after('31'), {}, []),
        (after('9' * 5000), {}, []),
        (after('-1'), {}, USUAL),
        # urllib3 takes it for the past.
        (after('Sat, 1 Jan 0 0:0:0 +9999999999'), {}, [0, 0, 0]),
        (after('Fri, 31 Dec 1999 23:59:59 -0000'), {}, [0, 0, 0]),
        (after('Fri, 31 Dec 2100 23:59:59 GMT'), {}, []),
        (RESET, {CONNECT: 0}, []),
        (CUT, {CONNECT: 5}, [0.5, 1, 2, 4, 8]),
        (SILENT, {CONNECT: 1}, [0.5]),
        (BUSY, {STATUS: 0}, []),
        (BUSY, {STATUS: 5}, [0.5, 1, 2, 4, 8]),
        # Others keep their defaults.
        (BUSY, {CONNECT: 5}, USUAL),
        (RESET, {STATUS: 5}, USUAL),
        # Configured status codes are added to the default ones.
        ({'status_code': 500}, {'retriable_status_codes': [500]}, USUAL),
        (BUSY, {'retriable_status_codes': [500]}, USUAL),
        (RESET, {'connect_retry_delay': 0}, [0, 0, 0]),
        (RESET, {'connect_retry_delay': 7.0}, [7, 7, 7]),
        (BUSY, {'status_code_retry_delay': 7.0}, [7, 7, 7]),
    ],
)
def test_delays_of_retries(http, ksa_session, slept, fault, settings, delays):
    made = adapter.Adapter(ksa_session, service_type='compute', **settings)
    http.get(nova.DETAIL, **fault)
    is_response = 'status_code' in fault
    kind = images.HTTPError if is_response else images.ConnectionFailed
    with pytest.raises(kind, match=r'\S'):
        list(ImagesAPI(made).list_detail())
    assert len(sent(http)) == 1 + len(delays)
    assert slept == delays


def test_delay_has_jitter(api, http, slept, monkeypatch):
    monkeypatch.setattr(random, 'random', lambda: 1.0)
    # It never makes a delay shorter than Retry-After, nor too long.
    faults = [RESET, after('10'), after('30')]
    http.get(nova.DETAIL, [*faults, {'json': EMPTY}])
    assert list(api.list_detail()) == []
    assert slept == [0.25, 11, 30]


@pytest.mark.parametrize('url', [nova.DETAIL, TOKENS])
def test_retries_of_session_are_not_multiplied(http, compute, slept, url):
    auth = compute.session.auth
    compute.session = session.Session(auth, connect_retries=2)
    http.register_uri('GET' if url == nova.DETAIL else 'POST', url, **RESET)
    with pytest.raises(images.ConnectionFailed):
        list(ImagesAPI(compute).list_detail())
    assert [r.url for r in http.request_history][-3:].count(TOKENS) in (0, 3)
    assert slept == [0.5, 1]


def test_each_retry_is_logged(api, http, slept, caplog):
    garbled = {'content': b'not gzip', 'headers': {'Content-Encoding': 'gzip'}}
    http.get(nova.DETAIL, [RESET, BUSY, garbled, {'json': EMPTY}])
    assert list(api.list_detail()) == []
    first, second, third = caplog.messages
    assert {r.name for r in caplog.records} == {'osc_compute_images'}
    assert 'reset. Retrying in 0.5 seconds, 3 retries left' in first
    assert 'HTTP 503' in second
    assert 'Retrying in 1.0 seconds, 2 retries left' in second
    assert 'Retrying in 2.0 seconds, 1 retries left' in third


@pytest.mark.parametrize('fault', [BUSY, RESET])
def test_writes_are_not_retried(api, http, slept, fault):
    http.delete(ONE, **fault)
    # Whether the image still exists is looked up.
    http.get(ONE, status_code=503)
    with pytest.raises(images.ImagesError):
        api.delete(ID)
    methods = [request.partition(' ')[0] for request in sent(http)]
    assert methods == ['DELETE', *['GET'] * 4]


def test_search_for_version_is_retried_before_a_write(api, http, slept):
    set_catalog(http, {'RegionOne': nova.HOST})
    http.get(f'{nova.HOST}/v2.1/', [BUSY, {'json': {}}])
    http.delete(f'{nova.HOST}/v2.1/images/{ID}', status_code=204)
    api.delete(ID)
    methods = [request.partition(' ')[0] for request in sent(http)]
    assert methods == ['GET', 'GET', 'DELETE']


@pytest.mark.parametrize('method', ['GET', 'DELETE'])
def test_token_request_is_retried(api, http, slept, method):
    fine = {'json': requests.post(TOKENS).json()}
    fine['headers'] = {'X-Subject-Token': nova.TOKEN}
    http.post(TOKENS, [{**after('2'), 'text': 'Busy'}] * 2 + [fine])
    http.get(nova.DETAIL, json=EMPTY)
    http.delete(ONE, status_code=204)
    if method == 'GET':
        assert list(api.list_detail()) == []
    else:
        # Nothing was sent to Compute before.
        api.delete(ID)
    assert slept == [2, 2]
    assert len(sent(http)) == 1


def test_request_for_versions_of_keystone_is_retried(http, compute, slept):
    auth = {**AUTH, 'auth_url': nova.KEYSTONE}
    compute.session.auth = generic.Password(**auth)
    compute.connect_retries = 2
    http.get(nova.DETAIL, json=EMPTY)
    # An error that does not pass is told at once.
    http.get(nova.KEYSTONE, **nova.fault(403, 'forbidden', 'Not from here.'))
    with pytest.raises(images.Forbidden, match='Not from here'):
        list(ImagesAPI(compute).list_detail())
    assert slept == []
    versions = {'json': fixture.DiscoveryList(nova.KEYSTONE, v2=False)}
    http.get(nova.KEYSTONE, [RESET, SILENT, BUSY, versions])
    assert list(ImagesAPI(compute).list_detail()) == []
    assert slept == USUAL


# -- timeouts and deadlines ------------------------------------------------


def test_timeout_error_has_duration(api, http, slept):
    def answer(_request, _context):
        time.sleep(1.2)
        raise requests.Timeout

    http.get(nova.DETAIL, json=answer)
    told = 'no response after 1 second; .*api_timeout'
    with pytest.raises(images.RequestTimedOut, match=told):
        list(api.list_detail())


@pytest.mark.parametrize(
    ('fault', 'timeout', 'slept_for'),
    [(RESET, 1.2, [0.5]), (after('3'), 2.9, []), (after('3'), 3.1, [3])],
)
def test_no_retry_after_deadline(api, http, slept, fault, timeout, slept_for):
    http.get(ONE, **fault)
    with pytest.raises(images.ImagesError):
        api.wait_for(ID, timeout=timeout)
    assert slept == slept_for


def test_nothing_is_sent_after_deadline(api, http, slept):
    _alarms.allowed = True
    http.get(ONE, json={'image': nova.image(1)})
    for requests_before in (0, 2):
        with pytest.raises(images.WaitTimedOut):
            api.wait_for(ID, timeout=0)
        assert len(http.request_history) == requests_before
        api.get(ID)


#: Far more seconds than a test takes, and the timeout of the session.
HANG, LONG = 120, 1000


@pytest.fixture
def mute():
    """Provide the URL of a server that accepts and never answers."""
    with socket.create_server(('127.0.0.1', 0), backlog=64) as listener:
        yield f'http://127.0.0.1:{listener.getsockname()[1]}'


@pytest.mark.timeout(HANG)
@pytest.mark.parametrize('kind', [v3.Password, generic.Password])
def test_wait_ends_while_keystone_is_mute(mute, kind):
    auth = kind(**{**AUTH, 'auth_url': f'{mute}/v3'})
    below = session.Session(auth, timeout=LONG, connect_retries=9)
    compute = adapter.Adapter(below, service_type='compute')
    with pytest.raises(images.WaitTimedOut, match='before the image was seen'):
        ImagesAPI(compute).wait_for('x', timeout=0.2)
    assert below.timeout == LONG


@pytest.mark.timeout(HANG)
def test_wait_ends_while_the_token_is_renewed(http, compute, mute):
    # Compute rejects the token that was fine before, and Keystone hangs.
    compute.session.timeout = LONG
    saving = {'image': nova.image(1, status='SAVING')}
    http.get(ONE, [{'json': saving}, {'status_code': 401}])
    api = ImagesAPI(compute)
    image = api.get(ID)
    compute.session.auth.auth_url = f'{mute}/v3'
    http.post(f'{mute}/v3/auth/tokens', real_http=True)
    with pytest.raises(images.WaitTimedOut, match='is still SAVING'):
        api.wait_for(image, timeout=1)
