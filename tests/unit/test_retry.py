# SPDX-License-Identifier: Apache-2.0

"""When a request is sent again."""

import math
import time

from keystoneauth1 import adapter
from keystoneauth1 import session
import pytest
import requests

from osc_compute_images import api as images
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api.http import _retry
from osc_compute_images.api.http import Client
from osc_compute_images.api.http._fault import Kind
from osc_compute_images.api.http._fault import marked
from testbed import nova
from tests.unit.conftest import new_session
from tests.unit.conftest import sent
from tests.unit.test_http import Cut

EMPTY = {'images': []}
RESET = {'exc': requests.exceptions.ConnectionError('reset')}
CUT = {'body': Cut(b'x')}
TOKENS = f'{nova.KEYSTONE}/v3/auth/tokens'


# -- the policy, without I/O ------------------------------------------------


def status(number, after=None):
    return marked(
        images.HTTPError('x', http_status=number), Kind.STATUS, after
    )


CONNECTION = marked(images.ConnectionFailed('x'), Kind.CONNECTION)
TIMEOUT = marked(images.ConnectionFailed('x'), Kind.TIMEOUT)
LASTING = marked(images.ConnectionFailed('x'), Kind.LASTING)


def delay(error, attempt=0, left=math.inf, random=0.0, **settings):
    return _retry.delay(
        error, attempt, _retry.Settings(**settings), left, lambda: random
    )


@pytest.mark.parametrize('number', [413, 429, 502, 503, 504])
def test_delays_grow(number):
    for fault in (status(number), CONNECTION):
        delays = [delay(fault, attempt) for attempt in range(4)]
        assert delays == [0.5, 1, 2, None]


def test_delays_have_jitter():
    assert delay(CONNECTION, random=1.0) == 0.25
    # A server is never asked earlier than it says.
    assert delay(status(503, 10.0), random=1.0) == 11


@pytest.mark.parametrize('number', [400, 401, 403, 404, 409, 500, 501])
def test_other_statuses_are_lasting(number):
    assert delay(status(number)) is None
    assert delay(status(number), statuses=frozenset([number])) == 0.5


def test_an_error_without_a_mark_is_lasting():
    assert delay(images.ConnectionFailed('x'), connect_retries=9) is None


def test_lasting_faults_and_timeouts_are_not_retried():
    assert delay(LASTING, connect_retries=9) is None
    assert delay(TIMEOUT) is None
    assert delay(TIMEOUT, connect_retries=1, timeouts=True) == 0.5


@pytest.mark.parametrize(
    ('after', 'expected'),
    [(0.0, 0), (30.0, 30), (30.1, None), (math.inf, None)],
)
def test_what_a_server_asks_for_is_done_or_it_is_given_up(after, expected):
    assert delay(status(503, after)) == expected


def test_a_delay_that_the_user_sets_is_always_the_same():
    for fault, name in (
        (CONNECTION, 'connect_retry_delay'),
        (status(503), 'status_code_retry_delay'),
    ):
        for attempt in range(3):
            assert delay(fault, attempt, random=1.0, **{name: 7.0}) == 7


def test_nothing_goes_beyond_what_is_left():
    assert delay(CONNECTION, left=0.4) is None
    assert delay(status(503, 3.0), left=2.9) is None


# -- what the user sets ----------------------------------------------------


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
        # Statuses of the user come to those of the default.
        ({'status_code': 502}, {'retriable_status_codes': [500]}),
        ({'status_code': 500}, {'retriable_status_codes': [500]}),
    ],
)
def test_what_is_set_makes_nothing_else_worse(
    http, ksa_session, slept, fault, settings
):
    made = adapter.Adapter(ksa_session, service_type='compute', **settings)
    http.get(nova.DETAIL, **fault)
    with pytest.raises(images.ImagesError):
        list(ImagesAPI(made).list_detail())
    assert len(sent(http)) == 4


