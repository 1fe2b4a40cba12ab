# SPDX-License-Identifier: Apache-2.0

"""JSON as servers send it: read with tolerance, and at a bounded cost.

Time is linear in the size of the body, and memory a small multiple of it.
"""

from collections.abc import Sequence
import json
import logging
import math
import re
from typing import Any
from typing import NoReturn

from osc_compute_images.api import _errors
from osc_compute_images.api import _limits

LOG = logging.getLogger('osc_compute_images')

# Tokens that nest, and strings, in which nothing does. It never goes back
# (``++``), so that a string without an end is read once.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+|[][{}]', re.DOTALL)

_SURROGATE_ESCAPE = re.compile(r'\\u[dD][89a-fA-F]')
_SURROGATE = re.compile('[\ud800-\udfff]')

#: Digits that Python converts to a number; it refuses more than 4,300.
_MAX_DIGITS = 4300


def load(body: bytes) -> Any:
    """Parse JSON, and what some servers take for it.

    Numbers that are none in JSON (NaN) or that Python does not convert become
    text, what is no Unicode U+FFFD, and what is nested too deep None.

    :raises InvalidResponse: if it is no JSON, or too much of it
    """
    check_size(body)
    text, is_cut = _shallow(body.decode('utf-8-sig', 'replace'))
    try:
        document = json.loads(
            text,
            parse_constant=str,
            parse_float=_float,
            parse_int=lambda s: int(s) if len(s) < _MAX_DIGITS else s,
            # Control characters in a text are no JSON, and do no harm.
            strict=False,
        )
    except ValueError as e:
        _refuse(str(e) if text.strip() else 'it is empty')
    except RecursionError:
        # The caller is in the depth itself.
        _refuse('it is nested too deep')
    if is_cut:
        LOG.warning(
            'What is nested more than %d deep in the answer of the server is '
            'left out',
            _limits.MAX_DEPTH,
        )
    if _SURROGATE_ESCAPE.search(text):
        document = _without_surrogates(document)
    return document


def load_or_none(body: bytes) -> Any:
    """Parse JSON, or return None for what is none."""
    try:
        return load(body)
    except _errors.InvalidResponse:
        return None


def member(document: Any, key: str, kind: type) -> Any:
    """Return one member of a JSON object, which must be of a JSON type.

    :param kind: dict or list
    :raises InvalidResponse: if the document is no such object
    """
    if not isinstance(document, dict) or key not in document:
        _refuse(f'it has no {key!r}')
    if not isinstance(document[key], kind):
        _refuse(f'{key!r} is not {"a list" if kind is list else "an object"}')
    return document[key]


def check_size(body: bytes) -> None:
    """Refuse a body of too many JSON values, before they take memory."""
    most = _limits.MAX_VALUES
    if len(body) <= most:
        # A value takes two bytes at least.
        return
    # NOTE: an upper bound, as those within strings are counted, too.
    values = sum(map(body.count, (b',', b'[', b'{')))
    # Each value is one string, or two with its key.
    if values > most or body.count(b'"') > 4 * most:
        _refuse(f'it has more than {most:,} values')


def check_entries(entries: Sequence[object]) -> None:
    """Refuse a page of too many entries."""
    if len(entries) > _limits.MAX_ENTRIES:
        _refuse(f'a page of it has more than {_limits.MAX_ENTRIES:,} entries')


def _refuse(reason: str) -> NoReturn:
    raise _errors.InvalidResponse(
        f'The answer of the server is not that of the images API: {reason}'
    )


def _float(text: str) -> float | str:
    number = float(text)
    return text if math.isinf(number) else number


def _shallow(text: str) -> tuple[str, bool]:
    """Put null in the place of what is nested deeper than can be handled.

    :returns: the text, and whether anything was left out
    """
    if text.count('[') + text.count('{') <= _limits.MAX_DEPTH:
        return text, False
    kept = []
    begin = depth = 0
    for token in _TOKEN.finditer(text):
        bracket = text[token.start()]
        if bracket in '[{':
            depth += 1
            if depth == _limits.MAX_DEPTH + 1:
                kept += [text[begin : token.start()], 'null']
        elif bracket in ']}':
            depth -= 1
            if depth == _limits.MAX_DEPTH:
                begin = token.end()
    if not kept:
        return text, False
    if depth <= _limits.MAX_DEPTH:
        kept.append(text[begin:])
    return ''.join(kept), True


def _without_surrogates(value: Any) -> Any:
    """Replace halves of surrogate pairs, which no encoding can write."""
    if isinstance(value, str):
        return _SURROGATE.sub('\ufffd', value)
    if isinstance(value, list):
        return [*map(_without_surrogates, value)]
    if isinstance(value, dict):
        return {
            _without_surrogates(k): _without_surrogates(v)
            for k, v in value.items()
        }
    return value
