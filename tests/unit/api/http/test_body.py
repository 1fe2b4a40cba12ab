# SPDX-License-Identifier: Apache-2.0

"""Reading bodies: limits of size and time, on real connections."""

from collections.abc import Iterator
import contextlib
import gzip
import json
import logging
import math
import signal
import socket
import sys
import threading
import time
import traceback
import tracemalloc
import types
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
from testbed.canned_cloud import Response

pytestmark = pytest.mark.timeout(120)

PAGE = json.dumps({'images': [canned_cloud.image(1)]}).encode()
LIMIT = 1_000_000


@contextlib.contextmanager
def api_of(
    response: Response, **settings: object
) -> Iterator[tuple[ImagesAPI, canned_cloud.Server]]:
    """Provide the API of a server that always sends this response."""
    with canned_cloud.Server(lambda _request: response) as server:
        auth = token_endpoint.Token(f'{server.url}/v2.1', 'token')
        below = session.Session(auth, **settings)
        yield ImagesAPI(adapter.Adapter(below, connect_retries=0)), server


def ids(api: ImagesAPI) -> list[str]:
    return [image.id for image in api.list_detail()]


def read(raw: object, length: str = '0') -> requests.Response:
    """Read a body without a connection."""
    response = requests.Response()
    response.status_code, response.raw = 200, raw
    response.headers['Content-Length'] = length
    return _body.BodyReader(60, math.inf)(response)


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
    def drip(connection, _answer):
        head = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
        connection.sendall(head + framing)
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b' ')
                time.sleep(0.1)

    monkeypatch.setattr(_request, 'TOTAL_TIMEOUT_FACTOR', 1)
    with api_of(Response(send=drip), timeout=1) as (api, server):
        with pytest.raises(images.ConnectionFailed, match='was incomplete'):
            ids(api)
        assert len(server.requests) == 1


def test_timeout_leaves_no_thread_or_connection():
    def silent(connection, _answer):
        # Until the client closes the connection.
        connection.settimeout(60)
        with contextlib.suppress(OSError):
            received.append(connection.recv(1))
        closed.set()

    received, closed = [], threading.Event()
    with api_of(Response(send=silent), timeout=0.3) as (api, _server):
        with pytest.raises(images.ConnectionFailed, match='timed out'):
            ids(api)
        stacks = [
            ''.join(traceback.format_stack(frame))
            for thread, frame in sys._current_frames().items()
            if thread != threading.get_ident()
        ]
        assert not [x for x in stacks if 'osc_compute_images/api/http/' in x]
        assert closed.wait(60)
    assert received == [b'']


def test_alarm_ends_slow_headers(monkeypatch):
    def drip_of_head(connection, answer):
        with contextlib.suppress(OSError):
            canned_cloud.drip_of_head(connection, answer)

    monkeypatch.setattr(_alarms, '_allowed', True)
    monkeypatch.setattr(_request, 'TOTAL_TIMEOUT_FACTOR', 1)
    with api_of(Response(send=drip_of_head), timeout=0.5) as (api, server):
        with pytest.raises(images.ConnectionFailed, match='was incomplete'):
            ids(api)
        assert len(server.requests) == 1


def seconds_left():
    return signal.getitimer(signal.ITIMER_REAL)[0]


def test_alarm_is_cancelled(monkeypatch):
    monkeypatch.setattr(_alarms, '_allowed', True)
    before = signal.getsignal(signal.SIGALRM)
    with _alarms.alarm(50):
        assert 0 < seconds_left() <= 50
    # That of the test itself goes on.
    assert not 0 < seconds_left() <= 50
    assert signal.getsignal(signal.SIGALRM) == before


def test_first_of_nested_alarms_ends_a_block(monkeypatch):
    monkeypatch.setattr(_alarms, '_allowed', True)
    with _alarms.alarm(50):
        with pytest.raises(_alarms.TooSlowError), _alarms.alarm(0):
            time.sleep(50)
        assert 0 < seconds_left() <= 50
    with (
        pytest.raises(_alarms.TooSlowError),
        _alarms.alarm(0),
        _alarms.alarm(50),
    ):
        time.sleep(50)


def test_no_alarm_in_other_threads(monkeypatch):
    monkeypatch.setattr(_alarms, '_allowed', True)
    done = []

    def run():
        with _alarms.alarm(0.01):
            time.sleep(0.05)
        done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done


# -- size ------------------------------------------------------------------

ENCODINGS = {
    '': bytes,
    'identity': bytes,
    'gzip': gzip.compress,
    'GZip': gzip.compress,
    'deflate': zlib.compress,
}


def encoded(body: bytes, encoding: str) -> Response:
    headers = {'Content-Encoding': encoding} if encoding else {}
    return Response(ENCODINGS[encoding](body), headers=headers)


