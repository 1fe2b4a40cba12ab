# SPDX-License-Identifier: Apache-2.0

"""Reading the body of a response, within bounds of size and time."""

from collections.abc import Iterator
import io
import time
from typing import Any

import requests
import urllib3

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _interim

#: Bytes, decompressed; a thousand images with all the properties that Nova
#: allows have less.
MAX_BODY = 128 * 1024 * 1024

# Bytes that are read at a time. Few of a compressed body, as each may become
# a thousand (gzip) or thirty thousand (zstd).
_PIECE = 128 * 1024
_PIECES = {'': _PIECE, 'identity': _PIECE, 'gzip': 16384, 'deflate': 16384}
_SMALL_PIECE = 1024


class TooSlowError(Exception):
    """The body did not end in time."""


class BodyReader:
    """A response hook that reads the body, in the place of requests.

    requests would read it in small pieces, and without an end. As a hook it
    reads before anybody else does: other hooks, caches, the log.

    :param seconds: that the body may take, from when its head has come
    :param end: when it must have come, by ``time.monotonic()``

    :raises InvalidResponse: if the body is too large
    :raises TooSlowError: if it takes too long
    """

    def __init__(self, seconds: float, end: float) -> None:
        self._seconds = seconds
        self._end = end

    def __repr__(self) -> str:
        # NOTE: openstacksdk makes the key of its cache from it.
        return f'{type(self).__name__}()'

    def __call__(
        self, response: requests.Response, **_kwargs: Any
    ) -> requests.Response:
        """Read the body of the final response, unless it has been read."""
        response = _interim.final(response)
        raw = response.raw
        if raw is not None:
            deadline = min(time.monotonic() + self._seconds, self._end)
            response.raw = _BoundedStream(raw, response, deadline)
        try:
            size = len(response.content or b'')
        except BaseException:
            if raw is not None:
                raw.close()
            raise
        finally:
            response.raw = raw
        if size > MAX_BODY:
            # It is somebody else's who has read it.
            raise _too_large(response)
        return response


class _BoundedStream:
    """What requests reads a body from."""

    def __init__(
        self, raw: Any, response: requests.Response, deadline: float
    ) -> None:
        self._raw = raw
        self._response = response
        self._deadline = deadline

    def stream(self, *_args: object, **_kwargs: object) -> Iterator[bytes]:
        """Yield the whole body at once."""
        body = io.BytesIO()
        try:
            for piece in self._pieces():
                body.write(piece)
                if body.tell() > MAX_BODY:
                    raise _too_large(self._response)
                if time.monotonic() > self._deadline:
                    raise TooSlowError
        except urllib3.exceptions.ReadTimeoutError as e:
            # requests calls it a failed connection.
            raise requests.ReadTimeout(e) from e
        yield body.getvalue()

    def _pieces(self) -> Iterator[bytes]:
        headers = self._response.headers
        encoding = headers.get('Content-Encoding', '').strip().lower()
        if ',' in encoding:
            raise _errors.InvalidResponse(
                'The answer of the server is compressed more than once: '
                f'{encoding:.80}',
                http_status=self._response.status_code,
            )
        size = _PIECES.get(encoding, _SMALL_PIECE)
        decode = encoding not in ('', 'identity')
        read1 = getattr(self._raw, 'read1', None)
        if read1 is None:
            # NOTE: urllib3 before 2.2. It returns when it has so many bytes,
            # and the clock is not looked at before.
            size = min(size, _PIECES['gzip'])
            yield from self._raw.stream(size, decode_content=True)
            return
        while piece := read1(size, decode_content=decode):
            yield piece


def _too_large(response: requests.Response) -> _errors.InvalidResponse:
    return _errors.InvalidResponse(
        f'The answer of the server is larger than {MAX_BODY} bytes',
        http_status=response.status_code,
    )
