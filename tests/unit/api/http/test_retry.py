# SPDX-License-Identifier: Apache-2.0

"""Retries of requests."""

import math
import time

from keystoneauth1 import adapter
from keystoneauth1 import session
import pytest
import requests

from osc_compute_images import api as images
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api.http import _settings
from osc_compute_images.api.http import Client
from osc_compute_images.api.http._body import TooSlowError
from testbed import nova
from tests.unit.api.http.test_client import Cut
from tests.unit.conftest import new_session
from tests.unit.conftest import sent

EMPTY = {'images': []}
RESET = {'exc': requests.exceptions.ConnectionError('reset')}
CUT = {'body': Cut(b'x')}
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


def delay(error, attempt=0, left=math.inf, random=0.0, **settings):
    return _settings.Retries(**settings).delay(
        error, attempt, left, lambda: random
    )


@pytest.mark.parametrize('number', [429, 502, 503, 504])
def test_delay_grows_with_each_attempt(number):
    for fault in (status(number), CONNECTION):
        delays = [delay(fault, attempt) for attempt in range(4)]
        assert delays == [0.5, 1, 2, None]


def test_delay_has_jitter():
    assert delay(CONNECTION, random=1.0) == 0.25
    # Jitter never makes a delay shorter than Retry-After.
    assert delay(status(503, 10.0), random=1.0) == 11


@pytest.mark.parametrize('number', [400, 401, 403, 404, 409, 500, 501])
def test_other_statuses_are_not_retried(number):
    assert delay(status(number)) is None
    assert delay(status(number), statuses=frozenset([number])) == 0.5


def test_413_is_transient_with_retry_after_only():
    assert delay(status(413, 3.0)) == 3
    assert delay(status(413)) is None


@pytest.mark.parametrize(
    'kind',
    [images.ConnectionFailed, images.RequestTimedOut, images.InvalidResponse],
)
def test_other_errors_are_not_retried(kind):
    error = kind('x', http_status=503)
    assert delay(error, connect=9, timeouts=True) is None


def test_timeouts_are_not_retried_by_default():
    assert delay(TIMEOUT) is None
    assert delay(TIMEOUT, connect=1, timeouts=True) == 0.5


@pytest.mark.parametrize(
    ('after', 'expected'),
    [(0.0, 0), (30.0, 30), (30.1, None), (math.inf, None)],
)
def test_retry_after_is_respected_up_to_maximum(after, expected):
    assert delay(status(503, after)) == expected


def test_configured_delay_is_constant():
    for fault, name in (
        (CONNECTION, 'connect_delay'),
        (status(503), 'status_code_delay'),
    ):
        for attempt in range(3):
            for seconds in (7.0, 0.0):
                settings = {name: seconds}
                assert delay(fault, attempt, random=1.0, **settings) == seconds


def test_no_retry_after_deadline():
    assert delay(CONNECTION, left=0.4) is None
    assert delay(status(503, 3.0), left=2.9) is None


# -- settings --------------------------------------------------------------


@pytest.mark.parametrize('fault', [RESET, CUT], ids=['reset', 'cut off'])
@pytest.mark.parametrize('times', [0, 1, 5])
def test_connect_retries(http, ksa_session, slept, fault, times):
    made = adapter.Adapter(
        ksa_session, service_type='compute', connect_retries=times
    )
    http.get(nova.DETAIL, **fault)
    with pytest.raises(images.ConnectionFailed):
        list(ImagesAPI(made).list_detail())
    assert len(sent(http)) == 1 + times


@pytest.mark.parametrize('number', [429, 502, 503, 504])
@pytest.mark.parametrize('times', [0, 1, 5])
def test_status_code_retries(http, ksa_session, slept, number, times):
    made = adapter.Adapter(
        ksa_session, service_type='compute', status_code_retries=times
    )
    http.get(nova.DETAIL, status_code=number)
    with pytest.raises(images.HTTPError):
        list(ImagesAPI(made).list_detail())
    assert len(sent(http)) == 1 + times


