# SPDX-License-Identifier: Apache-2.0

"""Reading bodies: limits of size and time, on real connections."""

import concurrent.futures
import contextlib
import gzip
import io
import json
import logging
import math
import signal
import time
import tracemalloc
import zlib

from keystoneauth1 import adapter
from keystoneauth1 import session
from keystoneauth1 import token_endpoint
import pytest
import requests
import urllib3

from osc_compute_images import api as images
from osc_compute_images.api import _alarms
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api.http import _body
from osc_compute_images.api.http import _request
from testbed import canned_cloud
from testbed import nova
from testbed import sending
from testbed.canned_cloud import Response

pytestmark = pytest.mark.timeout(120)

EMPTY = b'{"images":[]}'
PAGE = json.dumps({'images': [canned_cloud.image(1)]}).encode()
LIMIT = 1_000_000


@contextlib.contextmanager
def api_of(response, **settings):
    """Provide the API of a server that always sends this response."""
    with canned_cloud.Server(lambda _request: response) as server:
        auth = token_endpoint.Token(f'{server.url}/v2.1', 'token')
        below = session.Session(auth, **settings)
        yield ImagesAPI(adapter.Adapter(below, connect_retries=0)), server


def ids(api):
    return [image.id for image in api.list_detail()]


def refuse(kind, told, response, **settings):
    """List, which is an error after one request."""
    with api_of(response, **settings) as (api, server):
        with pytest.raises(kind, match=told):
            ids(api)
        assert len(server.requests) == 1


def test_two_lengths():
    """The error is about the response, and not the request."""
    head = b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n'
    answer = Response(send=lambda connection, _: connection.sendall(head))
    refuse(images.ConnectionFailed, 'multiple unmatching values', answer)


# -- time ------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=['quiet', 'logged'])
def logged(request, caplog):
    """With logging of bodies, keystoneauth reads them first."""
    if request.param:
        caplog.set_level(logging.DEBUG)


# NOTE: urllib3 before 2.2 returns only when the buffer is full.
@pytest.mark.skipif(
    not hasattr(urllib3.HTTPResponse, 'read1'),
    reason='the timeout is checked only every 16 KB',
)
@pytest.mark.parametrize(
    'framing',
    [
        b'Content-Length: 1000000\r\n\r\n',
        b'Transfer-Encoding: chunked\r\n\r\nfffff\r\n',
    ],
)
def test_slow_body_times_out(monkeypatch, logged, framing):
    """Each byte takes ten seconds, which is less than the timeout of 60."""
    clock = [0]

    def drip(connection, _answer):
        connection.sendall(b'HTTP/1.1 200 OK\r\n' + framing)
        while True:
            connection.sendall(b' ')
            clock[0] += 10

    monkeypatch.setattr(time, 'monotonic', lambda: clock[0])
    refuse(images.ConnectionFailed, 'was incomplete', Response(send=drip))
    assert clock[0] > 600


def seconds_left():
    return signal.getitimer(signal.ITIMER_REAL)[0]


def test_first_of_nested_alarms_ends_slow_headers(monkeypatch):
    _alarms.allowed = True
    monkeypatch.setattr(_request, 'TOTAL_TIMEOUT_FACTOR', 0)
    before = signal.getsignal(signal.SIGALRM)
    slow = Response(send=sending.drip_of_head)
    with _alarms.alarm(50):
        refuse(images.ConnectionFailed, 'timed out', slow, timeout=1)
        assert 0 < seconds_left() <= 50
    with (
        api_of(slow, timeout=1000) as (api, _server),
        pytest.raises((images.ConnectionFailed, _alarms.TooSlowError)),
        _alarms.alarm(0.2),
    ):
        ids(api)
    # That of the test itself goes on.
    assert not 0 < seconds_left() <= 50
    assert signal.getsignal(signal.SIGALRM) == before


def test_a_time_that_no_timer_has_is_never():
    _alarms.allowed = True
    of_pytest, _interval = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        with _alarms.alarm(1e10):
            assert seconds_left() == 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, of_pytest)


