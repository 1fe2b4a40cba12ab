# SPDX-License-Identifier: Apache-2.0

"""Extract the message of an error response. It does no I/O."""

from collections.abc import Mapping
import html
import http
import itertools
import json
import re
from typing import Any

from osc_compute_images.text import shortened
from osc_compute_images.text import without_credentials

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

_BREAK = re.compile(r'<br\s*/?>', re.IGNORECASE)
_TAG = re.compile(r'<[^<>]*>')
_TITLE = re.compile(
    r'<title\b[^<>]*>(.*?)(?:</title|<title|\Z)', re.IGNORECASE | re.DOTALL
)
_NOT_SHOWN = re.compile(
    r'<!--.*?(?:-->|\Z)|<(script|style|title)\b.*?(?:</\1\s*>|\Z)',
    re.IGNORECASE | re.DOTALL,
)


def extract(
    status: int, headers: Mapping[str, str], body: bytes, reason: str | None
) -> str:
    """Return the message of an error response, as one line.

    It may be in the JSON of Nova, of its authentication or of a gateway, in
    the HTML or plain text of a proxy, or only in the reason phrase.

    :param headers: with case-insensitive names
    """
    return (
        _from_body(headers.get('Content-Type') or '', body)
        or one_line(reason or '')
        or _phrase(status)
        or 'The server gave no reason'
    )


def one_line(text: str) -> str:
    """Return a text as one line, truncated and without credentials."""
    # NOTE: truncate first, too: html.unescape() fails for very long numbers.
    line = ' '.join(html.unescape(text[:_MAX_TEXT]).split())
    return shortened(without_credentials(line), _MAX_MESSAGE)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ''


def _from_body(content_type: str, body: bytes) -> str:
    text = body[:_MAX_BODY].decode('utf-8-sig', 'replace').strip()
    kind = content_type.lower()
    try:
        document = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    else:
        return one_line(_BREAK.sub(' ', _from_json(document, _MAX_DEPTH)))
    if text.startswith('<') or 'html' in kind:
        return _from_html(text)
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


def _from_html(text: str) -> str:
    """Return the text of a page, and its title unless that is repeated."""
    match = _TITLE.search(text)
    title = _without_tags(match[1]) if match else ''
    body = _without_tags(_NOT_SHOWN.sub(' ', text))
    # The status in a title is known.
    if title.lstrip('0123456789 ') in body:
        return body or title
    return one_line(f'{title}: {body}') if body else title


def _without_tags(text: str) -> str:
    return one_line(_TAG.sub(' ', text))