@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.parametrize('padding', [0, 700_000])
def test_body_is_read_completely(encoding, padding):
    body = PAGE + b' ' * padding
    with api_of(encoded(body, encoding)) as (api, server):
        for _ in range(3):
            assert ids(api) == [canned_cloud.image(1)['id']]
        assert len(server.requests) == 3


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_size_of_decompressed_body_is_limited(monkeypatch, logged, encoding):
    monkeypatch.setattr(_body, 'MAX_BODY', LIMIT)
    with api_of(encoded(b' ' * 10 * LIMIT, encoding)) as (api, server):
        with pytest.raises(images.InvalidResponse, match='than 1,000,000'):
            ids(api)
        assert len(server.requests) == 1


def test_decompression_takes_little_memory(monkeypatch):
    monkeypatch.setattr(_body, 'MAX_BODY', LIMIT)
    with api_of(encoded(bytes(200 * LIMIT), 'gzip')) as (api, _server):
        tracemalloc.start()
        try:
            with pytest.raises(images.InvalidResponse):
                ids(api)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    # The decompressed size of one chunk, and copies of it.
    assert peak < 60 * LIMIT


@pytest.mark.parametrize(
    'sizes',
    [(1, 2000, 1023, 1024, 200_000, 5), (1,) * 300_000, ()],
    ids=['all', 'small', 'none'],
)
@pytest.mark.parametrize('is_old', [False, True])
@pytest.mark.parametrize('length', ['0', '5', '1' + '0' * 8])
def test_chunks_of_any_size_are_joined_in_order(sizes, is_old, length):
    chunks = [bytes([n % 251]) * size for n, size in enumerate(sizes)]
    rest = iter(chunks)
    # urllib3 before 2.2 has no read1().
    raw = (
        types.SimpleNamespace(stream=lambda *_, **__: rest)
        if is_old
        else types.SimpleNamespace(read1=lambda *_, **__: next(rest, b''))
    )
    response = read(raw, length)
    assert response.content == b''.join(chunks)
    assert response.raw is raw


def test_body_compressed_twice_is_rejected():
    twice = encoded(gzip.compress(PAGE), 'gzip')
    twice.headers['Content-Encoding'] = 'gzip, gzip'
    with (
        api_of(twice) as (api, _server),
        pytest.raises(images.InvalidResponse, match='more than once'),
    ):
        ids(api)


def test_size_of_body_that_a_session_has_read_is_limited(monkeypatch, http):
    class Own(requests.Session):
        def request(self, *args, hooks, stream, **kwargs):
            return super().request(*args, **kwargs)

    monkeypatch.setattr(_body, 'MAX_BODY', 10)
    http.get(nova.DETAIL, json={'images': []})
    auth = token_endpoint.Token(nova.ENDPOINT, 'token')
    below = session.Session(auth, session=Own())
    with pytest.raises(images.InvalidResponse, match='larger than 10'):
        ids(ImagesAPI(adapter.Adapter(below)))


def test_header_without_a_colon_is_ignored():
    answer = Response(PAGE, send=canned_cloud.without_colon)
    with api_of(answer) as (api, _server):
        assert len(ids(api)) == 1


@pytest.mark.parametrize('length', ['9' * 5000, 'x', '-1', '', '٣'])
def test_invalid_content_length_is_ignored(api, http, length):
    headers = {'Content-Length': length}
    http.get(nova.DETAIL, json={'images': []}, headers=headers)
    assert list(api.list_detail()) == []


# -- interim responses -----------------------------------------------------


class Counting(canned_cloud.Server):
    """A server that counts its connections."""

    connections = 0

    def _serve(self, connection: socket.socket) -> None:
        self.connections += 1
        super()._serve(connection)


@contextlib.contextmanager
def interim(before: bytes) -> Iterator[tuple[ImagesAPI, Counting]]:
    """Provide the API of a server.

    :param before: sent before the final response for the image ``a``
    """

    class Begun(Response):
        def to_bytes(self, **kwargs: bool) -> bytes:
            return before + super().to_bytes(**kwargs)

    def answer(request: canned_cloud.Request) -> Response:
        name = request.path.rpartition('/')[2]
        kind = Begun if name == 'a' else Response
        return kind.of({'image': {'id': name}})

    with Counting(answer) as server:
        auth = token_endpoint.Token(f'{server.url}/v2.1', 'token')
        yield ImagesAPI(adapter.Adapter(session.Session(auth))), server


def test_response_after_100_is_read():
    with interim(b'HTTP/1.1 100 Continue\r\n\r\n') as (api, server):
        # On one connection, each request gets its own response.
        assert [api.get(n).id for n in 'abca'] == ['a', 'b', 'c', 'a']
        assert server.connections == 1


@pytest.mark.parametrize(
    'before',
    [
        b'HTTP/1.1 102 Processing\r\n\r\n',
        b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' * 200,
        b'HTTP/1.1 101 Other\r\n\r\n\x00\r\n',
        b'HTTP/1.1 199 What\r\n\r\n',
    ],
)
def test_other_interim_response_is_an_error(before):
    with interim(before) as (api, server):
        for call in (api.get, api.delete_metadata_item):
            words = ['a'] if call == api.get else ['b', 'a']
            with pytest.raises(images.InvalidResponse, match='interim') as e:
                call(*words)
            assert 101 <= e.value.http_status <= 199
        # The connection is closed, and its other response is not read.
        assert api.get('b').id == 'b'
        assert server.connections == 3
