# SPDX-License-Identifier: Apache-2.0

"""What a server says about an error, as one line. It does no I/O."""

from collections.abc import Mapping
import html
import http
import json
import re
from typing import Any

from osc_compute_images.text import without_credentials

# Bytes of a JSON body that are parsed, and characters of any text that are
# looked at, and that are told.
_PARSED = 64 * 1024
_LOOKED_AT = 4000
_TOLD = 500

# How deep the words may be in a document.
_DEEPEST = 4

# Keys whose values are words, the best first, and keys of what has such.
_WORDS = (
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
_NESTED = ('error', 'errors', 'error_message', 'fault')

_BREAK = re.compile(r'<br\s*/?>', re.IGNORECASE)
_TAG = re.compile(r'<[^<>]*>')
_NOT_SHOWN = re.compile(
    r'<(script|style|head)\b.*?(</\1\s*>|\Z)', re.IGNORECASE | re.DOTALL
)
_TITLE, _HEADING, _PARAGRAPH = (
    re.compile(
        rf'<{tag}\b[^<>]*>(.*?)(?=</{tag}|<{tag}\b|\Z)',
        re.IGNORECASE | re.DOTALL,
    )
    for tag in ('title', 'h1', 'p')
)


def message(
    status: int, headers: Mapping[str, str], body: bytes, reason: str | None
) -> str:
    """Find a server's own words in any of the forms that they have.

    JSON of Nova, of the authentication before it and of gateways; HTML and
    plain text of proxies; the reason phrase of the status.

    :param headers: with names in any case, as requests has them
    """
    return (
        _of_body(headers.get('Content-Type') or '', body)
        or one_line(reason or '')
        or _phrase(status)
        or 'The server gives no reason'
    )


def one_line(text: str) -> str:
    """Make one line, of bounded length and without credentials, of a text."""
    # NOTE: cut before, too: html refuses to read numbers that are too long.
    line = ' '.join(html.unescape(text[:_LOOKED_AT]).split())
    line = without_credentials(line)
    return line if len(line) <= _TOLD else line[:_TOLD] + '...'


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ''


def _of_body(content_type: str, body: bytes) -> str:
    text = body[:_PARSED].decode('utf-8-sig', 'replace')
    try:
        document = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    else:
        words = _of_document(document, _DEEPEST)
        return one_line(_BREAK.sub(' ', words))
    text = text[:_LOOKED_AT].strip()
    if text.startswith('<') or 'html' in content_type.lower():
        return _of_html(text)
    if text.startswith(('{', '[')):
        # A document that is cut off, or too long to be read.
        return ''
    is_text = not content_type or content_type.lower().startswith('text/')
    return one_line(text) if is_text and text.count('\ufffd') < 3 else ''


def _of_document(document: Any, depth: int) -> str:
    """Find the words in what JSON contains; return '' if there are none."""
    if isinstance(document, dict) and depth:
        for key in _WORDS:
            words = document.get(key)
            if isinstance(words, str) and words.strip():
                return words
        inner = [document.get(key) for key in _NESTED]
        # As in {"itemNotFound": {"message": ...}}.
        inner += [v for v in document.values() if isinstance(v, dict)][:8]
        for value in inner:
            for each in value[:1] if isinstance(value, list) else [value]:
                if isinstance(each, str) and each.strip():
                    return each
                if words := _of_document(each, depth - 1):
                    return words
    return ''


def _of_html(text: str) -> str:
    title, heading, paragraph = (
        _shown(found[1]) if (found := pattern.search(text)) else ''
        for pattern in (_TITLE, _HEADING, _PARAGRAPH)
    )
    head = title or heading
    if head and paragraph and paragraph not in head:
        return one_line(f'{head}: {paragraph}')
    return head or paragraph or _shown(_NOT_SHOWN.sub(' ', text))


def _shown(text: str) -> str:
    return one_line(_TAG.sub(' ', text))
