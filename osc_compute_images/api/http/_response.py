# SPDX-License-Identifier: Apache-2.0

"""Whether a response is a success, by RFC 9110. It does no I/O."""

from collections.abc import Mapping
import dataclasses

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _error_message
from osc_compute_images.api.http import _retry

#: Statuses of success. 206 would be incomplete, and 300 a choice.
_SUCCESSES = {
    'GET': (200, 203),
    'POST': (200, 201, 202, 203, 204),
    'PUT': (200, 201, 202, 203, 204),
    'DELETE': (200, 202, 203, 204, 205),
}

_REDIRECTS = (301, 302, 303, 307, 308)

_EMPTY_BODIES = (b'', b'{}', b'null')


@dataclasses.dataclass(frozen=True)
class Response:
    """A response to a request.

    :param url: of the request
    :param headers: with case-insensitive names
    """

    method: str
    url: str
    status: int
    reason: str | None
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str | None:
        """The server's ID of the request, or None."""
        for name in ('x-openstack-request-id', 'x-compute-request-id'):
            if self.headers.get(name):
                return _error_message.one_line(self.headers[name])
        return None

    @property
    def microversion(self) -> str | None:
        """The microversion of Compute that the server answered in, or None.

        A server without microversions ignores the one that it is asked for.
        """
        service, _, version = self.headers.get(
            'openstack-api-version', ''
        ).partition(' ')
        return version if service == 'compute' else None


def check(response: Response) -> None:
    """Check that a response is a success.

    :raises ImagesError: for any other response
    """
    status = response.status
    if status >= 400:
        raise http_error(
            status,
            _error_message.extract(
                status, response.headers, response.body, response.reason
            ),
            response.request_id,
            response.headers.get('retry-after'),
        )
    if status in _SUCCESSES[response.method]:
        if response.method != 'GET' and _is_foreign(response):
            raise _invalid(
                response,
                f'The response to {response.method} with status {status} is '
                f'not from the images API; the change may or may not have '
                f'been made',
            )
        return
    url = _error_message.one_line(response.url)
    if status in _REDIRECTS:
        target = response.headers.get('location') or 'an unknown URL'
        raise _invalid(
            response,
            f'{url} redirects to {_error_message.one_line(target)}, which is '
            f'not followed: correct the endpoint URL of Compute',
        )
    raise _invalid(response, f'Unexpected status of {response.method} {url}')


def _is_foreign(response: Response) -> bool:
    """Return whether the body cannot be from this API."""
    body = response.body.strip()
    if response.method == 'DELETE':
        # 202 (accepted) and 204 (no content) are unambiguous.
        return response.status not in (202, 204) and body not in _EMPTY_BODIES
    return not (body in _EMPTY_BODIES or body.startswith(b'{'))


def _invalid(response: Response, message: str) -> _errors.InvalidResponse:
    return _errors.InvalidResponse(
        message, http_status=response.status, request_id=response.request_id
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
