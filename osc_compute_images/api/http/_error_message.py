# SPDX-License-Identifier: Apache-2.0

"""Extract the message of an error response. It does no I/O."""

from collections.abc import Mapping
import html
import http
import json
import re
from typing import Any

from osc_compute_images.text import shortened
from osc_compute_images.text import without_credentials

# Maximum bytes of a JSON body to parse, characters of a text to search, and
# characters of the result.
_MAX_JSON = 64 * 1024
_MAX_TEXT = 4000
_MAX_MESSAGE = 500

# Maximum depth of the message in a JSON document.
_MAX_DEPTH = 4

# Keys of a message, in order of preference, and of objects that contain one.
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
_CONTAINER_KEYS = ('error', 'errors', 'error_message', 'fault')

_BREAK = re.compile(r'<br\s*/?>', re.IGNORECASE)
_TAG = re.compile(r'<[^<>]*>')
_INVISIBLE = re.compile(
    r'<(script|style|head)\b.*?(</\1\s*>|\Z)', re.IGNORECASE | re.DOTALL
)
_TITLE, _HEADING, _PARAGRAPH = (
    re.compile(
        rf'<{tag}\b[^<>]*>(.*?)(?=</{tag}|<{tag}\b|\Z)',
        re.IGNORECASE | re.DOTALL,
    )
    for tag in ('title', 'h1', 'p')
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
    text = body[:_MAX_JSON].decode('utf-8-sig', 'replace')
    try:
        document = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    else:
        message = _from_json(document, _MAX_DEPTH)
        return one_line(_BREAK.sub(' ', message))
    text = text[:_MAX_TEXT].strip()
    if text.startswith('<') or 'html' in content_type.lower():
        return _from_html(text)
    if text.startswith(('{', '[')):
        # Truncated JSON.
        return ''
    is_text = not content_type or content_type.lower().startswith('text/')
    return one_line(text) if is_text and text.count('\ufffd') < 3 else ''


def _from_json(document: Any, depth: int) -> str:
    """Return the message in a JSON document, or ''."""
    if isinstance(document, dict) and depth:
        for key in _MESSAGE_KEYS:
            message = document.get(key)
            if isinstance(message, str) and message.strip():
                return message
        inner = [document.get(key) for key in _CONTAINER_KEYS]
        # As in {"itemNotFound": {"message": ...}}.
        inner += [v for v in document.values() if isinstance(v, dict)][:8]
        for value in inner:
            for each in value[:1] if isinstance(value, list) else [value]:
                if isinstance(each, str) and each.strip():
                    return each
                if message := _from_json(each, depth - 1):
                    return message
    return ''


def _from_html(text: str) -> str:
    title, heading, paragraph = (
        _strip_tags(match[1]) if (match := pattern.search(text)) else ''
        for pattern in (_TITLE, _HEADING, _PARAGRAPH)
    )
    head = title or heading
    if head and paragraph and paragraph not in head:
        return one_line(f'{head}: {paragraph}')
    return head or paragraph or _strip_tags(_INVISIBLE.sub(' ', text))


def _strip_tags(text: str) -> str:
    return one_line(_TAG.sub(' ', text))
