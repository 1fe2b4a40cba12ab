# SPDX-License-Identifier: Apache-2.0

"""Ways to send a response that a client does not expect."""

import socket
import struct
import time

# NOTE: tests replace time.sleep() by a clock of their own, which a thread that
# still sends a slow response must not advance.
_sleep = time.sleep

_OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'


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


def garbage(connection: socket.socket, _response: bytes) -> None:
    """Send bytes that are not HTTP."""
    connection.sendall(b'\x16\x03\x01 SSH-2.0-nothing\r\n\r\n')


def broken_chunks(connection: socket.socket, response: bytes) -> None:
    """Send a chunk with an invalid length."""
    connection.sendall(
        _OK + b'Transfer-Encoding: chunked\r\n\r\nzz\r\n' + response + b'\r\n'
    )


def without_colon(connection: socket.socket, response: bytes) -> None:
    """Send the response with an invalid header."""
    status, _, rest = response.partition(b'\r\n')
    connection.sendall(status + b'\r\nX-Fine: 1\r\nno colon\r\n' + rest)


def drip_of_head(connection: socket.socket, response: bytes) -> None:
    """Send endless headers, byte by byte."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nX-Endless: ')
    while True:
        connection.sendall(b'x')
        _sleep(0.2)
