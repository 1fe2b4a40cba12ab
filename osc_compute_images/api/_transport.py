# SPDX-License-Identifier: Apache-2.0

"""The seam to HTTP: one request to Compute, its answer or its error.

Everything about the connection (authentication, TLS, proxies, the user's own
retries) is the adapter's. What is added here is what it cannot know: where
under the endpoint the images are, the microversion that still has them, and
how Nova words its errors.
"""

from collections.abc import Mapping
import contextlib
import datetime
import email.utils
import html
import re
import time
from typing import Any
import urllib.parse

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import exceptions as ksa_exceptions
import msgspec
import requests
import urllib3

from osc_compute_images.api import _deadline
from osc_compute_images.api import _decode
from osc_compute_images.api import _discovery
from osc_compute_images.api import _errors
from osc_compute_images.api import _repeat

#: Seconds to wait for a connection, and for the next bytes of an answer,
#: where the session has no timeout of its own.
TIMEOUT = (10.0, 60.0)

#: How many of the session's timeouts a whole answer may take.
TIMEOUTS = 10

#: Bytes; a thousand images with all the properties that Nova allows have less.
MAX_BODY = 128 * 1024 * 1024

#: How often a read is repeated after a passing fault, where the adapter has
#: no settings of its own for that.
RETRIES = 3

#: Seconds: the longest wait before a read is repeated, whatever the server
#: asks for.
MAX_DELAY = 30.0

_OK = 200
_UNAUTHORIZED = 401

#: Statuses that mean "not now", and nothing about the request.
_PASSING = (429, 502, 503, 504)

_BREAK = re.compile(r'<br\s*/?>')
_TITLE = re.compile(r'<title>([^<]+)', re.IGNORECASE)

# Characters of an error that are looked at, and that are told.
_LOOKED_AT = 4000
_TOLD = 500


class _PassingFault(Exception):
    """A fault that may be gone the next time: carries the error itself."""

    def __init__(
        self, error: _errors.ImagesError, retry_after: str | None = None
    ) -> None:
        super().__init__(error)
        self.error = error
        self.retry_after = retry_after


