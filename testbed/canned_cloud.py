# SPDX-License-Identifier: Apache-2.0

"""A canned cloud: Keystone and Nova's images API, from memory.

It replaces a real cloud where a test needs fast responses, many regions, or
faults. It supports as much of HTTP as its clients need. Pages are made once.

Run it as a program for a cloud of any size in its own process::

    python -m testbed.canned_cloud --images 100000
"""

import argparse
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import MutableSequence
import contextlib
import dataclasses
import json
import pathlib
import socket
import ssl
import struct
import threading
import time
from typing import Any
from typing import Self
import urllib.parse
import uuid

TOKEN = 'gAAAAAB-the-secret-token'
PASSWORD = 'the-secret-password'
PROJECT = '7f5b3e6f0d1c4bb0a6a3a5c7f6a1b2c3'

# NOTE: tests replace time.sleep() by a clock of their own, which a thread that
# still sends a slow response must not advance.
_sleep = time.sleep


@dataclasses.dataclass
class Request:
    """A request of a client."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclasses.dataclass
class Response:
    """A response.

    :param send: sends the response in its own way, given the socket and the
        bytes; then the connection is closed
    """

    body: bytes = b''
    status: int = 200
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    send: Callable[[socket.socket, bytes], None] | None = None

    @classmethod
    def of(cls, document: object, status: int = 200, **headers: str) -> Self:
        """Return a response with JSON; header names have underscores."""
        return cls(
            json.dumps(document).encode(),
            status,
            {k.replace('_', '-'): v for k, v in headers.items()},
        )

    def to_bytes(self, *, with_body: bool = True) -> bytes:
        headers = {
            'Content-Type': 'application/json',
            'Content-Length': str(len(self.body)),
            'X-Openstack-Request-Id': 'req-canned',
            **self.headers,
        }
        head = ''.join(f'{k}: {v}\r\n' for k, v in headers.items() if v)
        return f'HTTP/1.1 {self.status} Canned\r\n{head}\r\n'.encode() + (
            self.body if with_body else b''
        )


Handler = Callable[[Request], Response | None]


class Server:
    """An HTTP server on a free loopback port.

    :param handler: returns the response to a request
    :param tls: serve HTTPS
    :ivar requests: all requests, in their order
    :ivar sent: number of bytes of the responses
    """

    def __init__(
        self, handler: Handler, tls: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[Request] = []
        self.sent = 0
        self._handler = handler
        self._tls = tls
        self._socket = socket.create_server(('127.0.0.1', 0), backlog=128)
        self.port: int = self._socket.getsockname()[1]
        scheme = 'https' if tls else 'http'
        self.url = f'{scheme}://127.0.0.1:{self.port}'
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, and drop every connection."""
        # NOTE: without shutdown, it would accept one more connection.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def paths(self) -> list[str]:
        """Return ``GET /path`` of each request."""
        return [f'{r.method} {r.path}' for r in self.requests]

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(connection)
            threading.Thread(
                target=self._serve, args=(connection,), daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.suppress(OSError))
            stack.enter_context(connection)
            if self._tls:
                connection = stack.enter_context(
                    self._tls.wrap_socket(connection, server_side=True)
                )
            for request in _requests(connection):
                self.requests.append(request)
                response = self._handler(request) or not_found()
                if response.send is not None:
                    response.send(connection, response.to_bytes())
                    return
                data = response.to_bytes()
                self.sent += len(data)
                connection.sendall(data)
        self._open.discard(connection)


def _requests(connection: socket.socket) -> Iterator[Request]:
    buffer = b''
    while True:
        while b'\r\n\r\n' not in buffer:
            data = connection.recv(65536)
            if not data:
                return
            buffer += data
        head, _, buffer = buffer.partition(b'\r\n\r\n')
        first, *lines = head.decode('latin-1').split('\r\n')
        method, target, _version = first.split(' ')
        pairs = (line.partition(':') for line in lines)
        headers = {k.lower(): v.strip() for k, _, v in pairs}
        length = int(headers.get('content-length', 0))
        while len(buffer) < length:
            buffer += connection.recv(65536)
        body, buffer = buffer[:length], buffer[length:]
        url = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(url.query, True))
        yield Request(method, url.path, query, headers, body)


def not_found() -> Response:
    """Return the response of Nova's router to an unknown path."""
    return Response.of(
        {
            'message': 'The resource could not be found.<br /><br />\n\n\n',
            'code': '404 Not Found',
            'title': 'Not Found',
        },
        404,
    )


