# SPDX-License-Identifier: Apache-2.0

"""Retries of requests."""

import io
import math
import time
from unittest import mock

from hypothesis import example
from hypothesis import given
import hypothesis.strategies as st
from keystoneauth1 import adapter
from keystoneauth1 import session
import pytest
import requests
import urllib3

from osc_compute_images import api as images
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api._alarms import TooSlowError
from osc_compute_images.api.http import _error_response
from osc_compute_images.api.http import _retries
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._session import BoundedSession
from testbed import nova
from tests.unit.conftest import new_session
from tests.unit.conftest import sent
from tests.unit.project.examples import examples

EMPTY = {'images': []}
TOKENS = f'{nova.KEYSTONE}/v3/auth/tokens'


# -- the policy, without I/O ------------------------------------------------


def status(number, after=None):
    error = images.HTTPError('x', http_status=number)
    error.retry_after = after
    return error


def transient(kind):
    error = kind('x')
    error.transient = True
    return error


CONNECTION = transient(images.ConnectionFailed)
TIMEOUT = transient(images.RequestTimedOut)


def delay(error, attempt=0, left=math.inf, jitter=0.0, **settings):
    made = adapter.Adapter(session.Session(), **settings)
    retries = _retries.Retries(BoundedSession(made))
    with mock.patch('random.random', return_value=jitter):
        return retries.delay(error, attempt, left)


def test_delay_grows_with_each_attempt():
    for fault in (CONNECTION, *map(status, (429, 502, 503, 504))):
        delays = [delay(fault, attempt) for attempt in range(4)]
        assert delays == [0.5, 1, 2, None]


def test_delay_has_jitter():
    assert delay(CONNECTION, jitter=1.0) == 0.25
    # Jitter never makes a delay shorter than Retry-After.
    assert delay(status(503, 10.0), jitter=1.0) == 11


def test_other_errors_are_not_retried():
    for kind in (
        images.ConnectionFailed,
        images.RequestTimedOut,
        images.InvalidResponse,
    ):
        error = kind('x', http_status=503)
        assert delay(error, connect_retries=9) is None


@pytest.mark.parametrize(
    ('number', 'after', 'expected'),
    [
        (503, 0.0, 0),
        (503, 30.0, 30),
        (503, 30.1, None),
        (503, math.inf, None),
        # It is the 429 of an older Nova only with Retry-After.
        (413, 3.0, 3),
        (413, None, None),
    ],
)
def test_retry_after_is_respected_up_to_maximum(number, after, expected):
    assert delay(status(number, after)) == expected


def test_no_retry_after_deadline():
    assert delay(CONNECTION, left=0.4) is None
    assert delay(status(503, 3.0), left=2.9) is None


@given(st.text(max_size=40) | st.from_regex(r'[A-Za-z0-9,:+ -]{0,40}'))
@example('Fri, 31 Dec 2100 23:59:59 GMT')
@example('Fri, 31 Dec 2100 23:59:59 -0000')
@example('Fri, 31 Dec 2100 23:59:59')
@example('Sat, 1 Jan 0 0:0:0 +9999999999')
@example('9' * 5000)
@example('-1')
@examples()
def test_delay_is_limited_for_any_retry_after(text):
    seconds = _error_response.parse_retry_after(text)
    assert seconds is None or seconds >= 0
    found = delay(status(503, seconds))
    assert found is None or 0 <= found <= _error_response.MAX_DELAY


# -- settings --------------------------------------------------------------


class Cut(io.BytesIO):
    """A body that is cut off."""

    def read(self, *_args):
        raise urllib3.exceptions.ProtocolError('Connection broken')

    read1 = read

    def close(self):
        # Several responses share it.
        pass


class Stalled(io.BytesIO):
    """A body that does not end."""

    def read(self, *_args):
        raise urllib3.exceptions.ReadTimeoutError(None, None, 'timed out')

    read1 = read


RESET = {'exc': requests.exceptions.ConnectionError('reset')}
CUT = {'body': Cut(b'x')}
SILENT = {'exc': requests.exceptions.ReadTimeout}
BUSY = {'status_code': 503}


@pytest.mark.parametrize(
    ('fault', 'settings', 'retries'),
    [
        (RESET, {}, 3),
        (CUT, {}, 3),
        (BUSY, {}, 3),
        (SILENT, {}, 0),
        ({'body': Stalled(b'x')}, {}, 0),
        ({'status_code': 500}, {}, 0),
        (RESET, {'connect_retries': 0}, 0),
        (CUT, {'connect_retries': 5}, 5),
        (SILENT, {'connect_retries': 1}, 1),
        ({'exc': requests.ConnectTimeout}, {'connect_retries': 1}, 1),
        (BUSY, {'status_code_retries': 0}, 0),
        (BUSY, {'status_code_retries': 5}, 5),
        # Others keep their defaults.
        (BUSY, {'connect_retries': 5}, 3),
        (RESET, {'status_code_retries': 5}, 3),
        # Configured status codes are added to the default ones.
        ({'status_code': 502}, {'retriable_status_codes': [500]}, 3),
        ({'status_code': 500}, {'retriable_status_codes': [500]}, 3),
    ],
)
def test_retries_of_adapter(
    http, ksa_session, slept, fault, settings, retries
):
    made = adapter.Adapter(ksa_session, service_type='compute', **settings)
    http.get(nova.DETAIL, **fault)
    with pytest.raises(images.ImagesError):
        list(ImagesAPI(made).list_detail())
    assert len(sent(http)) == 1 + retries


