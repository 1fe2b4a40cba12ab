# SPDX-License-Identifier: Apache-2.0

"""Limits of the size of a response, and of the time that it takes."""

from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
import functools
import http.client
import io
import time
import types
from typing import Any

import requests
import urllib3

from osc_compute_images.api import _errors
from osc_compute_images.api._alarms import TooSlowError

#: Maximum size of a body, bytes, decompressed. 1,000 images with the maximum
#: of properties are smaller.
MAX_BODY = 128 * 1024 * 1024

# Bytes to read at a time, by content encoding. A compressed byte may expand to
# a thousand bytes (gzip) or thirty thousand (zstd).
_CHUNKS = {'': 131072, 'identity': 131072, 'gzip': 16384, 'deflate': 16384}
_SMALL_CHUNK = 1024

# Bytes to allocate for a body of an announced length.
_MAX_ALLOCATED = 8 * 1024 * 1024


# NOTE: openstacksdk uses the repr in the keys of its cache.
@dataclasses.dataclass(frozen=True)
class BodyReader:
    """A response hook that reads the body, instead of requests.

    requests would read it in small chunks, and without a limit. The hook runs
    before anything else reads the body: other hooks, caches, the log.

    :param seconds: timeout of the body, after its head has been read
    :param end: deadline of the body, a time of ``time.monotonic()``

    :raises InvalidResponse: if there is none, or it is too large
    :raises TooSlowError: if it takes too long
    """

    seconds: float = dataclasses.field(repr=False)
    end: float = dataclasses.field(repr=False)

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
        stream = functools.partial(self._read, response.headers, raw)
        response.raw = raw and types.SimpleNamespace(stream=stream)
        try:
            body = response.content or b''
        except BaseException:
            raw.close()
            raise
        finally:
            response.raw = raw
        if len(body) > MAX_BODY:
            raise _errors.InvalidResponse(
                f'The response is larger than {MAX_BODY:,} bytes'
            )
        return response

    def _read(
        self, headers: Mapping[str, str], raw: Any, *_: Any, **__: Any
    ) -> Iterator[bytes]:
        """Yield the body as one chunk: requests holds chunks in a list."""
        encoding = headers.get('Content-Encoding', '').strip().lower()
        if ',' in encoding:
            raise _errors.InvalidResponse(
                f'The response is compressed more than once: {encoding:.80}'
            )
        size = _CHUNKS.get(encoding, _SMALL_CHUNK)
        # NOTE: not for those of caches and recorders, which wrap read().
        fp = getattr(raw, '_fp', None)
        if isinstance(fp, http.client.HTTPResponse) and hasattr(raw, 'read1'):
            decode = encoding not in ('', 'identity')
            read = functools.partial(raw.read1, size, decode_content=decode)
            received = iter(read, b'')
        elif not hasattr(raw, 'stream'):
            # NOTE: adapters of requests may use any file, as requests does.
            received = iter(functools.partial(raw.read, 16384), b'')
        else:
            # NOTE: urllib3 before 2.2. The deadline is only checked after each
            # complete chunk.
            received = raw.stream(min(size, 16384), decode_content=True)
        deadline = min(time.monotonic() + self.seconds, self.end)
        # NOTE: allocated at once, and not copied at the end: with a buffer
        # that grows, a list takes a quarter more time.
        length = headers.get('Content-Length', '')
        known = int(length) if length.isdecimal() and len(length) < 10 else 0
        body = io.BytesIO(bytes(min(known, _MAX_ALLOCATED)))
        try:
            for chunk in received:
                body.write(chunk)
                if body.tell() > MAX_BODY:
                    raw.close()
                    break
                if time.monotonic() > deadline:
                    raise TooSlowError
        except urllib3.exceptions.ReadTimeoutError as e:
            # requests would raise ConnectionError.
            raise requests.ReadTimeout(e) from e
        body.truncate()
        yield body.getvalue()
