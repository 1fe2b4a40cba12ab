# SPDX-License-Identifier: Apache-2.0

"""A tolerant JSON parser with limits.

Time is linear in the size of the body, and memory a small multiple of it.
"""

import json
import logging
import math
import re
from typing import Any
from typing import NoReturn

from osc_compute_images.api import _errors
from osc_compute_images.api import _limits

LOG = logging.getLogger('osc_compute_images')

# Strings, in which brackets do not count, and brackets. It is possessive
# (``++``), so that an unterminated string is scanned only once.
_TOKEN = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+|([\[{])|([\]}])', re.DOTALL
)

_SURROGATE_ESCAPE = re.compile(r'\\u[dD][89a-fA-F]')
_SURROGATE = re.compile('[\ud800-\udfff]')

#: Maximum digits of an integer in Python.
_MAX_DIGITS = 4300

_KINDS: dict[type, str] = {dict: 'an object', list: 'a list', str: 'a text'}


def load(body: bytes, key: str, kind: type) -> dict[str, Any]:
    """Parse a JSON object with a certain member; tolerate some deviations.

    NaN, infinite and very large numbers become strings, invalid Unicode
    becomes U+FFFD, and values that are nested too deeply become None.

    :param kind: the type of the member
    :raises InvalidResponse: if there is no such member, or the body is not
        JSON, or too large
    """
    check_size(body)
    text = _without_deep_values(body.decode('utf-8-sig', 'replace'))
    try:
        document = json.loads(
            text,
            parse_constant=str,
            parse_float=lambda s: s if math.isinf(float(s)) else float(s),
            parse_int=lambda s: int(s) if len(s) < _MAX_DIGITS else s,
            # Accept control characters in strings.
            strict=False,
        )
    except ValueError as e:
        raise_invalid(str(e) if text.strip() else 'it is empty')
    except RecursionError:
        # The call stack of the caller is deep itself.
        raise_invalid('it is nested too deeply')
    if _SURROGATE_ESCAPE.search(text):
        # NOTE: they cannot be encoded.
        text = json.dumps(document, ensure_ascii=False)
        document = json.loads(_SURROGATE.sub('\ufffd', text))
    if not isinstance(document, dict) or key not in document:
        raise_invalid(f'it has no {key!r}')
    if not isinstance(document[key], kind):
        raise_invalid(f'{key!r} is not {_KINDS[kind]}')
    return document


def check_size(body: bytes) -> None:
    """Refuse a body with too many JSON values, before it is parsed."""
    limit = _limits.MAX_VALUES
    if len(body) <= limit:
        # A value takes at least two bytes.
        return
    # NOTE: an upper bound: characters in strings are counted, too.
    containers = body.count(b'[') + body.count(b'{')
    extra = len(body) // _limits.BYTES_PER_CONTAINER
    if containers > _limits.MAX_CONTAINERS + extra:
        raise_invalid(
            f'it has {containers:,} lists and objects, too many for its size'
        )
    values = containers + body.count(b',')
    # A value may be a string, and have a key. Strings are also counted because
    # the depth of an invalid document is measured string by string.
    if values > limit or body.count(b'"') > 4 * limit:
        raise_invalid(f'it has more than {limit:,} values')


def raise_invalid(reason: str) -> NoReturn:
    """Raise the error for a body that is no response of this API."""
    raise _errors.InvalidResponse(
        f'The response is not from the images API: {reason}'
    )


def _without_deep_values(text: str) -> str:
    """Replace values that are nested too deeply by null.

    A user can nest a property as deeply as they like, and must not hide the
    images of others. SECURITY.rst promises this.
    """
    if text.count('[') + text.count('{') <= _limits.MAX_DEPTH:
        return text
    parts = []
    begin = depth = 0
    for token in _TOKEN.finditer(text):
        if token[1]:
            depth += 1
            if depth == _limits.MAX_DEPTH + 1:
                parts.append(text[begin : token.start()])
                begin = len(text)
        elif token[2]:
            if depth == _limits.MAX_DEPTH + 1:
                begin = token.end()
            depth -= 1
    if parts:
        LOG.warning(
            "Ignored values nested more than %d levels deep in the server's "
            'response',
            _limits.MAX_DEPTH,
        )
    return 'null'.join([*parts, text[begin:]])
