# SPDX-License-Identifier: Apache-2.0

"""Whether a response is a success, by RFC 9110. It does no I/O."""

from typing import NamedTuple
from typing import TYPE_CHECKING

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _error_message
from osc_compute_images.api.http import _retry

if TYPE_CHECKING:
    import requests

#: Statuses of success. 206 would be incomplete, and 300 a choice.
_SUCCESSES = {
    'GET': (200, 203),
    'POST': (200, 201, 202, 203, 204),
    'PUT': (200, 201, 202, 203, 204),
    'DELETE': (200, 202, 203, 204, 205),
}

_REDIRECTS = (301, 302, 303, 307, 308)

_EMPTY_BODIES = (b'', b'{}', b'null')


class Response(NamedTuple):
    """A successful response to a request.

    :param microversion: of Compute that the server answered in, or None. A
        server without microversions ignores the one that it is asked for
    """

    body: bytes
    microversion: str | None


def check(method: str, response: 'requests.Response') -> Response:
    """Check that a response is a success.

    :raises ImagesError: for any other response
    """
    status = response.status_code
    if status >= 400:
        raise http_error(
            status,
            _error_message.extract(
                status, response.headers, response.content, response.reason
            ),
            _request_id(response),
            response.headers.get('retry-after'),
        )
    if status not in _SUCCESSES[method]:
        raise _invalid(response, _unexpected(method, response))
    if method != 'GET' and _is_foreign(method, status, response.content):
        raise _invalid(
            response,
            f'The response to {method} with status {status} is not from the '
            f'images API; the change may or may not have been made',
        )
    service, _, version = response.headers.get(
        'openstack-api-version', ''
    ).partition(' ')
    return Response(
        response.content, version if service == 'compute' else None
    )


def _unexpected(method: str, response: 'requests.Response') -> str:
    """Return the message for a status that is neither success nor error."""
    url = _error_message.one_line(response.url)
    if response.status_code not in _REDIRECTS:
        return f'Unexpected status of {method} {url}'
    target = response.headers.get('location') or 'an unknown URL'
    return (
        f'{url} redirects to {_error_message.one_line(target)}, which is not '
        f'followed: correct the endpoint URL of Compute'
    )


def _is_foreign(method: str, status: int, content: bytes) -> bool:
    """Return whether the body cannot be from this API."""
    body = content.strip()
    if method == 'DELETE':
        # 202 (accepted) and 204 (no content) are unambiguous.
        return status not in (202, 204) and body not in _EMPTY_BODIES
    return not (body in _EMPTY_BODIES or body.startswith(b'{'))


def _request_id(response: 'requests.Response') -> str | None:
    for name in ('x-openstack-request-id', 'x-compute-request-id'):
        if response.headers.get(name):
            return _error_message.one_line(response.headers[name])
    return None


def _invalid(
    response: 'requests.Response', message: str
) -> _errors.InvalidResponse:
    return _errors.InvalidResponse(
        message,
        http_status=response.status_code,
        request_id=_request_id(response),
    )


def http_error(
    status: int,
    message: str,
    request_id: str | None,
    retry_after: str | None,
) -> _errors.HTTPError:
    """Return the exception for an error response.

    :param message: the server's message
    :param retry_after: the header of that name
    """
    seconds = _retry.parse_retry_after(retry_after)
    if seconds is not None and seconds > _retry.MAX_DELAY:
        message = (
            f'{message.rstrip(".")}; the server asks to retry after '
            f'{seconds:.0f} seconds'
        )
    error = _errors.error_for_status(status)(
        message, http_status=status, request_id=request_id
    )
    error.retry_after = seconds
    return error