@pytest.mark.parametrize(
    ('fault', 'settings'),
    [
        ({'status_code': 502}, {'connect_retries': 5}),
        (RESET, {'status_code_retries': 5}),
        # Configured status codes are added to the default ones.
        ({'status_code': 502}, {'retriable_status_codes': [500]}),
        ({'status_code': 500}, {'retriable_status_codes': [500]}),
    ],
)
def test_other_retry_settings_keep_their_defaults(
    http, ksa_session, slept, fault, settings
):
    made = adapter.Adapter(ksa_session, service_type='compute', **settings)
    http.get(nova.DETAIL, **fault)
    with pytest.raises(images.ImagesError):
        list(ImagesAPI(made).list_detail())
    assert len(sent(http)) == 4


@pytest.mark.parametrize(
    ('fault', 'setting'),
    [
        (RESET, 'connect_retry_delay'),
        ({'status_code': 503}, 'status_code_retry_delay'),
    ],
)
def test_configured_delay_may_be_zero(
    http, ksa_session, slept, fault, setting
):
    made = adapter.Adapter(ksa_session, service_type='compute', **{setting: 0})
    http.get(nova.DETAIL, [fault, {'json': EMPTY}])
    assert list(ImagesAPI(made).list_detail()) == []
    assert slept == [0]


def test_retries_of_session_are_not_multiplied(http, slept):
    made = adapter.Adapter(
        session.Session(new_session().auth, connect_retries=2),
        service_type='compute',
    )
    http.get(nova.DETAIL, **RESET)
    with pytest.raises(images.ConnectionFailed):
        list(ImagesAPI(made).list_detail())
    assert len(sent(http)) == 3


def test_retries_of_session_are_not_multiplied_for_tokens(http, slept):
    made = adapter.Adapter(
        session.Session(new_session().auth, connect_retries=2),
        service_type='compute',
    )
    http.post(TOKENS, **RESET)
    with pytest.raises(images.ConnectionFailed):
        list(ImagesAPI(made).list_detail())
    assert len(http.request_history) == 3


@pytest.mark.parametrize(
    'exc',
    [requests.exceptions.ReadTimeout, requests.exceptions.ConnectTimeout],
)
def test_timeouts_are_retried_if_connect_retries_is_set(
    http, ksa_session, slept, exc
):
    made = adapter.Adapter(
        ksa_session, service_type='compute', connect_retries=1
    )
    http.get(nova.DETAIL, exc=exc)
    with pytest.raises(images.ConnectionFailed):
        list(ImagesAPI(made).list_detail())
    assert len(sent(http)) == 2


# -- faults ----------------------------------------------------------------


@pytest.mark.parametrize(
    'exc',
    [
        requests.exceptions.SSLError('certificate verify failed'),
        requests.exceptions.InvalidHeader('bad header'),
        requests.exceptions.InvalidURL('bad URL'),
        requests.exceptions.InvalidSchema('bad scheme'),
        OSError('Could not find a suitable TLS CA certificate bundle'),
        FileNotFoundError(2, 'No such file', '/ca.pem'),
        MemoryError(),
    ],
    ids=repr,
)
def test_permanent_exceptions_are_not_retried(api, http, slept, exc):
    http.get(nova.DETAIL, exc=exc)
    with pytest.raises(images.ConnectionFailed) as caught:
        list(api.list_detail())
    assert len(sent(http)) == 1
    assert str(caught.value)
    assert slept == []


def test_413_with_retry_after_is_retried(api, http, slept):
    busy = {'status_code': 413, 'headers': {'Retry-After': '3'}}
    http.get(nova.DETAIL, [busy, {'json': EMPTY}])
    assert list(api.list_detail()) == []
    assert slept == [3]