def test_the_retries_of_a_session_do_not_multiply(http, slept):
    made = adapter.Adapter(
        session.Session(new_session().auth, connect_retries=2),
        service_type='compute',
    )
    http.get(nova.DETAIL, **RESET)
    with pytest.raises(images.ConnectionFailed):
        list(ImagesAPI(made).list_detail())
    assert len(sent(http)) == 3


def test_nor_do_they_for_a_token(http, slept):
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
def test_timeouts_are_retried_where_the_user_asks_for_it(
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
def test_what_will_be_the_same_is_not_sent_again(api, http, slept, exc):
    http.get(nova.DETAIL, exc=exc)
    with pytest.raises(images.ConnectionFailed) as caught:
        list(api.list_detail())
    assert len(sent(http)) == 1
    assert str(caught.value)
    assert slept == []


def test_413_with_retry_after_is_an_older_429(api, http, slept):
    busy = {'status_code': 413, 'headers': {'Retry-After': '3'}}
    http.get(nova.DETAIL, [busy, {'json': EMPTY}])
    assert list(api.list_detail()) == []
    assert slept == [3]


@pytest.mark.parametrize(
    'after', ['31', '99999999999', '9' * 400, 'Fri, 31 Dec 2100 23:59:59 GMT']
)
def test_a_long_wait_is_not_begun(api, http, slept, after):
    answer = nova.fault(503, 'x', 'Maintenance.')
    answer['headers'] = {'Retry-After': after}
    http.get(nova.DETAIL, **answer)
    with pytest.raises(
        images.ServerError, match='Maintenance; the server asks to wait'
    ):
        list(api.list_detail())
    assert len(sent(http)) == 1
    assert slept == []


@pytest.mark.parametrize('number', [429, 502, 503, 504])
@pytest.mark.parametrize('method', ['GET', 'DELETE'])
def test_keystone_is_asked_again_for_a_token(api, http, slept, number, method):
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
        # Nothing has been sent to Compute meanwhile.
        api.delete('x')
    assert slept == [2, 2]
    assert len(sent(http)) == 1


def test_keystone_s_own_words_are_told(api, http, slept):
    http.post(TOKENS, status_code=503, text='<h1>Keystone is being moved</h1>')
    with pytest.raises(images.ServerError, match='Keystone is being moved'):
        list(api.list_detail())


def test_a_keystone_that_is_none_is_no_missing_image(api, http):
    http.post(TOKENS, status_code=404)
    for call in (lambda: api.get('x'), lambda: list(api.list_detail())):
        with pytest.raises(images.InvalidResponse, match='auth_url'):
            call()


def test_each_retry_is_told(api, http, slept, caplog):
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


def test_a_deadline_bounds_each_attempt(http, compute):
    http.get(nova.DETAIL, json=EMPTY)
    Client(compute).get('/images/detail', deadline=time.monotonic() + 5)
    connect, read = http.last_request.timeout
    assert 4 < connect <= 5
    assert 4 < read <= 5


def test_a_deadline_bounds_the_retries(http, compute, slept):
    http.get(nova.DETAIL, **RESET)
    with pytest.raises(images.ConnectionFailed, match='reset'):
        Client(compute).get('/images/detail', deadline=time.monotonic() + 1.2)
    # The next one would be after a second more.
    assert slept == [0.5]


def test_after_its_deadline_nothing_is_sent(http, compute, slept):
    http.delete(nova.DETAIL, status_code=204)
    client = Client(compute)
    for call in (
        client.get,
        lambda path, **kw: client.send('DELETE', path, **kw),
    ):
        with pytest.raises(images.ConnectionFailed, match='no time is left'):
            call('/images/detail', deadline=time.monotonic() - 1)
    assert sent(http) == []


def test_a_timeout_says_which_setting_changes_it(api, http):
    http.get(nova.DETAIL, exc=requests.exceptions.ReadTimeout)
    with pytest.raises(images.ConnectionFailed) as caught:
        list(api.list_detail())
    assert 'timed out: no answer for 0 seconds' in str(caught.value)
    assert 'api_timeout' in str(caught.value)
