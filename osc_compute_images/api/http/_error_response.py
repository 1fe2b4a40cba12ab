# SPDX-License-Identifier: Apache-2.0

"""The error for an error response: its type, message and delay."""

from collections.abc import Mapping
import html
import http.client
import itertools
import json
import re
from typing import Any
from typing import TYPE_CHECKING
import urllib.parse

import urllib3

from osc_compute_images.api import _errors
from osc_compute_images.text import shortened
from osc_compute_images.text import without_credentials

if TYPE_CHECKING:
    import requests

#: Maximum delay before a retry, seconds. If a server asks for a longer delay,
#: the request is not retried.
MAX_DELAY = 30.0

# Maximum bytes of a body to search, and characters of the result before and
# after characters are unescaped.
_MAX_BODY = 64 * 1024
_MAX_TEXT = 4000
_MAX_MESSAGE = 500

# Maximum depth of the message in a JSON document, and entries of an object
# that are searched for it.
_MAX_DEPTH = 4
_MAX_ENTRIES = 16

# Keys of a message, in order of preference.
_MESSAGE_KEYS = (
    'message',
    'faultstring',
    'error_msg',
    'error_description',
    'error_message',
    'detail',
    'msg',
    'description',
    'reason',
    'error',
    'title',
)

# The parts of a path that are templates in access rules.
_ID = re.compile('/(image|server|flavor)s/(?!detail$)[^/]+')
_KEY = re.compile('/metadata/[^/]+')

_BREAK = re.compile(r'<br\s*/?>', re.IGNORECASE)
_TAG = re.compile(r'<[^<>]*>')
# A title and a heading that repeats it, perhaps with a status.
_REPEATED = re.compile(r'(?:\d{3} )?(.{3,99}) ((?:\d{3} )?\1)\b')
_NOT_SHOWN = re.compile(
    r'<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)',
    re.IGNORECASE | re.DOTALL,
)


def error_of(
    response: 'requests.Response', ruled: str | None = None
) -> _errors.HTTPError:
    """Return the error for a response with a status of 400 or more.

    :param ruled: the method of a request that access rules may forbid. The
        middleware of Keystone answers it like one with an invalid token
    """
    status, headers = response.status_code, response.headers
    message = (
        _from_body(headers.get('Content-Type') or '', response.content)
        or one_line(response.reason or '')
        or http.client.responses.get(status)
        or 'The server gave no reason'
    )
    if ruled:
        path = _ID.sub(
            r'/\1s/{\1_id}', urllib.parse.urlsplit(response.url).path
        )
        message = (
            f'The access rules of the application credential may not allow '
            f'{ruled} {_KEY.sub("/metadata/{key}", path)}: {message}'
        )
    seconds = _retry_after(headers.get('Retry-After') or '')
    if seconds is not None and seconds > MAX_DELAY:
        message = (
            f'{message.rstrip(".")}; the server asks to retry after '
            f'{seconds:.0f} seconds'
        )
    other = _errors.ServerError if status >= 500 else _errors.HTTPError
    error = _errors.BY_STATUS.get(status, other)(
        message, http_status=status, request_id=request_id(headers)
    )
    error.retry_after = seconds
    return error


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the server's ID of a request, or None."""
    for name in ('x-openstack-request-id', 'x-compute-request-id'):
        if headers.get(name):
            return one_line(headers[name])
    return None


def _retry_after(text: str) -> float | None:
    """Return the seconds of a ``Retry-After`` header, or None."""
    try:
        if text.strip().isdecimal():
            # NOTE: infinite, where urllib3 fails: for hundreds of digits.
            return float(text)
        return float(urllib3.Retry().parse_retry_after(text))
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return None


def one_line(text: str) -> str:
    """Return a text as one line, truncated and without credentials."""
    # NOTE: truncate first, too: html.unescape() fails for very long numbers.
    line = ' '.join(html.unescape(text[:_MAX_TEXT]).split())
    return shortened(without_credentials(line), _MAX_MESSAGE)


def _from_body(content_type: str, body: bytes) -> str:
    """Return the message in a body, or ''.

    It may be in the JSON of Nova, of its authentication or of a gateway, or in
    the HTML or plain text of a proxy.
    """
    text = body[:_MAX_BODY].decode('utf-8-sig', 'replace').strip()
    kind = content_type.lower()
    try:
        document = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    else:
        return one_line(_BREAK.sub(' ', _from_json(document, _MAX_DEPTH)))
    if text.startswith('<') or 'html' in kind:
        line = one_line(_TAG.sub(' ', _NOT_SHOWN.sub(' ', text)))
        repeated = _REPEATED.match(line)
        return line[repeated.start(2) :] if repeated else line
    # Truncated JSON and binary data have no message.
    is_text = (not kind or kind.startswith('text/')) and text[:1] not in '{['
    return one_line(text) if is_text and text.count('\ufffd') < 3 else ''


def _from_json(document: Any, depth: int) -> str:
    """Return the message in a JSON document, or ''."""
    if not isinstance(document, dict) or not depth:
        return ''
    for key in _MESSAGE_KEYS:
        message = document.get(key)
        if isinstance(message, str) and message.strip():
            return message
    # As in {"itemNotFound": {"message": ...}} and {"errors": [...]}.
    for key, value in itertools.islice(document.items(), _MAX_ENTRIES):
        first = value[0] if isinstance(value, list) and value else value
        if key == 'errors' and isinstance(first, str):
            return first
        if message := _from_json(first, depth - 1):
            return message
    return ''
