# SPDX-License-Identifier: Apache-2.0

"""Translate exceptions of other libraries to those of this API.

It does no I/O.
"""

from collections.abc import Mapping
import ssl
import traceback

from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import session as ksa_session
import requests
import urllib3

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _error_message
from osc_compute_images.api.http import _response
from osc_compute_images.api.http._body import TooSlowError
from osc_compute_images.api.http._fault import Kind
from osc_compute_images.api.http._fault import mark
from osc_compute_images.text import without_credentials

_TIMEOUTS = (
    TooSlowError,
    ksa_exceptions.ConnectTimeout,
    requests.Timeout,
    urllib3.exceptions.TimeoutError,
    TimeoutError,
)

# Not transient: certificates, headers, URLs.
_PERMANENT = (
    ksa_exceptions.SSLError,
    requests.exceptions.SSLError,
    urllib3.exceptions.SSLError,
    ssl.SSLError,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)

_CONNECTION = (
    ksa_exceptions.RetriableConnectionFailure,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    ConnectionError,
)

#: Exceptions that keystoneauth raises for a malformed token or catalog.
MALFORMED = (
    ksa_exceptions.InvalidResponse,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

_TRANSLATED = (
    *_TIMEOUTS,
    *_PERMANENT,
    *_CONNECTION,
    ksa_exceptions.ClientException,
    OSError,
    ValueError,
    MemoryError,
)


def is_translated(e: Exception) -> bool:
    """Return whether :func:`translate` takes an exception."""
    return isinstance(e, _TRANSLATED) or _is_about_token(e)


def translate(e: Exception, url: str, waited: float) -> _errors.ImagesError:
    """Return the error of this API for an exception of another library.

    :param url: of the request
    :param waited: seconds since the request was sent
    """
    url = without_credentials(url)
    if isinstance(e, ksa_exceptions.HttpError):
        return _keystone_error(e)
    if isinstance(e, UnicodeEncodeError):
        return encode_error(e)
    if _is_about_token(e):
        return malformed_token(e)
    if isinstance(e, _TIMEOUTS):
        return _timed_out(e, url, waited)
    if isinstance(e, MemoryError):
        return _errors.ConnectionFailed(
            f'The response to the request to {url} does not fit into memory'
        )
    failed = _connection_failed(e, url)
    if isinstance(_original(e), _PERMANENT):
        return failed
    if isinstance(_original(e), _CONNECTION):
        return mark(failed, Kind.CONNECTION)
    if isinstance(e, ValueError):
        # For example a redirect to an invalid URL: requests parses it, even
        # if redirects are not followed.
        return _errors.InvalidResponse(
            f'The response to the request to {url} is invalid: '
            f'{_error_message.one_line(str(e))}'
        )
    # For example a missing file of certificates.
    return failed


def _original(e: Exception) -> object:
    """Return the exception that keystoneauth has wrapped, or this one."""
    return getattr(e, 'original', e)


def _is_about_token(e: Exception) -> bool:
    """Return whether the adapter got something else than a token.

    It requests one before a request, and again if Compute rejects it.
    """
    return isinstance(e, MALFORMED) and any(
        frame.f_code.co_name == ksa_session.Session.get_auth_headers.__name__
        for frame, _line in traceback.walk_tb(e.__traceback__)
    )


def malformed_token(e: Exception) -> _errors.InvalidResponse:
    """Return the error for a malformed token or catalog."""
    return _errors.InvalidResponse(
        f'The token or catalog from Keystone is invalid: '
        f'{_error_message.one_line(f"{type(e).__name__}: {e}")}'
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
    return _response.make_http_error(
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
    return mark(error, Kind.TIMEOUT)


def _connection_failed(e: Exception, url: str) -> _errors.ConnectionFailed:
    text = str(e) or type(e).__name__
    if isinstance(_original(e), requests.exceptions.InvalidHeader):
        # NOTE: its message has the value of the header, perhaps the token.
        text = f'The request to {url} has an invalid header'
    elif not isinstance(e, ksa_exceptions.ClientException):
        text = f'The request to {url} failed: {text}'
    return _errors.ConnectionFailed(_error_message.one_line(text))


def encode_error(e: UnicodeEncodeError) -> _errors.BadRequest:
    """Return the error for a text with lone surrogates."""
    return _errors.BadRequest(f'{e.object!r} cannot be encoded as UTF-8')
