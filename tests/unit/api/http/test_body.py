# SPDX-License-Identifier: Apache-2.0

"""Reading bodies: limits of size and time, on real connections."""

from collections.abc import Iterator
import contextlib
import gzip
import json
import logging
import math
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
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api.http import _body
from osc_compute_images.api.http import _request
from osc_compute_images.api.http import _settings
from osc_compute_images.api.http._body import TooSlowError
from testbed import canned_cloud
from testbed import nova
from testbed.canned_cloud import Response

pytestmark = pytest.mark.timeout(120)

PAGE = json.dumps({'images': [canned_cloud.image(1)]}).encode()


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


# -- time ------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=['quiet', 'logged'])
def logged(request, caplog):
    """With logging of bodies, keystoneauth reads them first."""
    if request.param:
        caplog.set_level(logging.DEBUG)
    return request.param


# NOTE: urllib3 before 2.2 returns only when the buffer is full.
@pytest.mark.skipif(
    not hasattr(urllib3.HTTPResponse, 'read1'),
    reason='the timeout is checked only every 16 KB',
)
@pytest.mark.parametrize('chunked', [False, True])
def test_slow_body_times_out(monkeypatch, logged, chunked):
    monkeypatch.setattr(_request, 'TOTAL_TIMEOUT_FACTOR', 1)

    def drip(connection, _answer):
        head = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
        head += (
            b'Transfer-Encoding: chunked\r\n\r\nfffff\r\n'
            if chunked
            else b'Content-Length: 1000000\r\n\r\n'
        )
        connection.sendall(head)
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b' ')
                time.sleep(0.1)

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

    received = []
    with api_of(Response(send=silent), timeout=0.3) as (api, _server):
        with pytest.raises(images.ConnectionFailed, match='timed out'):
            ids(api)
        stacks = [
            ''.join(traceback.format_stack(frame))
            for thread, frame in sys._current_frames().items()
            if thread != threading.get_ident()
        ]
        assert not [
            text for text in stacks if 'osc_compute_images/api/http/' in text
        ]
        end = time.monotonic() + 60
        while not received and time.monotonic() < end:
            time.sleep(0.01)
    assert received == [b'']


def test_alarm_ends_slow_headers(monkeypatch):
    monkeypatch.setattr(_body, '_alarms_allowed', True)
    monkeypatch.setattr(_request, 'TOTAL_TIMEOUT_FACTOR', 1)

    def drip_of_head(connection, answer):
        with contextlib.suppress(OSError):
            canned_cloud.drip_of_head(connection, answer)

    with api_of(Response(send=drip_of_head), timeout=0.5) as (api, server):
        with pytest.raises(images.ConnectionFailed, match='was incomplete'):
            ids(api)
        assert len(server.requests) == 1


def test_cancelled_alarm_has_no_effect(monkeypatch):
    monkeypatch.setattr(_body, '_alarms_allowed', True)
    with _body.alarm(0.05):
        pass
    time.sleep(0.1)
    with pytest.raises(TooSlowError), _body.alarm(0.05):
        time.sleep(60)


def test_no_alarm_in_other_threads(monkeypatch):
    monkeypatch.setattr(_body, '_alarms_allowed', True)
    done = []

    def run():
        with _body.alarm(0.01):
            time.sleep(0.05)
        done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done


# -- size ------------------------------------------------------------------

LIMIT = 1_000_000


def encoded(body: bytes, encoding: str) -> Response:
    compress = {
        '': bytes,
        'identity': bytes,
        'gzip': gzip.compress,
        'GZip': gzip.compress,
        'deflate': zlib.compress,
    }[encoding]
    headers = {'Content-Encoding': encoding} if encoding else {}
    return Response(compress(body), headers=headers)


ENCODINGS = ['', 'identity', 'gzip', 'GZip', 'deflate']


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
        with pytest.raises(images.InvalidResponse, match='larger than'):
            ids(api)
        assert len(server.requests) == 1


def test_decompression_takes_little_memory(monkeypatch):
    monkeypatch.setattr(_body, 'MAX_BODY', LIMIT)
    bomb = Response(
        gzip.compress(bytes(200 * LIMIT), 9),
        headers={'Content-Encoding': 'gzip'},
    )
    with api_of(bomb) as (api, _server):
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
    [
        (1, 2000, 1023, 1024, 200_000, 5),
        (1024, 1, 1024, 150_000, 150_000, 3),
        (1,) * 300_000,
        (200_000, 200_000),
        (),
    ],
    ids=['small first', 'large first', 'small only', 'large only', 'none'],
)
def test_chunks_of_any_size_are_joined_in_order(sizes):
    chunks = [bytes([n % 251]) * size for n, size in enumerate(sizes)]
    rest = iter(chunks)
    raw = types.SimpleNamespace(read1=lambda *_, **__: next(rest, b''))
    response = requests.Response()
    response.status_code, response.raw = 200, raw
    response = _body.BodyReader(60, math.inf)(response)
    assert response.content == b''.join(chunks)
    assert response.raw is raw


