# SPDX-License-Identifier: Apache-2.0

"""An HTTP server with responses from memory, or with faults.

It supports as much of HTTP as its clients need.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import dataclasses
import json
import socket
import ssl
import threading
from typing import Any
from typing import Self
import urllib.parse


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

    @classmethod
    def answering(cls, answer: Mapping[str, Any]) -> Self:
        """Return a response from keyword arguments of requests-mock."""
        body = json.dumps(answer['json']).encode() if 'json' in answer else b''
        return cls(body, answer.get('status_code', 200), answer['headers'])

    def to_bytes(self) -> bytes:
        headers = {
            'Content-Type': 'application/json',
            'Content-Length': str(len(self.body)),
            'X-Openstack-Request-Id': 'req-canned',
            **self.headers,
        }
        lines = ''.join(f'{k}: {v}\r\n' for k, v in headers.items() if v)
        head = f'HTTP/1.1 {self.status} Canned\r\n{lines}\r\n'
        return head.encode() + self.body


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


def fault(status: int, kind: str, message: str) -> Response:
    return Response.of({kind: {'code': status, 'message': message}}, status)


def first_of(*handlers: Handler) -> Handler:
    """Return a handler that uses the first handler with a response."""
    return lambda request: next(
        filter(None, (handler(request) for handler in handlers)), None
    )


def in_turn(*responses: Response, path: str = '/images/detail') -> Handler:
    """Return a handler of GET that sends each response once.

    :param path: the end of the path of the requests
    """
    left = iter(responses)

    def handler(request: Request) -> Response | None:
        is_meant = request.method == 'GET' and request.path.endswith(path)
        return next(left, None) if is_meant else None

    return handler
