# SPDX-License-Identifier: Apache-2.0

"""From the exceptions of the libraries below to those of this API.

It does no I/O.
"""

from collections.abc import Mapping
import ssl

from keystoneauth1 import exceptions as ksa_exceptions
import requests
import urllib3

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _answer
from osc_compute_images.api.http import _words
from osc_compute_images.api.http._body import TooSlowError
from osc_compute_images.api.http._fault import Kind
from osc_compute_images.api.http._fault import marked
from osc_compute_images.text import without_credentials

_TIMEOUTS = (
    TooSlowError,
    ksa_exceptions.ConnectTimeout,
    requests.Timeout,
    urllib3.exceptions.TimeoutError,
    TimeoutError,
)

# What is the same the next time: certificates, headers, URLs.
_LASTING = (
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

#: All that :func:`error_of` can describe.
FOREIGN = (
    *_TIMEOUTS,
    *_LASTING,
    *_CONNECTION,
    ksa_exceptions.ClientException,
    OSError,
    ValueError,
    MemoryError,
)


def error_of(e: Exception, url: str, waited: float) -> _errors.ImagesError:
    """Describe what a library below raises in the course of a request.

    :param url: that the request is sent to
    :param waited: seconds since it was sent
    """
    url = without_credentials(url)
    if isinstance(e, ksa_exceptions.HttpError):
        return _refused_by_keystone(e)
    if isinstance(e, UnicodeEncodeError):
        return unsendable(e)
    if isinstance(e, _TIMEOUTS):
        return _timed_out(e, url, waited)
    if isinstance(e, MemoryError):
        return _errors.ConnectionFailed(
            f'The answer to the request to {url} does not fit into memory'
        )
    failed = _connection_failed(e, url)
    original = getattr(e, 'original', e)
    if isinstance(original, _LASTING):
        return failed
    if isinstance(original, _CONNECTION):
        return marked(failed, Kind.CONNECTION)
    if isinstance(e, ValueError):
        # Such as a redirect to what is no URL: requests reads where it leads
        # even if it is not followed.
        return _errors.InvalidResponse(
            f'The answer to the request to {url} cannot be read: '
            f'{_words.one_line(str(e))}'
        )
    # Such as a file of certificates that is not there.
    return failed


def _refused_by_keystone(e: ksa_exceptions.HttpError) -> _errors.ImagesError:
    """Describe the refusal of a token.

    The adapter raises it only for requests of its own.
    """
    response = e.response
    headers: Mapping[str, str] = {}
    words = _words.one_line(str(e).partition(' (HTTP ')[0])
    if isinstance(response, requests.Response):
        headers = response.headers
        words = _words.message(
            e.http_status, headers, response.content, response.reason
        )
    if e.http_status == 404:
        # Or it would be taken for an image that is not there.
        return _errors.InvalidResponse(
            f'Keystone gives no token: {words}; check "auth_url"',
            http_status=e.http_status,
            request_id=e.request_id,
        )
    return _answer.refused(
        e.http_status, words, e.request_id, headers.get('Retry-After')
    )


def _timed_out(
    e: Exception, url: str, waited: float
) -> _errors.RequestTimedOut:
    what = (
        'the answer comes too slowly'
        if isinstance(e, TooSlowError)
        else 'no answer'
    )
    error = _errors.RequestTimedOut(
        f'The request to {url} timed out: {what} for {waited:.0f} seconds; '
        f'the setting "api_timeout" (the timeout of the session) changes that'
    )
    return marked(error, Kind.TIMEOUT)


def _connection_failed(e: Exception, url: str) -> _errors.ConnectionFailed:
    text = str(e) or type(e).__name__
    if not isinstance(e, ksa_exceptions.ClientException):
        text = f'The request to {url} failed: {text}'
    return _errors.ConnectionFailed(_words.one_line(text))


def unsendable(e: UnicodeEncodeError) -> _errors.BadRequest:
    """Describe a text that is no UTF-8."""
    return _errors.BadRequest(
        f'{e.object!r} is no text that can be sent: it is not valid UTF-8'
    )
