# SPDX-License-Identifier: Apache-2.0

"""Sending one request: the only I/O of the API but for the token's.

Everything about the connection (authentication, TLS, proxies, caches, limits
of the rate) is the adapter's, and every request is sent by it, in the thread
that asks for it. What is added here is what it cannot know: where the images
are, and the microversion that still has them.
"""

from collections.abc import Mapping
import math
import time
from typing import Any

from keystoneauth1 import adapter as ksa_adapter
import requests

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _answer
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http import _sessions
from osc_compute_images.api.http._alarm import alarm
from osc_compute_images.api.http._body import BodyReader
from osc_compute_images.api.http._endpoint import Endpoint
from osc_compute_images.text import without_credentials

#: Seconds to wait for a connection, and for the next bytes of an answer,
#: where the session has no timeout of its own.
TIMEOUT = (10.0, 60.0)

#: How many of the session's timeouts a whole answer may take.
TIMEOUTS = 10


def send_once(
    adapter: ksa_adapter.Adapter,
    method: str,
    path: str,
    where: Endpoint,
    end: float,
    content: Mapping[str, Any],
    accepted: tuple[int, ...] = (),
) -> bytes:
    """Send a request, and judge the answer.

    :param path: below the endpoint, or a URL
    :param where: the endpoint
    :param end: when the whole answer must have come
    :param content: more arguments of the adapter's ``request``
    :param accepted: statuses that mean success besides the usual ones
    :returns: the body of a success
    :raises ImagesError: for any other outcome
    """
    url = path if '://' in path else where.url + path
    began = time.monotonic()
    if began >= end:
        raise _errors.RequestTimedOut(
            f'The request to {without_credentials(url)} is not sent: no time '
            f'is left'
        )
    try:
        response = _response(
            adapter, method, path, end, {**content, **where.arguments()}
        )
    except _exceptions.FOREIGN as e:
        waited = time.monotonic() - began
        raise _exceptions.error_of(e, url, waited) from e
    return _answer.judge(
        _answer.Answer(
            method,
            response.url,
            response.status_code,
            response.reason,
            response.headers,
            response.content,
        ),
        accepted,
    )


def _response(
    adapter: ksa_adapter.Adapter,
    method: str,
    path: str,
    end: float,
    content: dict[str, Any],
) -> requests.Response:
    own = _sessions.timeout(adapter)
    timeout: Any = own or TIMEOUT
    connect, read = (own, own) if own else TIMEOUT
    longest = TIMEOUTS * read
    if end < math.inf:
        left = end - time.monotonic()
        timeout = min(connect, left), min(read, left)
        longest = min(longest, left)
    reader = BodyReader(longest, end)
    # NOTE: no microversion is the same as 2.1 on every release, and
    # overrides the one that the user has chosen for other requests.
    # Redirects are not followed: the token would go along, to whatever
    # host they name. Retries are made here.
    with alarm(connect + longest):
        response = adapter.request(
            path,
            method,
            headers={
                'Accept': 'application/json',
                **content.pop('headers', {}),
            },
            microversion=None,
            raise_exc=False,
            redirect=False,
            connect_retries=0,
            status_code_retries=0,
            stream=True,
            hooks={'response': [reader, *_sessions.hooks(adapter)]},
            timeout=timeout,
            **content,
        )
    # Where the hook has not been called, as there is a stand-in for the
    # session.
    return reader(response)