@pytest.mark.parametrize(
    'after', ['31', '99999999999', '9' * 400, 'Fri, 31 Dec 2100 23:59:59 GMT']
)
def test_long_retry_after_is_an_error(api, http, slept, after):
    answer = nova.fault(503, 'x', 'Maintenance.')
    answer['headers'] = {'Retry-After': after}
    http.get(nova.DETAIL, **answer)
    with pytest.raises(
        images.ServerError, match='Maintenance; the server asks to retry'
    ):
        list(api.list_detail())
    assert len(sent(http)) == 1
    assert slept == []


@pytest.mark.parametrize('number', [429, 502, 503, 504])
@pytest.mark.parametrize('method', ['GET', 'DELETE'])
def test_token_request_is_retried(api, http, slept, number, method):
    token = requests.post(TOKENS).json()
    busy = {
        'status_code': number,
        'text': 'Busy',
        'headers': {'Retry-After': '2'},
    }
    fine = {'json': token, 'headers': {'X-Subject-Token': nova.TOKEN}}
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


def test_error_contains_message_of_keystone(api, http, slept):
    http.post(TOKENS, status_code=503, text='<h1>Keystone is being moved</h1>')
    with pytest.raises(images.ServerError, match='Keystone is being moved'):
        list(api.list_detail())


def test_404_of_keystone_is_not_a_missing_image(api, http):
    http.post(TOKENS, status_code=404)
    for call in (lambda: api.get('x'), lambda: list(api.list_detail())):
        with pytest.raises(images.InvalidResponse, match='auth_url'):
            call()


def test_each_retry_is_logged(api, http, slept, caplog):
    http.get(nova.DETAIL, [RESET, {'status_code': 503}, {'json': EMPTY}])
    assert list(api.list_detail()) == []
    records = [
        record
        for record in caplog.records
        if record.name.startswith('osc_compute_images')
    ]
    assert [record.levelname for record in records] == ['WARNING'] * 2
    first, second = (record.getMessage() for record in records)
    assert 'reset. Retrying in 0.5 seconds, 3 retries left' in first
    assert 'HTTP 503' in second
    assert 'Retrying in 1.0 seconds, 2 retries left' in second


# -- deadlines -------------------------------------------------------------


def test_deadline_limits_timeout_of_each_attempt(http, compute):
    http.get(nova.DETAIL, json=EMPTY)
    Client(compute).get('/images/detail', deadline=time.monotonic() + 5)
    connect, read = http.last_request.timeout
    assert 4 < connect <= 5
    assert 4 < read <= 5


def test_deadline_limits_retries(http, compute, slept):
    http.get(nova.DETAIL, **RESET)
    with pytest.raises(images.ConnectionFailed, match='reset'):
        Client(compute).get('/images/detail', deadline=time.monotonic() + 1.2)
    # The next retry would be after the deadline.
    assert slept == [0.5]


def test_no_request_is_sent_after_deadline(http, compute, slept):
    with pytest.raises(images.RequestTimedOut):
        Client(compute).get('/images', deadline=time.monotonic() - 1)
    assert http.request_history == []


@pytest.mark.parametrize(
    ('e', 'waited', 'message'),
    [
        (requests.Timeout, 1.2, 'no response after 1 second;'),
        (requests.Timeout, 1.8, 'no response after 2 seconds;'),
        (TooSlowError, 0.2, 'the response was incomplete after 0 seconds;'),
    ],
)
def test_timeout_error_has_duration(api, http, slept, e, waited, message):
    def answer(_request, _context):
        time.sleep(waited)
        raise e

    http.get(nova.DETAIL, json=answer)
    with pytest.raises(images.RequestTimedOut, match=message):
        list(api.list_detail())


def test_timeout_error_names_setting(api, http):
    http.get(nova.DETAIL, exc=requests.exceptions.ReadTimeout)
    with pytest.raises(images.ConnectionFailed) as caught:
        list(api.list_detail())
    assert 'timed out: no response after 0 seconds' in str(caught.value)
    assert 'api_timeout' in str(caught.value)
