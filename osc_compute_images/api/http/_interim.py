# SPDX-License-Identifier: Apache-2.0

"""The final response, where an interim one (1xx) comes before it.

RFC 9110 lets a server send any number of them at any time. http.client skips
100 only, and takes any other for the end: the final response would stay in
the connection, and be taken for the answer to the next request.
"""

import http.client
import io
from typing import Any

import requests
import urllib3

from osc_compute_images.api import _errors

#: How many interim responses are skipped.
_MOST = 100


def final(response: requests.Response) -> requests.Response:
    """Return the response, or the final one after it.

    :raises InvalidResponse: if it cannot be read
    """
    if not _is_interim(response.status_code):
        return response
    try:
        return _next(response)
    except AttributeError as e:
        # Names that are private have gone.
        raise _never(response) from e
    except http.client.HTTPException as e:
        raise urllib3.exceptions.ProtocolError(str(e)) from e
    finally:
        if response.raw is not None:
            # So that nobody reads what is left in the connection.
            response.close()


def _is_interim(status: int) -> bool:
    return 100 <= status < 200


def _next(response: requests.Response) -> requests.Response:
    raw: Any = response.raw
    original = raw._original_response
    for _ in range(_MOST):
        # Or begin() would do nothing.
        original.headers = original.msg = None
        original.begin()
        if not _is_interim(original.status):
            break
    else:
        raise _never(response)
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
    # Or it would close what is the new one's now.
    raw._fp, raw._connection, response.raw = io.BytesIO(), None, None
    built: requests.Response = requests.adapters.HTTPAdapter().build_response(
        request, new
    )
    built.elapsed = response.elapsed
    return built


def _never(response: requests.Response) -> _errors.InvalidResponse:
    return _errors.InvalidResponse(
        'The server sends interim responses, and no final one that can be '
        'read',
        http_status=response.status_code,
    )
