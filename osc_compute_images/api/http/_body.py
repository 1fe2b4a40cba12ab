# SPDX-License-Identifier: Apache-2.0

"""Read the body of a response, with limits of size and time."""

from collections.abc import Iterator
import time
import types
from typing import Any

import requests
import urllib3

from osc_compute_images.api import _errors
from osc_compute_images.api.http._exceptions import TooSlowError

#: Maximum size of a body, bytes, decompressed. 1,000 images with the maximum
#: of properties are smaller.
MAX_BODY = 128 * 1024 * 1024

# Bytes to read at a time, by content encoding. A compressed byte may expand to
# a thousand bytes (gzip) or thirty thousand (zstd).
_CHUNKS = {'': 131072, 'identity': 131072, 'gzip': 16384, 'deflate': 16384}
_SMALL_CHUNK = 1024


class BodyReader:
    """A response hook that reads the body, instead of requests.

    requests would read it in small chunks, and without a limit. The hook runs
    before anything else reads the body: other hooks, caches, the log.

    :param seconds: timeout of the body, after its head has been read
    :param end: deadline of the body, a time of ``time.monotonic()``

    :raises InvalidResponse: if there is none, or it is too large
    :raises TooSlowError: if it takes too long
    """

    def __init__(self, seconds: float, end: float) -> None:
        self._seconds = seconds
        self._end = end

    def __repr__(self) -> str:
        # NOTE: openstacksdk uses it in the keys of its cache.
        return f'{type(self).__name__}()'

    def __call__(
        self, response: requests.Response, **_kwargs: Any
    ) -> requests.Response:
        """Read the body, if not yet read."""
        if response.status_code < 200:
            # NOTE: http.client skips 100 only. The final response would stay
            # in the connection, and be read as that to the next request.
            response.close()
            raise _errors.InvalidResponse(
                'The server sent an interim response, and no valid final '
                'response was read',
                http_status=response.status_code,
            )
        raw = response.raw
        try:
            if raw is not None:
                deadline = min(time.monotonic() + self._seconds, self._end)
                body = _bounded(response, raw, deadline)
                response.raw = types.SimpleNamespace(
                    stream=lambda *_, **__: body
                )
            size = len(response.content or b'')
        except BaseException:
            if raw is not None:
                raw.close()
            raise
        finally:
            response.raw = raw
        if size > MAX_BODY:
            # Something else has read it.
            raise _too_large(response)
        return response


def _bounded(
    response: requests.Response, raw: Any, deadline: float
) -> Iterator[bytearray]:
    """Yield the body as one chunk: requests holds chunks in a list."""
    body = bytearray()
    try:
        for chunk in _chunks(response, raw):
            body += chunk
            if len(body) > MAX_BODY:
                raise _too_large(response)
            if time.monotonic() > deadline:
                raise TooSlowError
    except urllib3.exceptions.ReadTimeoutError as e:
        # requests would raise ConnectionError.
        raise requests.ReadTimeout(e) from e
    yield body


def _chunks(response: requests.Response, raw: Any) -> Iterator[bytes]:
    encoding = response.headers.get('Content-Encoding', '').strip().lower()
    if ',' in encoding:
        raise _errors.InvalidResponse(
            f'The response is compressed more than once: {encoding:.80}',
            http_status=response.status_code,
        )
    size = _CHUNKS.get(encoding, _SMALL_CHUNK)
    decode = encoding not in ('', 'identity')
    read1 = getattr(raw, 'read1', None)
    if read1 is None:
        # NOTE: urllib3 before 2.2. The deadline is only checked after each
        # complete chunk.
        size = min(size, _CHUNKS['gzip'])
        yield from raw.stream(size, decode_content=True)
        return
    while chunk := read1(size, decode_content=decode):
        yield chunk


def _too_large(response: requests.Response) -> _errors.InvalidResponse:
    return _errors.InvalidResponse(
        f'The response is larger than {MAX_BODY:,} bytes',
        http_status=response.status_code,
    )
