# SPDX-License-Identifier: Apache-2.0

"""Translate exceptions of other libraries to those of this API.

It does no I/O.
"""

from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import time
import traceback

from keystoneauth1 import exceptions as ksa_exceptions
import requests
import urllib3

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _error_message
from osc_compute_images.api.http import _response
from osc_compute_images.text import without_credentials


class TooSlowError(Exception):
    """The response was not complete in time.

    Not a TimeoutError, which urllib3 would take for one of the socket.
    """


_TIMEOUTS = (
    TooSlowError,
    ksa_exceptions.ConnectTimeout,
    requests.Timeout,
    urllib3.exceptions.TimeoutError,
    TimeoutError,
)

_CONNECTION = (
    ksa_exceptions.RetriableConnectionFailure,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    ConnectionError,
)

# Those of them that are not transient: certificates, headers and URLs.
_PERMANENT = (
    requests.exceptions.SSLError,
    urllib3.exceptions.SSLError,
    ValueError,
)

# What keystoneauth raises for a malformed token or catalog, and its methods
# that do: a request needs a token before it is sent, and again if Compute
# rejects it.
_MALFORMED = (
    ksa_exceptions.InvalidResponse,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_LOGINS = ('get_access', 'get_auth_headers', 'get_endpoint', 'get_project_id')


@contextlib.contextmanager
def translated(url: str, *, is_retried: bool = False) -> Iterator[None]:
    """Translate the exceptions of the body of a ``with`` statement.

    :param url: of the request
    :param is_retried: it has been retried
    """
    began = time.monotonic()
    try:
        yield
    except Exception as e:
        error = translate(e, url, time.monotonic() - began)
        if error is None:
            raise
        error.transient = error.transient and not is_retried
        try:
            raise error from e
        finally:
            # Its traceback would keep this frame, and that the error.
            del error


def translate(
    e: Exception, url: str, waited: float
) -> _errors.ImagesError | None:
    """Return the error of this API for an exception of another library.

    :param url: of the request
    :param waited: seconds since the request was sent
    :returns: None for an exception that is no error of a request
    """
    url = without_credentials(url)
    if isinstance(e, ksa_exceptions.HttpError):
        return _keystone_error(e)
    if isinstance(e, UnicodeEncodeError):
        return encode_error(e)
    if isinstance(e, _MALFORMED) and _is_about_login(e):
        return _errors.InvalidResponse(
            f'The token or catalog from Keystone is invalid: '
            f'{_error_message.one_line(f"{type(e).__name__}: {e}")}'
        )
    if type(e) is Exception and _is_about_login(e):
        # NOTE: keystoneauth raises it for a missing password.
        reason = _error_message.one_line(str(e))
        return _errors.ImagesError(f'The login failed: {reason}')
    if isinstance(e, _TIMEOUTS):
        return _timed_out(e, url, waited)
    if isinstance(e, MemoryError):
        return _errors.ConnectionFailed(
            f'The response to the request to {url} does not fit into memory'
        )
    if isinstance(e, (*_CONNECTION, ksa_exceptions.ClientException, OSError)):
        return _connection_failed(e, url)
    if isinstance(e, ValueError):
        # For example a redirect to an invalid URL: requests parses it, even
        # if redirects are not followed.
        return _errors.InvalidResponse(
            f'The response to the request to {url} is invalid: '
            f'{_error_message.one_line(str(e))}'
        )
    return None


def _is_about_login(e: Exception) -> bool:
    return any(
        frame.f_code.co_name in _LOGINS
        for frame, _line in traceback.walk_tb(e.__traceback__)
    )


def _keystone_error(e: ksa_exceptions.HttpError) -> _errors.ImagesError:
    """Return the error for an error response of Keystone.

    The adapter raises HttpError only for requests of its own.
    """
    response = e.response
    headers: Mapping[str, str] = {}
    message = _error_message.one_line(str(e).partition(' (HTTP ')[0])
    if isinstance(response, requests.Response):
        headers = response.headers
        message = _error_message.extract(
            e.http_status, headers, response.content, response.reason
        )
    if e.http_status == 404:
        # NOTE: not a NotFound, which would mean a missing image.
        return _errors.InvalidResponse(
            f'Keystone did not issue a token: {message}; check "auth_url"',
            http_status=e.http_status,
            request_id=e.request_id,
        )
    return _response.http_error(
        e.http_status, message, e.request_id, headers.get('Retry-After')
    )


def _timed_out(
    e: Exception, url: str, waited: float
) -> _errors.RequestTimedOut:
    problem = (
        'the response was incomplete'
        if isinstance(e, TooSlowError)
        else 'no response'
    )
    seconds = round(waited)
    error = _errors.RequestTimedOut(
        f'The request to {url} timed out: {problem} after {seconds} '
        f'second{"" if seconds == 1 else "s"}; to wait longer, set '
        f'"api_timeout" (the timeout of the session)'
    )
    error.transient = True
    return error


def _connection_failed(e: Exception, url: str) -> _errors.ConnectionFailed:
    # keystoneauth wraps exceptions.
    original = getattr(e, 'original', e)
    text = str(e) or type(e).__name__
    if isinstance(original, requests.exceptions.InvalidHeader):
        # NOTE: its message has the value of the header, perhaps the token.
        text = f'The request to {url} has an invalid header'
    elif not isinstance(e, ksa_exceptions.ClientException):
        text = f'The request to {url} failed: {text}'
    error = _errors.ConnectionFailed(_error_message.one_line(text))
    # Others are, for example, a missing file of certificates.
    error.transient = isinstance(original, _CONNECTION) and not isinstance(
        original, _PERMANENT
    )
    return error


def encode_error(e: UnicodeEncodeError) -> _errors.BadRequest:
    """Return the error for a text with lone surrogates."""
    return _errors.BadRequest(f'{e.object!r} cannot be encoded as UTF-8')
