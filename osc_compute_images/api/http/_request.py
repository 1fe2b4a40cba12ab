# SPDX-License-Identifier: Apache-2.0

"""Send one request: the only I/O of the API, except for the token.

The adapter sends each request, in the calling thread, and is responsible for
the connection: authentication, TLS, proxies, caches, rate limits. This module
adds the endpoint, the microversion, timeouts and limits.
"""

from collections.abc import Mapping
import math
import time
from typing import Any

from keystoneauth1 import adapter as ksa_adapter
import requests

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http import _response
from osc_compute_images.api.http import _sessions
from osc_compute_images.api.http._alarm import alarm
from osc_compute_images.api.http._body import BodyReader
from osc_compute_images.api.http._endpoint import Endpoint
from osc_compute_images.text import without_credentials

#: Seconds to wait for a connection, and for the next bytes of a response, if
#: the session has no timeout.
TIMEOUT = (10.0, 60.0)

#: The total timeout of a response, as a multiple of the timeout for its next
#: bytes.
TOTAL_TIMEOUT_FACTOR = 10


def send_once(
    adapter: ksa_adapter.Adapter,
    method: str,
    path: str,
    endpoint: Endpoint,
    end: float,
    content: Mapping[str, Any],
) -> _response.Response:
    """Send a request, and check the response.

    :param path: below the endpoint
    :param end: deadline of the response
    :param content: additional arguments of the adapter's ``request``
    :returns: a successful response
    :raises ImagesError: for any other outcome
    """
    url = endpoint.url + path
    if time.monotonic() >= end:
        raise _errors.RequestTimedOut(
            f'The request to {without_credentials(url)} was not sent: the '
            f'timeout had expired'
        )
    with _exceptions.translated(url):
        response = _send(
            adapter, method, path, end, {**content, **endpoint.arguments()}
        )
    return _response.check(method, response)


def _send(
    adapter: ksa_adapter.Adapter,
    method: str,
    path: str,
    end: float,
    content: dict[str, Any],
) -> requests.Response:
    configured = _sessions.timeout(adapter)
    timeout: Any = configured or TIMEOUT
    connect, read = (configured, configured) if configured else TIMEOUT
    total = TOTAL_TIMEOUT_FACTOR * read
    if end < math.inf:
        left = end - time.monotonic()
        timeout = min(connect, left), min(read, left)
        total = min(total, left)
    reader = BodyReader(total, end)
    # NOTE: the microversion None means 2.1 on every release, and overrides the
    # user's default. Redirects are not followed: the token would be sent to
    # any host. Client makes the retries.
    arguments: dict[str, Any] = {
        'microversion': None,
        **content,
        'headers': {
            'Accept': 'application/json',
            **content.get('headers', {}),
        },
    }
    with alarm(connect + total):
        response = adapter.request(
            path,
            method,
            raise_exc=False,
            redirect=False,
            connect_retries=0,
            status_code_retries=0,
            stream=True,
            hooks={'response': [reader, *_sessions.hooks(adapter)]},
            timeout=timeout,
            **arguments,
        )
    # NOTE: a substitute for the session may not have called the hook.
    return reader(response)
