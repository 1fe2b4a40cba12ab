# SPDX-License-Identifier: Apache-2.0

"""Translate exceptions of other libraries to those of this API."""

import time
import types

from keystoneauth1 import exceptions as ksa_exceptions
import requests
import urllib3

from osc_compute_images.api import _errors
from osc_compute_images.api._alarms import TooSlowError
from osc_compute_images.api.http import _catalog
from osc_compute_images.api.http import _error_response
from osc_compute_images.api.http._error_response import one_line

#: Instead of a URL, for a login.
KEYSTONE = 'Keystone'

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

# What keystoneauth raises for a malformed token or catalog.
_MALFORMED = (
    ksa_exceptions.InvalidResponse,
    RecursionError,
    *_catalog.MALFORMED,
)


class Translated:
    """Translate the exceptions of the body of a ``with`` statement.

    It is no generator: from Python 3.13 on, the exception would keep the frame
    of the generator, and that, by the frames that called it, the exception.

    :param url: of the request, without credentials, or KEYSTONE
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(
        self,
        kind: object,
        e: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        if e is None:
            return
        error = _translate(e, self._url, self._began)
        try:
            if error is not None:
                raise error from e
        finally:
            # Its traceback would keep this frame, and that the error.
            del error


def _translate(
    e: BaseException, url: str, began: float
) -> _errors.ImagesError | None:
    """Return the error of this API for an exception of another library.

    :param began: when the request was sent
    :returns: None for an exception that is no error of a request
    """
    response = getattr(e, 'response', None)
    if isinstance(e, ksa_exceptions.HttpError) and response is not None:
        return _keystone_error(response)
    if isinstance(e, UnicodeEncodeError):
        # It has lone surrogates.
        return _errors.BadRequest(f'{e.object!r} cannot be encoded as UTF-8')
    if url == KEYSTONE and type(e) is Exception:
        # NOTE: keystoneauth raises it for a missing password.
        return _errors.ImagesError(f'The login failed: {one_line(str(e))}')
    if url == KEYSTONE and isinstance(e, _MALFORMED):
        return _malformed(e, 'token or catalog from Keystone')
    if isinstance(e, _TIMEOUTS):
        return _timed_out(e, url, round(time.monotonic() - began))
    if isinstance(e, _FAILURES):
        return _connection_failed(e, url)
    if isinstance(e, ValueError):
        # For example a redirect to an invalid URL: requests parses it, even
        # if redirects are not followed.
        return _malformed(e, f'response to the request to {url}')
    return None


def _keystone_error(response: requests.Response) -> _errors.ImagesError:
    """Return the error for an error response of Keystone.

    The adapter raises HttpError only for requests of its own.
    """
    error = _error_response.error_of(response)
    if error.http_status == 404:
        # NOTE: not a NotFound, which would mean a missing image.
        return _errors.InvalidResponse(
            f'Keystone did not issue a token: {error.message}; check '
            f'"auth_url"',
            **_errors.origin(error),
        )
    return error


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
    if isinstance(original, requests.exceptions.InvalidHeader):
        # NOTE: its message has the value of the header, perhaps the token.
        text = f'The request to {url} has an invalid header'
    elif not isinstance(e, ksa_exceptions.ClientException):
        text = f'The request to {url} failed: {text}'
    error = _errors.ConnectionFailed(one_line(text))
    is_permanent = isinstance(original, _PERMANENT)
    error.transient = isinstance(original, _TRANSIENT) and not is_permanent
    return error