def test_body_compressed_twice_is_rejected():
    twice = Response(
        gzip.compress(gzip.compress(PAGE)),
        headers={'Content-Encoding': 'gzip, gzip'},
    )
    with (
        api_of(twice) as (api, _server),
        pytest.raises(images.InvalidResponse, match='more than once'),
    ):
        ids(api)


def test_size_of_body_read_by_hook_is_limited(monkeypatch, http, api):
    monkeypatch.setattr(_body, 'MAX_BODY', 10)
    response = requests.Response()
    response.status_code = 200
    response._content = b' ' * 11
    with pytest.raises(images.InvalidResponse, match='larger than 10'):
        _body.BodyReader(1, 1e99)(response)


def test_body_is_read_without_read1(monkeypatch, http, api):
    # As in urllib3 before 2.2.
    class Old:
        def __init__(self, raw):
            self.stream = raw.stream
            self.close = raw.close

    def age(response, **_kwargs):
        response.raw = Old(response.raw)

    monkeypatch.setattr(_settings, 'hooks', lambda _adapter: [reader])

    def reader(response, **kwargs):
        age(response)
        return _body.BodyReader(60, 1e99)(response)

    monkeypatch.setattr(
        _request, 'BodyReader', lambda *_: lambda response, **_kw: response
    )
    http.get(nova.DETAIL, json={'images': [{'id': 'x'}]})
    assert ids(api) == ['x']


def test_header_without_a_colon_is_ignored():
    answer = Response(PAGE, send=canned_cloud.without_colon)
    with api_of(answer) as (api, _server):
        assert len(ids(api)) == 1


# -- interim responses -----------------------------------------------------


@contextlib.contextmanager
def talking(talk) -> Iterator[tuple[ImagesAPI, list[object]]]:
    """Provide the API of a server on raw sockets.

    :param talk: returns the bytes to send, given the path of a request
    """
    connections = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threading.Thread(
                    target=answer, args=(connection,), daemon=True
                ).start()

    def answer(connection):
        with connection, connection.makefile('rb') as lines:
            while line := lines.readline():
                while lines.readline() not in (b'\r\n', b''):
                    pass
                connection.sendall(talk(line.split()[1].decode()))

    with socket.create_server(('127.0.0.1', 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        url = f'http://127.0.0.1:{listener.getsockname()[1]}/v2.1'
        below = session.Session(token_endpoint.Token(url, 't'), timeout=10)
        try:
            yield ImagesAPI(adapter.Adapter(below)), connections
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def final(path: str) -> bytes:
    body = json.dumps({'image': {'id': path.rpartition('/')[2]}}).encode()
    return b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s' % (
        len(body),
        body,
    )


def test_response_after_100_is_read():
    first = b'HTTP/1.1 100 Continue\r\n\r\n'
    with talking(lambda path: first + final(path)) as (api, connections):
        # On one connection, each request gets its own response.
        assert [api.get(n).id for n in 'abc'] == ['a', 'b', 'c']
        assert len(connections) == 1


@pytest.mark.parametrize(
    'interim',
    [
        b'HTTP/1.1 102 Processing\r\n\r\n',
        b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' * 200,
        b'HTTP/1.1 101 Other\r\n\r\n\x00\r\n',
        b'HTTP/1.1 199 What\r\n\r\n',
    ],
)
def test_other_interim_response_is_an_error(interim):
    sent = {'a': interim + final('/a')}
    with talking(
        lambda path: sent.get(path.rpartition('/')[2], final(path))
    ) as (api, connections):
        with pytest.raises(images.InvalidResponse, match='interim') as caught:
            api.get('a')
        # The connection is closed, and its other response is not read.
        assert api.get('b').id == 'b'
        assert len(connections) == 2
    assert 101 <= caught.value.http_status <= 199


def test_change_with_interim_response_is_not_a_success():
    refused = (
        b'HTTP/1.1 103 Early Hints\r\n\r\n'
        b'HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n'
    )
    with (
        talking(lambda _path: refused) as (api, _connections),
        pytest.raises(images.InvalidResponse),
    ):
        api.delete('a')


def test_missing_final_response_without_connection_is_an_error(http, api):
    http.delete(f'{nova.ENDPOINT}/images/a', status_code=103)
    # The image still exists.
    http.get(
        f'{nova.ENDPOINT}/images/a', json={'image': nova.image(1, id='a')}
    )
    with pytest.raises(images.InvalidResponse, match='no valid final'):
        api.delete('a')