class Transport:
    """Sends requests to the Compute endpoint of an adapter.

    :param adapter: any keystoneauth1 adapter of the Compute service
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._adapter = adapter
        self._where: dict[str, Any] | None = None
        #: The last request, by method and path, and what sends it again.
        self._repeat: tuple[tuple[str, str], _repeat.Repeat | None] = (
            ('', ''),
            None,
        )

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> bytes:
        """Read, and read again after a passing fault; see :meth:`send`."""
        attempt = 0
        while True:
            try:
                return self._send(path, 'GET', params=params)
            except _PassingFault as fault:
                if attempt >= self._retries(fault):
                    raise fault.error from fault.error.__cause__
                delay = _delay(attempt, fault.retry_after)
            time.sleep(delay)
            attempt += 1

    def send(self, path: str, method: str, json: object = None) -> bytes:
        """Send a request once, as repeating it might do harm.

        :param path: path below the endpoint, percent-encoded
        :returns: the body of the answer, which had a status of success
        :raises ImagesError: for any other outcome
        """
        content: dict[str, Any] = {}
        try:
            if json is not None:
                content['data'] = msgspec.json.encode(json)
                content['headers'] = {'Content-Type': 'application/json'}
            return self._send(path, method, **content)
        except UnicodeEncodeError as e:
            raise _unsendable(e) from e
        except _PassingFault as fault:
            raise fault.error from fault.error.__cause__

    def server(self) -> str:
        """Return the host and port of the endpoint."""
        return urllib.parse.urlsplit(self._base()).netloc

    def served_versions(self) -> tuple[str, str] | None:
        """Ask for the lowest and the highest microversion of the service.

        :returns: as ``('2.1', '2.104')``, or None where it does not tell
        """
        try:
            base = self._base()
            versioned = _discovery.VERSIONED.match(base)
            document = self._version_document(
                versioned['base'] if versioned else base
            )
        except (_errors.ImagesError, _PassingFault):
            return None
        return _discovery.microversions(document)

    def _send(self, path: str, method: str, **kwargs: Any) -> bytes:
        if self._where is None:
            self._where = self._find_endpoint()
        sent = {k: v for k, v in kwargs.items() if v is not None}
        return self._request(path, method, **sent, **self._where)

    def _request(self, url: str, method: str, **kwargs: Any) -> bytes:
        with _translated(url):
            response = _deadline.within(
                self._longest(),
                lambda: self._response(url, method, **kwargs),
            )
        # 300 has a body to choose from: a version document may come so.
        if response.status_code <= 300:
            return response.content
        raise _fault(response)

    def _response(
        self, url: str, method: str, **kwargs: Any
    ) -> requests.Response:
        timeout = self._timeout() or TIMEOUT
        request, repeat = self._repeat
        if repeat is not None and request == (method, url):
            response = repeat.send(kwargs.get('params'), timeout)
            if response.status_code != _UNAUTHORIZED:
                return response
            # It takes keystoneauth to renew the token.
        # NOTE: no microversion is the same as 2.1 on every release, and
        # overrides the one that the user has chosen for other requests.
        # Redirects are not followed: the token would go along, to whatever
        # host they name. The body is read by a hook, for requests would read
        # it in very small pieces, and without a limit.
        response = self._adapter.request(
            url,
            method,
            headers={'Accept': 'application/json'} | kwargs.pop('headers', {}),
            microversion=None,
            raise_exc=False,
            redirect=False,
            stream=True,
            hooks={'response': _read},
            timeout=timeout,
            **kwargs,
        )
        repeat = None
        if (
            method == 'GET'
            and response.status_code == _OK
            and _repeat.may_repeat(self._adapter)
        ):
            session = self._adapter.session
            repeat = _repeat.Repeat(session, response.request)
        self._repeat = (method, url), repeat
        return response

    def _timeout(self) -> float | None:
        """Return the session's own timeout, in seconds, if it has one."""
        timeout: float | None = getattr(self._adapter.session, 'timeout', None)
        return timeout

    def _longest(self) -> float:
        """Return the seconds that a request may take as a whole."""
        timeout = self._timeout() or TIMEOUT[1]
        # keystoneauth repeats a request by itself if the user says so.
        tries = 1 + sum(
            getattr(self._adapter, name, None) or 0
            for name in ('connect_retries', 'status_code_retries')
        )
        return float(TIMEOUTS * tries * timeout)

    def _retries(self, fault: _PassingFault) -> int:
        if isinstance(fault.error, _errors.ConnectionFailed):
            configured = self._adapter.connect_retries
        else:
            configured = self._adapter.status_code_retries
        return RETRIES if configured is None else 0

    def _base(self) -> str:
        try:
            with _translated('the catalog'):
                url = self._adapter.get_endpoint(skip_discovery=True)
        except _PassingFault as fault:
            raise fault.error from fault.error.__cause__
        if not url:
            raise _errors.EndpointNotFound(
                'The catalog has no endpoint of the Compute service in this '
                'region and interface'
            )
        return url

    def _find_endpoint(self) -> dict[str, Any]:
        """Return what leads a request to the right place.

        A URL that names its version is used as it is: to ask the service for
        its versions would cost a request, and the way may be barred.
        """
        base = self._base()
        if not _discovery.VERSIONED.match(base):
            try:
                document = self._version_document(base)
            except (
                _errors.BadRequest,
                _errors.Forbidden,
                _errors.InvalidResponse,
                _errors.NotFound,
                _errors.ServerError,
            ):
                # There is no such document.
                document = None
            path = _discovery.path_of_version(document)
            base = '/'.join(filter(None, (base.rstrip('/'), path)))
        # The catalog need not be searched again for every request.
        return {'endpoint_override': self._literal(base)}

    def _version_document(self, base: str) -> Any:
        url = base.rstrip('/') + '/'
        try:
            body = self._request(url, 'GET', authenticated=False)
        except _errors.Unauthorized:
            body = self._request(url, 'GET')
        return _decode.load(body)

    def _literal(self, url: str) -> str:
        # keystoneauth fills in %(project_id)s, which only an override that
        # the user has configured can mean.
        return (
            url if self._adapter.endpoint_override else url.replace('%', '%%')
        )


@contextlib.contextmanager
def _translated(url: str) -> Any:
    """Turn the errors of the layers below into those of this API."""
    try:
        yield
    except ksa_exceptions.HttpError as e:
        # Only what the adapter does on its own raises this: it is Keystone,
        # or discovery, that refuses.
        raise _errors.error_for_status(e.http_status)(
            _one_line(str(e).partition(' (HTTP ')[0]),
            status=e.http_status,
            request_id=e.request_id,
        ) from e
    except (
        ksa_exceptions.EndpointNotFound,
        ksa_exceptions.EmptyCatalog,
        ksa_exceptions.MissingAuthPlugin,
    ) as e:
        raise _errors.EndpointNotFound(_one_line(str(e))) from e
    except UnicodeEncodeError as e:
        raise _unsendable(e) from e
    except _deadline.TooSlowError as e:
        raise _errors.ConnectionFailed(
            f'The request to {url} timed out: the answer comes too slowly'
        ) from e
    except (
        ksa_exceptions.ConnectTimeout,
        requests.Timeout,
        urllib3.exceptions.TimeoutError,
    ) as e:
        # The user has waited long enough: once is as good as four times.
        raise _connection_failed(url, e) from e
    except (
        ksa_exceptions.RetriableConnectionFailure,
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
    ) as e:
        raise _PassingFault(_connection_failed(url, e)) from e
    except ValueError as e:
        # Such as a redirect to what is no URL: requests reads where it leads
        # even if it is not followed.
        raise _errors.InvalidResponse(
            f'The answer to the request to {url} cannot be read: {e}'
        ) from e
    except ksa_exceptions.ClientException as e:
        raise _connection_failed(url, e) from e


