# SPDX-License-Identifier: Apache-2.0

"""Skip interim responses (1xx).

RFC 9110 lets a server send any number of them. http.client only skips 100,
and returns any other as the final response: the real one would stay in the
connection, and be read as the response to the next request.
"""

import http.client
import io
from typing import Any

import requests
import urllib3

from osc_compute_images.api import _errors

#: Maximum number of interim responses to skip.
_MAX_INTERIM = 100


def final(response: requests.Response) -> requests.Response:
    """Return the final response: this one, or one that follows it.

    :raises InvalidResponse: if it cannot be read
    """
    if not _is_interim(response.status_code):
        return response
    try:
        return _next(response)
    except AttributeError as e:
        # A private name is missing.
        raise _no_final_response(response) from e
    except http.client.HTTPException as e:
        raise urllib3.exceptions.ProtocolError(str(e)) from e
    finally:
        if response.raw is not None:
            # Do not reuse the connection: it may have unread data.
            response.close()


def _is_interim(status: int) -> bool:
    return 100 <= status < 200


def _next(response: requests.Response) -> requests.Response:
    raw: Any = response.raw
    original = raw._original_response
    for _ in range(_MAX_INTERIM):
        # NOTE: otherwise begin() does nothing.
        original.headers = original.msg = None
        original.begin()
        if not _is_interim(original.status):
            break
    else:
        raise _no_final_response(response)
    request: Any = response.request
    new: Any = urllib3.HTTPResponse(
        body=original,
        headers=original.msg.items(),
        status=original.status,
        version=original.version,
        reason=original.reason,
        preload_content=False,
        decode_content=False,
        original_response=original,
        pool=raw._pool,
        connection=raw._connection,
        request_method=request.method,
        request_url=request.path_url,
    )
    # NOTE: otherwise it would close the connection of the new response.
    raw._fp, raw._connection, response.raw = io.BytesIO(), None, None
    built: requests.Response = requests.adapters.HTTPAdapter().build_response(
        request, new
    )
    built.elapsed = response.elapsed
    return built


def _no_final_response(response: requests.Response) -> _errors.InvalidResponse:
    return _errors.InvalidResponse(
        'The server sent interim responses, but no valid final response',
        http_status=response.status_code,
    )