def fault(status: int, kind: str, message: str, **headers: str) -> Response:
    """Return an error of Nova."""
    return Response.of(
        {kind: {'code': status, 'message': message}}, status, **headers
    )


def reset(connection: socket.socket, _response: bytes) -> None:
    """Send nothing, and reset the connection."""
    connection.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)
    )


def truncated(connection: socket.socket, response: bytes) -> None:
    """Send half of the response, and close the connection."""
    connection.sendall(response[: len(response) // 2])


def cut_off(connection: socket.socket, response: bytes) -> None:
    """Send half of the response, and reset the connection."""
    truncated(connection, response)
    # The reset would drop data that has not arrived.
    _sleep(0.2)
    reset(connection, b'')


def hang_up(_connection: socket.socket, _response: bytes) -> None:
    """Send nothing, and close the connection."""


def unframed(connection: socket.socket, response: bytes) -> None:
    """Send the response, and close the connection."""
    connection.sendall(response)


def garbage(connection: socket.socket, _response: bytes) -> None:
    """Send bytes that are not HTTP."""
    connection.sendall(b'\x16\x03\x01 SSH-2.0-nothing\r\n\r\n')


def endless(connection: socket.socket, _response: bytes) -> None:
    """Send an endless body, as fast as possible."""
    connection.sendall(
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
        b'Transfer-Encoding: chunked\r\n\r\n'
    )
    chunk = b'100000\r\n' + b' ' * 0x100000 + b'\r\n'
    while True:
        connection.sendall(chunk)


def broken_chunks(connection: socket.socket, response: bytes) -> None:
    """Send a chunk with an invalid length."""
    connection.sendall(
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
        b'Transfer-Encoding: chunked\r\n\r\n'
        b'zz\r\n' + response + b'\r\n'
    )


def without_colon(connection: socket.socket, response: bytes) -> None:
    """Send the response with an invalid header."""
    status, _, rest = response.partition(b'\r\n')
    connection.sendall(status + b'\r\nX-Fine: 1\r\nno colon\r\n' + rest)


def drip(connection: socket.socket, response: bytes) -> None:
    """Send the headers, and an endless body, byte by byte."""
    connection.sendall(
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
        b'Content-Length: 100000000\r\n\r\n'
    )
    while True:
        connection.sendall(b' ')
        _sleep(0.2)


def drip_of_head(connection: socket.socket, response: bytes) -> None:
    """Send endless headers, byte by byte."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nX-Endless: ')
    while True:
        connection.sendall(b'x')
        _sleep(0.2)


def slowly(connection: socket.socket, response: bytes) -> None:
    """Send the response in pieces, with a short delay after each."""
    size = len(response) // 8 + 1
    for start in range(0, len(response), size):
        connection.sendall(response[start : start + size])
        _sleep(0.25)


def silent(_connection: socket.socket, _response: bytes) -> None:
    """Accept the request, and never respond."""
    _sleep(3600)


def keystone(
    regions: dict[str, str],
    password: str = PASSWORD,
    token_id: str = TOKEN,
    **token: Any,
) -> Handler:
    """Return the handler of Keystone, with Compute in some regions.

    :param regions: the URL of Compute, by region
    :param password: the user's password
    :param token_id: the token that it issues
    """
    expires = time.strftime(
        '%Y-%m-%dT%H:%M:%S.000000Z', time.gmtime(time.time() + 3600)
    )
    body = {
        'token': {
            'methods': ['password'],
            'user': {
                'id': 'u' * 32,
                'name': 'demo',
                'domain': {'id': 'default', 'name': 'Default'},
                'password_expires_at': None,
            },
            'project': {
                'id': PROJECT,
                'name': 'demo',
                'domain': {'id': 'default', 'name': 'Default'},
            },
            'roles': [{'id': 'r', 'name': 'member'}],
            'issued_at': '2026-11-23T16:00:00.000000Z',
            'expires_at': expires,
            'audit_ids': ['a'],
            'is_domain': False,
            'catalog': [
                {
                    'type': 'compute',
                    'name': 'nova',
                    'id': 'nova',
                    'endpoints': [
                        {
                            'id': f'{region}-{interface}',
                            'interface': interface,
                            'region': region or None,
                            'region_id': region or None,
                            'url': url,
                        }
                        for region, url in regions.items()
                        for interface in ('public', 'internal', 'admin')
                    ],
                }
            ],
            **token,
        }
    }

    def handler(request: Request) -> Response | None:
        match request.method, request.path.rstrip('/'):
            case 'GET', '/v3':
                url = f'http://{request.headers["host"]}/v3/'
                return Response.of(
                    {
                        'version': {
                            'id': 'v3.14',
                            'status': 'stable',
                            'updated': '2020-04-07T00:00:00Z',
                            'links': [{'rel': 'self', 'href': url}],
                            'media-types': [],
                        }
                    }
                )
            case 'POST', '/v3/auth/tokens':
                if password.encode() not in request.body:
                    return fault(
                        401,
                        'error',
                        'The request you have made requires authentication.',
                    )
                return Response.of(body, 201, X_Subject_Token=token_id)
        return None

    return handler


def image(number: int, **fields: Any) -> dict[str, Any]:
    """Return a record of an image."""
    image_id = str(uuid.UUID(int=(0xC0FFEE << 100) + number))
    return {
        'id': image_id,
        'name': f'cirros-0.6.2-{number:06}',
        'minRam': (0, 512, 2048)[number % 3],
        'minDisk': (0, 1, 20)[number % 3],
        'metadata': {
            'os_distro': 'cirros',
            'os_version': '0.6.2',
            'architecture': 'x86_64',
            'hw_disk_bus': 'virtio',
        },
        'created': f'2026-11-{23 - number % 20:02}T16:11:28Z',
        'updated': '2026-11-23T17:12:31Z',
        'status': 'ACTIVE',
        'progress': 100,
        'OS-EXT-IMG-SIZE:size': 21430272,
        'links': [
            {
                'rel': rel,
                'href': f'http://127.0.0.1:8774/v2.1/images/{image_id}',
            }
            for rel in ('self', 'bookmark', 'alternate')
        ],
        **fields,
    }


class Nova:
    """The handler of Nova's images API, without any servers.

    :param images: the images, the newest first
    :param path: the path before ``/images``
    """

    def __init__(
        self, images: MutableSequence[dict[str, Any]], path: str = '/v2.1'
    ) -> None:
        self.images = images
        self.path = path
        self._pages: dict[tuple[str | None, int], Response] = {}

    def __call__(self, request: Request) -> Response | None:
        if request.path == f'{self.path}/images/detail':
            return self.page(request)
        if request.path == f'{self.path}/servers/detail':
            return Response.of({'servers': []})
        prefix = f'{self.path}/images/'
        if request.path.startswith(prefix):
            return self.one(request, request.path.removeprefix(prefix))
        return None

    def replace(self, images: list[dict[str, Any]]) -> None:
        """Replace all images."""
        self.images[:] = images
        self._pages.clear()

    def prepare(self, host: str, limit: int = 1000) -> None:
        """Make the pages of a list in advance."""
        path = f'{self.path}/images/detail'
        query = {'limit': str(limit)}
        for end in range(limit, len(self.images) + limit, limit):
            self.page(Request('GET', path, query, {'host': host}, b''))
            last = self.images[min(end, len(self.images)) - 1]['id']
            query = {**query, 'marker': last}

    def page(self, request: Request) -> Response:
        """Return a page, from the cache if possible."""
        marker = request.query.get('marker')
        limit = int(request.query.get('limit', len(self.images)))
        cached = self._pages.get((marker, limit))
        if cached is not None and 'name' not in request.query:
            return cached
        images = self.images
        if 'name' in request.query:
            wanted = request.query['name'].removeprefix('eq:')
            images = [i for i in images if i['name'] == wanted]
        start = 0
        if marker:
            ids = [i['id'] for i in images]
            if marker not in ids:
                return fault(
                    400,
                    'badRequest',
                    f'HTTP 400 Bad Request: No image found with ID {marker}',
                )
            start = ids.index(marker) + 1
        page = images[start : start + limit]
        document: dict[str, Any] = {'images': page}
        if page and len(page) == limit:
            href = (
                f'http://{request.headers["host"]}{request.path}'
                f'?limit={limit}&marker={page[-1]["id"]}'
            )
            document['images_links'] = [{'rel': 'next', 'href': href}]
        response = Response.of(document)
        if 'name' not in request.query:
            self._pages[marker, limit] = response
        return response

    def one(self, request: Request, image_id: str) -> Response:
        """Return or delete an image, or set some of its metadata."""
        image_id, _, key = image_id.partition('/')
        for each in self.images:
            if each['id'] != image_id:
                continue
            match request.method, key:
                case 'GET', '':
                    return Response.of({'image': each})
                case 'DELETE', '':
                    self.images.remove(each)
                    self._pages.clear()
                    return Response(status=204)
                case 'POST', 'metadata':
                    each['metadata'] |= json.loads(request.body)['metadata']
                    self._pages.clear()
                    return Response.of({'metadata': each['metadata']})
        return fault(404, 'itemNotFound', 'Image not found.')


def first_of(*handlers: Handler) -> Handler:
    """Return a handler that uses the first handler with a response."""

    def handler(request: Request) -> Response | None:
        for each in handlers:
            response = each(request)
            if response is not None:
                return response
        return None

    return handler


def in_turn(
    *responses: Response | None,
    method: str = 'GET',
    path: str = '/images/detail',
    where: Callable[[Request], bool] = lambda _request: True,
) -> Handler:
    """Return a handler that sends each response once.

    :param responses: None passes the request to the next handler
    :param path: the end of the path of the requests
    :param where: selects among these requests
    """
    left = list(responses)

    def handler(request: Request) -> Response | None:
        meant = request.method == method and request.path.endswith(path)
        return left.pop(0) if left and meant and where(request) else None

    return handler


def always(
    response: Response,
    method: str = 'GET',
    path: str = '/images/detail',
    where: Callable[[Request], bool] = lambda _request: True,
) -> Handler:
    """Return a handler that always sends this response."""

    def handler(request: Request) -> Response | None:
        meant = request.method == method and request.path.endswith(path)
        return response if meant and where(request) else None

    return handler


def after_the_first_page(request: Request) -> bool:
    """Return whether a request is for a page after the first."""
    return 'marker' in request.query


@contextlib.contextmanager
def canned_cloud(
    nova: Handler, path: str = '/v2.1', *before: Handler
) -> Iterator[Server]:
    """Run a cloud with one region, ``RegionOne``, on one port.

    :param nova: the handler of Compute
    :param path: the path of Compute in the catalog
    :param before: handlers that are called first
    """
    handlers: list[Handler] = []
    with Server(
        lambda request: first_of(*before, *handlers)(request)
    ) as server:
        handlers += [keystone({'RegionOne': server.url + path}), nova]
        yield server


def environment(server: Server) -> dict[str, str]:
    """Return the OS_* variables of a user of the cloud."""
    return {
        'OS_AUTH_URL': f'{server.url}/v3',
        'OS_USERNAME': 'demo',
        'OS_PASSWORD': PASSWORD,
        'OS_PROJECT_NAME': 'demo',
        'OS_USER_DOMAIN_NAME': 'Default',
        'OS_PROJECT_DOMAIN_NAME': 'Default',
        'OS_REGION_NAME': 'RegionOne',
        'OS_IDENTITY_API_VERSION': '3',
    }


def configuration(
    server: Server, folder: pathlib.Path, **settings: Any
) -> dict[str, str]:
    """Write a ``clouds.yaml`` of a user of the cloud.

    :param settings: additional settings of the cloud
    :returns: the OS_* variables that select it
    """
    cloud = {
        'auth': {
            'auth_url': f'{server.url}/v3',
            'username': 'demo',
            'password': PASSWORD,
            'project_name': 'demo',
            'user_domain_name': 'Default',
            'project_domain_name': 'Default',
        },
        'region_name': 'RegionOne',
        'identity_api_version': '3',
        **settings,
    }
    file = folder / 'clouds.yaml'
    # JSON is YAML.
    file.write_text(json.dumps({'clouds': {'canned': cloud}}))
    return {'OS_CLIENT_CONFIG_FILE': str(file), 'OS_CLOUD': 'canned'}


def main() -> None:
    """Run a cloud until its standard input is closed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument('--images', type=int, default=1000)
    args = parser.parse_args()
    nova = Nova([image(n) for n in range(args.images)])
    with canned_cloud(nova) as server:
        nova.prepare(f'127.0.0.1:{server.port}')
        print(json.dumps(environment(server)), flush=True)
        with contextlib.suppress(KeyboardInterrupt, EOFError):
            input()


if __name__ == '__main__':
    main()