def _connection_failed(url: str, e: Exception) -> _errors.ConnectionFailed:
    text = str(e) or type(e).__name__
    if not isinstance(e, ksa_exceptions.ClientException):
        text = f'The request to {url} failed: {text}'
    error = _errors.ConnectionFailed(_one_line(text))
    error.__cause__ = e
    return error


def _read(response: requests.Response, **_kwargs: Any) -> None:
    """Give a response its body."""
    try:
        if _is_bounded(response):
            body = response.raw.read()
        else:
            body = response.raw.read(MAX_BODY + 1, decode_content=True)
    finally:
        response.close()
    if len(body) > MAX_BODY:
        raise _errors.InvalidResponse(
            f'The answer of the server is larger than {MAX_BODY} bytes',
            status=response.status_code,
        )
    response._content = body


def _is_bounded(response: requests.Response) -> bool:
    """Tell whether the body has a known length that is not too large."""
    length = response.headers.get('Content-Length', '')
    return (
        length.isdecimal()
        # Longer numbers may be longer than Python reads.
        and len(length) < 20
        and int(length) <= MAX_BODY
        and 'Content-Encoding' not in response.headers
    )


def _fault(response: requests.Response) -> Exception:
    status = response.status_code
    request_id = response.headers.get(
        'x-openstack-request-id'
    ) or response.headers.get('x-compute-request-id')
    request_id = _one_line(request_id) if request_id else None
    if status < 400:
        target = response.headers.get('location', 'an unknown place')
        return _errors.InvalidResponse(
            f'{_one_line(response.url)} redirects to {_one_line(target)}; '
            f'the token is not sent there: the endpoint URL of Compute must '
            f'be the right one itself',
            status=status,
            request_id=request_id,
        )
    error = _errors.error_for_status(status)(
        _message(response), status=status, request_id=request_id
    )
    if status in _PASSING:
        return _PassingFault(error, response.headers.get('retry-after'))
    return error


def _message(response: requests.Response) -> str:
    """Find the server's own words in any of the forms that Nova has.

    ``{"itemNotFound": {"message": ...}}`` from Nova itself, ``{"error":
    {"message": ...}}`` from the authentication before it, and a flat
    ``{"message": ..., "title": ...}`` with HTML in it from its router.
    """
    document = _decode.load(response.content)
    if isinstance(document, dict):
        inner = next(
            (v for v in document.values() if isinstance(v, dict)), document
        )
        for key in ('message', 'title'):
            words = inner.get(key)
            if isinstance(words, str) and words.strip():
                return _one_line(_BREAK.sub(' ', words))
    page = response.content[:_LOOKED_AT].decode('utf-8', 'replace')
    title = _TITLE.search(page)
    return (
        _one_line(title[1] if title else '')
        or _one_line(response.reason or '')
        or 'The server gives no reason'
    )


def _one_line(text: str) -> str:
    """Make one line, of bounded length, of a server's words."""
    # NOTE: cut before, too: html refuses to read numbers that are too long.
    line = ' '.join(html.unescape(text[:_LOOKED_AT]).split())
    return line if len(line) <= _TOLD else line[:_TOLD] + '...'


def _delay(attempt: int, retry_after: str | None) -> float:
    """Return the seconds to wait before a read is repeated."""
    delay = 0.5 * 2.0**attempt
    if retry_after:
        with contextlib.suppress(ValueError, OverflowError):
            if retry_after.strip().isdecimal():
                delay = float(retry_after)
            else:
                when = email.utils.parsedate_to_datetime(retry_after)
                if when.tzinfo is None:
                    when = when.replace(tzinfo=datetime.UTC)
                now = datetime.datetime.now(datetime.UTC)
                delay = max(0.0, (when - now).total_seconds())
    return min(delay, MAX_DELAY)


def path_to(*segments: str) -> str:
    """Return a path below the endpoint, each segment percent-encoded.

    :raises BadRequest: if one is no text that can be sent
    """
    try:
        quoted = [urllib.parse.quote(s, safe='') for s in segments]
    except UnicodeEncodeError as e:
        raise _unsendable(e) from e
    return '/' + '/'.join(quoted)


def _unsendable(e: UnicodeEncodeError) -> _errors.BadRequest:
    return _errors.BadRequest(
        f'{e.object!r} is no text that can be sent: it is not valid UTF-8'
    )
