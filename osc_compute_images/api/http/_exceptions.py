# SPDX-License-Identifier: Apache-2.0

"""Translate exceptions of other libraries to those of this API."""

import time

from keystoneauth1 import exceptions as ksa_exceptions
import requests
import urllib3

from osc_compute_images.api import _errors
from osc_compute_images.api._alarms import TooSlowError
from osc_compute_images.api.http import _catalog
from osc_compute_images.api.http import _error_response
from osc_compute_images.api.http._error_response import one_line

_TIMEOUTS = (
    TooSlowError,
    ksa_exceptions.ConnectTimeout,
    requests.Timeout,
    urllib3.exceptions.TimeoutError,
    TimeoutError,
)

_TRANSIENT = (
    ksa_exceptions.RetriableConnectionFailure,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    ConnectionError,
)

# Those of them that are not: about certificates, headers and URLs.
_PERMANENT = (
    requests.exceptions.SSLError,
    urllib3.exceptions.SSLError,
    ValueError,
)

# An OSError is that of requests, or a missing file of certificates.
_FAILURES = (
    ksa_exceptions.ClientException,
    urllib3.exceptions.HTTPError,
    OSError,
    MemoryError,
)

#: The exceptions of requests.
OF_REQUEST = (TooSlowError, ValueError, *_FAILURES)

# What keystoneauth raises for a malformed token or catalog.
_MALFORMED = (
    ksa_exceptions.InvalidResponse,
    RecursionError,
    *_catalog.MALFORMED,
)


def of_login(e: Exception, began: float) -> _errors.ImagesError:
    """Return the error for an exception of a login, or of the catalog.

    :param began: a time of ``time.monotonic()``
    :raises Exception: the exception itself, if it is none of a login
    """
    cause = e.__context__
    if isinstance(e, ksa_exceptions.DiscoveryFailure) and isinstance(
        cause, ksa_exceptions.ClientException
    ):
        # NOTE: it hides why the request for the versions of Keystone failed.
        e = cause
    if type(e) is Exception or isinstance(e, UnicodeEncodeError):
        # NOTE: keystoneauth raises Exception for a missing password. What
        # cannot be encoded may be one.
        return _login_failed(e)
    if isinstance(e, _MALFORMED):
        return _malformed(e, 'token or catalog from Keystone')
    if isinstance(e, OF_REQUEST):
        return of_request(e, 'Keystone', began)
    raise e


def of_request(e: Exception, url: str, began: float) -> _errors.ImagesError:
    """Return the error for an exception of a request.

    :param e: one of :data:`OF_REQUEST`
    :param url: of the request, without credentials
    :param began: when it was sent, a time of ``time.monotonic()``
    """
    if isinstance(e, ksa_exceptions.HttpError) and e.response is not None:
        return _keystone_error(e.response)
    if isinstance(e, UnicodeEncodeError):
        # It has lone surrogates.
        return _errors.BadRequest(f'{e.object!r} cannot be encoded as UTF-8')
    if isinstance(e, _TIMEOUTS):
        return _timed_out(e, url, round(time.monotonic() - began))
    if isinstance(e, ValueError) and not isinstance(e, _FAILURES):
        # For example a redirect to an invalid URL: requests parses it, even
        # if redirects are not followed.
        return _malformed(e, f'response to the request to {url}')
    if isinstance(e, ksa_exceptions.ClientException) and not isinstance(
        e, ksa_exceptions.ConnectionError
    ):
        # For example without a token, or with one that needs more factors.
        return _login_failed(e)
    return _connection_failed(e, url)


def _keystone_error(response: requests.Response) -> _errors.ImagesError:
    """Return the error for an error response of Keystone.

    The adapter raises HttpError only for requests of its own.
    """
    error = _error_response.error_of(response)
    if error.http_status == 404:
        # NOTE: not a NotFound, which would mean a missing image. Keystone does
        # not find a token that has expired, either.
        return _errors.InvalidResponse(
            f'Keystone did not issue a token: {error.message}; check '
            f'"auth_url", or the token that was given',
            **_errors.origin(error),
        )
    return error


def _login_failed(e: Exception) -> _errors.ImagesError:
    return _errors.ImagesError(f'The login failed: {one_line(str(e))}')


def _malformed(e: Exception, what: str) -> _errors.InvalidResponse:
    reason = one_line(f'{type(e).__name__}: {e}')
    return _errors.InvalidResponse(f'The {what} is invalid: {reason}')


def _timed_out(
    e: Exception, url: str, seconds: int
) -> _errors.RequestTimedOut:
    is_incomplete = isinstance(e, TooSlowError)
    problem = 'the response was incomplete' if is_incomplete else 'no response'
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
    cause = original.__context__
    if isinstance(
        original, requests.exceptions.InvalidHeader
    ) and not isinstance(cause, urllib3.exceptions.InvalidHeader):
        # NOTE: its message has the value of the header, perhaps the token.
        text = f'The request to {url} has an invalid header'
    elif not isinstance(e, ksa_exceptions.ClientException):
        text = f'The request to {url} failed: {text}'
    error = _errors.ConnectionFailed(one_line(text))
    is_permanent = isinstance(original, _PERMANENT)
    error.transient = isinstance(original, _TRANSIENT) and not is_permanent
    return error