def test_no_alarm_in_other_threads():
    _alarms.allowed = True
    with (
        api_of(Response(PAGE)) as (api, _server),
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        assert len(pool.submit(ids, api).result()) == 1


# -- size ------------------------------------------------------------------

ENCODINGS = {
    '': bytes,
    'identity': bytes,
    'GZip': gzip.compress,
    'deflate': zlib.compress,
}


def encoded(body, encoding):
    headers = {'Content-Encoding': encoding} if encoding else {}
    return Response(ENCODINGS[encoding](body), headers=headers)


@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.parametrize('padding', [0, 700_000])
@pytest.mark.parametrize('is_old', [False, True])
def test_body_is_read_completely(monkeypatch, encoding, padding, is_old):
    if is_old:
        # As in urllib3 before 2.2.
        for kind in urllib3.HTTPResponse.__mro__:
            monkeypatch.delattr(kind, 'read1', raising=False)
    body = PAGE + b' ' * padding
    with api_of(encoded(body, encoding)) as (api, server):
        assert ids(api) == ids(api) == [canned_cloud.image(1)['id']]
        assert len(server.requests) == 2


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_size_of_decompressed_body_is_limited(monkeypatch, logged, encoding):
    monkeypatch.setattr(_body, 'MAX_BODY', LIMIT)
    large = encoded(b' ' * 10 * LIMIT, encoding)
    refuse(images.InvalidResponse, 'than 1,000,000', large)


def test_decompression_takes_little_memory(monkeypatch):
    monkeypatch.setattr(_body, 'MAX_BODY', LIMIT)
    large = encoded(bytes(200 * LIMIT), 'GZip')
    tracemalloc.start()
    try:
        refuse(images.InvalidResponse, 'than 1,000,000', large)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The decompressed size of one chunk, and copies of it.
    assert peak < 60 * LIMIT


def test_rest_of_a_large_body_is_not_read(monkeypatch):
    monkeypatch.setattr(_body, 'MAX_BODY', LIMIT)
    body = io.BytesIO(bytes(9 * LIMIT))
    response = requests.Response()
    response.status_code = 200
    response.raw = urllib3.HTTPResponse(body, preload_content=False)
    with pytest.raises(images.InvalidResponse, match='than 1,000,000'):
        _body.BodyReader(1, math.inf)(response)
    assert body.closed


def test_body_compressed_twice_is_rejected():
    twice = encoded(gzip.compress(PAGE), 'GZip')
    twice.headers['Content-Encoding'] = 'gzip, gzip'
    refuse(images.InvalidResponse, 'more than once', twice)


def test_size_of_body_that_a_session_has_read_is_limited(monkeypatch, http):
    class Own(requests.Session):
        def request(self, *args, hooks, stream, **kwargs):
            return super().request(*args, **kwargs)

    monkeypatch.setattr(_body, 'MAX_BODY', 10)
    http.get(nova.DETAIL, content=EMPTY)
    auth = token_endpoint.Token(nova.ENDPOINT, 'token')
    below = session.Session(auth, session=Own())
    with pytest.raises(images.InvalidResponse, match='larger than 10'):
        ids(ImagesAPI(adapter.Adapter(below)))


# -- malformed heads, and interim responses ---------------------------------


def before(interim):
    """Return a response that follows another one."""
    return Response(PAGE, send=lambda c, data: c.sendall(interim + data))


@pytest.mark.parametrize(
    'of',
    [
        lambda file: urllib3.HTTPResponse(file, preload_content=False),
        # An adapter of requests may give any file.
        lambda file: file,
    ],
)
def test_cache_that_wraps_the_file_gets_the_body(of):
    # CacheControl stores what is read from its own file.
    read = []

    class Kept(io.BytesIO):
        def read(self, *size):
            read.append(super().read(*size))
            return read[-1]

    response = requests.Response()
    response.status_code = 200
    response.raw = of(Kept(PAGE))
    _body.BodyReader(1, math.inf)(response)
    assert response.content == b''.join(read) == PAGE


def test_odd_head_is_accepted():
    odd = Response(PAGE, send=sending.without_colon)
    for answer in (odd, before(b'HTTP/1.1 100 Continue\r\n\r\n')):
        with api_of(answer) as (api, _server):
            assert len(ids(api)) == 1


@pytest.mark.parametrize('length', ['9' * 5000, 'x', '-1', '', '٣'])
def test_invalid_content_length_is_ignored(api, http, length):
    http.get(nova.DETAIL, content=EMPTY, headers={'Content-Length': length})
    assert ids(api) == []


@pytest.mark.parametrize(
    'interim',
    [
        b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' * 200,
        b'HTTP/1.1 101 Other\r\n\r\n\x00\r\n',
    ],
)
def test_interim_response_is_an_error(interim):
    with api_of(before(interim)) as (api, server):
        for call in (ids, lambda api: api.delete_metadata_item('b', 'a')):
            with pytest.raises(images.InvalidResponse, match='interim') as e:
                call(api)
            assert e.value.http_status in (101, 103)
        assert len(server.requests) == 2