@pytest.mark.parametrize('url', [nova.DETAIL, TOKENS])
def test_retries_of_session_are_not_multiplied(http, slept, url):
    below = session.Session(new_session().auth, connect_retries=2)
    made = adapter.Adapter(below, service_type='compute')
    http.register_uri('GET' if url == nova.DETAIL else 'POST', url, **RESET)
    with pytest.raises(images.ConnectionFailed):
        list(ImagesAPI(made).list_detail())
    assert [r.url for r in http.request_history][-3:].count(TOKENS) in (0, 3)
    assert slept == [0.5, 1]


@pytest.mark.parametrize('seconds', [0, 7.0])
@pytest.mark.parametrize(
    ('fault', 'setting'),
    [(RESET, 'connect_retry_delay'), (BUSY, 'status_code_retry_delay')],
)
def test_configured_delay_is_constant(
    http, ksa_session, slept, fault, setting, seconds
):
    settings = {'service_type': 'compute', setting: seconds}
    http.get(nova.DETAIL, [fault, fault, {'json': EMPTY}])
    api = ImagesAPI(adapter.Adapter(ksa_session, **settings))
    assert list(api.list_detail()) == []
    assert slept == [seconds] * 2


# -- faults ----------------------------------------------------------------


@pytest.mark.parametrize(
    ('fault', 'delay'),
    [
        ({**BUSY, 'headers': {'Retry-After': '7'}}, 7),
        ({**BUSY, 'headers': {'Retry-After': 'soon'}}, 0.5),
        (
            {'content': b'not gzip', 'headers': {'Content-Encoding': 'gzip'}},
            0.5,
        ),
    ],
)
def test_reads_are_retried(api, http, slept, fault, delay):
    http.get(nova.DETAIL, [fault, {'json': EMPTY}])
    assert list(api.list_detail()) == []
    assert slept == [delay]


@pytest.mark.parametrize('fault', [BUSY, RESET])
def test_writes_are_not_retried(api, http, slept, fault):
    http.delete(f'{nova.ENDPOINT}/images/x', **fault)
    # Whether the image still exists is looked up.
    http.get(f'{nova.ENDPOINT}/images/x', status_code=503)
    with pytest.raises(images.ImagesError):
        api.delete('x')
    assert [r for r in sent(http) if r.startswith('DELETE')] == [
        'DELETE /v2.1/images/x'
    ]


def test_long_retry_after_is_an_error(api, http, slept):
    answer = nova.fault(503, 'x', 'Maintenance.')
    answer['headers'] = {'Retry-After': '31'}
    http.get(nova.DETAIL, **answer)
    with pytest.raises(
        images.ServerError, match='Maintenance; the server asks to retry'
    ):
        list(api.list_detail())
    assert len(sent(http)) == 1


@pytest.mark.parametrize('method', ['GET', 'DELETE'])
def test_token_request_is_retried(api, http, slept, method):
    fine = {'json': requests.post(TOKENS).json()}
    fine['headers'] = {'X-Subject-Token': nova.TOKEN}
    busy = {**BUSY, 'text': 'Busy', 'headers': {'Retry-After': '2'}}
    http.post(TOKENS, [busy, busy, fine])
    http.get(nova.DETAIL, json=EMPTY)
    http.delete(f'{nova.ENDPOINT}/images/x', status_code=204)
    if method == 'GET':
        assert list(api.list_detail()) == []
    else:
        # Nothing was sent to Compute before.
        api.delete('x')
    assert slept == [2, 2]
    assert len(sent(http)) == 1


def test_each_retry_is_logged(api, http, slept, caplog):
    http.get(nova.DETAIL, [RESET, BUSY, {'json': EMPTY}])
    assert list(api.list_detail()) == []
    first, second = (
        record.getMessage()
        for record in caplog.records
        if record.name == 'osc_compute_images'
        and record.levelname == 'WARNING'
    )
    assert 'reset. Retrying in 0.5 seconds, 3 retries left' in first
    assert 'HTTP 503' in second
    assert 'Retrying in 1.0 seconds, 2 retries left' in second


# -- timeouts and deadlines ------------------------------------------------


def test_deadline_limits_timeout_of_each_attempt(http, compute, slept):
    http.get(nova.DETAIL, json=EMPTY)
    Client(compute).get('/images/detail', deadline=time.monotonic() + 5)
    assert [r.timeout for r in http.request_history] == [(5, 5), (5, 5)]


def test_deadline_limits_retries(http, compute, slept):
    http.get(nova.DETAIL, **RESET)
    with pytest.raises(images.ConnectionFailed, match='reset'):
        Client(compute).get('/images/detail', deadline=time.monotonic() + 1.2)
    # The next retry would be after the deadline.
    assert slept == [0.5]


def test_nothing_is_sent_after_deadline(http, compute, slept):
    for has_token in (False, True):
        with pytest.raises(images.RequestTimedOut):
            Client(compute).get('/images', deadline=time.monotonic() - 1)
        assert len(http.request_history) == has_token
        Client(compute).log_in()


@pytest.mark.parametrize(
    ('exc', 'waited', 'message'),
    [
        (requests.Timeout, 1.2, 'no response after 1 second; .*api_timeout'),
        (requests.Timeout, 1.8, 'no response after 2 seconds;'),
        (TooSlowError, 0.2, 'the response was incomplete after 0 seconds;'),
    ],
)
def test_timeout_error_has_duration(api, http, slept, exc, waited, message):
    def answer(_request, _context):
        time.sleep(waited)
        raise exc

    http.get(nova.DETAIL, json=answer)
    with pytest.raises(images.RequestTimedOut, match=message):
        list(api.list_detail())
