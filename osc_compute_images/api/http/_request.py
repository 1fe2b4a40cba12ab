# SPDX-License-Identifier: Apache-2.0

"""Send one request, and tell by RFC 9110 whether it is a success.

The adapter sends each request, in the calling thread, and is responsible for
the connection: authentication, TLS, proxies, caches, rate limits. This module
adds the endpoint, the microversion, timeouts and limits.
"""

from collections.abc import Mapping
import time
from typing import Any
from typing import NamedTuple
from typing import Self

import msgspec
import requests

from osc_compute_images.api import _errors
from osc_compute_images.api._alarms import alarm
from osc_compute_images.api.http import _error_response
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http._body import BodyReader
from osc_compute_images.api.http._error_response import one_line
from osc_compute_images.api.http._session import BoundedSession

#: The total timeout of a response, as a multiple of the timeout for its next
#: bytes.
TOTAL_TIMEOUT_FACTOR = 10

#: Statuses of success. 206 would be incomplete, and 300 a choice.
_SUCCESSES = {
    'GET': (200, 203),
    'POST': (200, 201, 202, 203, 204),
    'PUT': (200, 201, 202, 203, 204),
    'DELETE': (200, 202, 203, 204, 205),
}

_REDIRECTS = (301, 302, 303, 307, 308)

_EMPTY_BODIES = (b'', b'{}', b'null')

_JSON = 'application/json'


class Endpoint(NamedTuple):
    """A URL without a trailing slash, and the login that was in it."""

    url: str
    auth: requests.auth.AuthBase | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Separate the user name and password from a URL.

        :raises EndpointNotFound: if it is invalid
        """
        try:
            login = requests.utils.get_auth_from_url(url)
        except ValueError as e:
            raise _errors.EndpointNotFound(
                f'The URL of the Compute service is invalid: {e}'
            ) from e
        auth = requests.auth.HTTPBasicAuth(*login) if any(login) else None
        return cls(requests.utils.urldefragauth(url).rstrip('/'), auth)


def send_once(
    session: BoundedSession,
    method: str,
    endpoint: Endpoint,
    path: str,
    *,
    params: Mapping[str, Any] | None = None,
    json: object = None,
    microversion: str | None = None,
    fresh: bool = False,
) -> requests.Response:
    """Send a request of a user who is logged in.

    See :meth:`.Client.request` for the arguments and the result.

    :raises ImagesError: for anything but a success
    """
    url = endpoint.url + path
    left = session.left
    if left <= 0:
        raise _errors.RequestTimedOut(
            f'The request to {url} was not sent: the timeout had expired'
        )
    connect, read = session.timeouts
    total = min(TOTAL_TIMEOUT_FACTOR * read, left)
    reader = BodyReader(total, session.end)
    # That of an openstacksdk connection has a cache.
    has_cache = hasattr(session.adapter, '_get_cache_key_prefix')
    options = {'skip_cache': True} if fresh and has_cache else {}
    began = time.monotonic()
    headers = {'Accept': _JSON}
    if fresh:
        headers['Cache-Control'] = 'no-cache'
    data = None
    try:
        if json is not None:
            headers['Content-Type'] = _JSON
            data = msgspec.json.encode(json)
        with alarm(connect + total):
            # NOTE: the microversion None means 2.1 on every release, and
            # overrides the user's default. Redirects are not followed: the
            # token would be sent to any host. Client makes the retries, and
            # renews the token.
            response = session.adapter.request(
                path,
                method,
                # keystoneauth interprets percent signs as placeholders.
                endpoint_override=endpoint.url.replace('%', '%%'),
                params=dict(params or {}),
                headers=headers,
                data=data,
                microversion=microversion,
                # The catalog may have another type, which Nova would not know.
                microversion_service_type='compute',
                raise_exc=False,
                redirect=False,
                allow_reauth=False,
                connect_retries=0,
                status_code_retries=0,
                stream=True,
                hooks={'response': [reader, *session.hooks]},
                timeout=(min(connect, left), min(read, left)),
                requests_auth=endpoint.auth,
                **options,
            )
            # NOTE: a substitute for the session may not have called the hook.
            reader(response)
    except _exceptions.OF_REQUEST as e:
        raise _exceptions.of_request(e, url, began) from e
    _check(session, method, response)
    return response


def _check(
    session: BoundedSession, method: str, response: requests.Response
) -> None:
    """Check that a response is a success.

    :raises ImagesError: for any other
    """
    status = response.status_code
    if status >= 400:
        is_ruled = status == 401 and session.has_access_rules()
        raise _error_response.error_of(response, method if is_ruled else None)
    if status in _REDIRECTS:
        target = response.headers.get('location') or 'an unknown URL'
        problem = (
            f'{one_line(response.url)} redirects to {one_line(target)}, which '
            f'is not followed: correct the endpoint URL of Compute'
        )
    elif status not in _SUCCESSES[method]:
        problem = f'Unexpected status of {method} {one_line(response.url)}'
    elif method != 'GET' and _is_foreign(method, response):
        problem = (
            f'The response to {method} with status {status} is not from the '
            f'images API; the change may or may not have been made'
        )
    else:
        return
    raise _errors.InvalidResponse(
        problem,
        http_status=status,
        request_id=_error_response.request_id(response.headers),
    )


def _is_foreign(method: str, response: requests.Response) -> bool:
    """Return whether the body of a change cannot be from this API."""
    body = response.content.strip()
    if body in _EMPTY_BODIES:
        return False
    if method == 'DELETE':
        # 202 (accepted) is unambiguous.
        return response.status_code != 202
    return not body.startswith(b'{')
