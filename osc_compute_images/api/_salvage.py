# SPDX-License-Identifier: Apache-2.0

"""Images of an answer that is not as expected: what can be read of them.

Each value that is lost, or is not what it was, is logged as a warning.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import json
import logging
import re
from typing import Any
from typing import TypeVar

import msgspec

from osc_compute_images.api import _limits
from osc_compute_images.api._image import Image
from osc_compute_images.api._image import ServerRef
from osc_compute_images.text import printable
from osc_compute_images.text import shortened

LOG = logging.getLogger('osc_compute_images')

_Item = TypeVar('_Item')

#: Makes records of the entries of a page.
Reader = Callable[[Sequence[Any]], list[_Item]]

#: What a field must be, in words.
_EXPECTED = {
    str: 'a text',
    int: 'a whole number',
    ServerRef: 'an object with the ID of a server',
}

# NOTE: it takes longer to find them out than to read an image.
_FIELDS = msgspec.structs.fields(Image)

_WHOLE_NUMBER = re.compile('-?[0-9]+')


def images(entries: Sequence[Any]) -> list[Image]:
    """Read images, and log what is odd about them."""
    oddities = _Oddities()
    found = []
    for number, entry in enumerate(entries):
        if isinstance(entry, dict):
            found.append(_image(entry, oddities))
        else:
            oddities.add('Entry %d of the page', number, entry, 'an image')
    oddities.log_rest()
    return found


def links(document: Any) -> Iterator[tuple[str, str]]:
    """Yield the links of a page, as relation and URL."""
    for link in document if isinstance(document, list) else ():
        if isinstance(link, dict):
            rel, href = link.get('rel'), link.get('href')
            if isinstance(rel, str) and isinstance(href, str):
                yield rel, href


class _Oddities:
    """Logs the first few, and counts the others."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, where: str, name: Any, value: Any, expected: str) -> None:
        """Log one, of which ``where % name`` tells the place."""
        self._count += 1
        if self._count <= _limits.MAX_WARNINGS:
            oddity = f'{where % name} is {_shown(value)}, not {expected}'
            LOG.warning('%s', printable(oddity))

    def log_rest(self) -> None:
        rest = self._count - _limits.MAX_WARNINGS
        if rest > 0:
            LOG.warning('... and %d more of this kind', rest)


def _image(entry: dict[str, Any], oddities: _Oddities) -> Image:
    image_id = _id(entry.get('id'))

    def odd(key: str, expected: str) -> None:
        name = (image_id or 'without an ID', key)
        oddities.add('Image %s: field %r', name, entry.get(key), expected)

    if not image_id:
        odd('id', f'a text of 1 to {_limits.MAX_ID_LENGTH} characters')
    fields: dict[str, Any] = {'id': image_id or ''}
    for field in _FIELDS:
        key = field.encode_name
        value = entry.get(key)
        # Absent or null is None in a record, or empty for the properties.
        if value is None or field.name == 'id':
            continue
        if field.name == 'metadata':
            if isinstance(value, dict):
                fields['metadata'] = value
            else:
                odd(key, 'an object')
            continue
        kind = _kind(field.type)
        converted, is_same = _CONVERT[kind](value)
        if not is_same:
            odd(key, _EXPECTED[kind])
        fields[field.name] = converted
    return Image(**fields)


def _kind(annotation: Any) -> Any:
    """Return the type of a field that may be None."""
    return annotation.__args__[0]


# Each returns the value of a field, and whether it is what the server sent.


def _to_text(value: Any) -> tuple[str | None, bool]:
    if isinstance(value, str):
        return value, True
    # A number says the same as a text.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(value), is_number


def _to_number(value: Any) -> tuple[int | None, bool]:
    if isinstance(value, bool):
        return int(value), False
    if isinstance(value, str) and not _WHOLE_NUMBER.fullmatch(value):
        return None, False
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None, False
    return number, isinstance(value, str) or number == value


def _to_server(value: Any) -> tuple[ServerRef | None, bool]:
    server_id = _id(value.get('id')) if isinstance(value, dict) else None
    return (ServerRef(server_id), True) if server_id else (None, False)


_CONVERT: dict[Any, Callable[[Any], tuple[Any, bool]]] = {
    str: _to_text,
    int: _to_number,
    ServerRef: _to_server,
}


def _id(value: Any) -> str | None:
    """Return an ID, which may be a number, or None for what cannot be one."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    text = str(value)
    return text if 0 < len(text) <= _limits.MAX_ID_LENGTH else None


def _shown(value: Any) -> str:
    """Return the beginning of a value, as JSON."""
    if isinstance(value, str):
        # What is not shown need not be escaped.
        value = value[: _limits.MAX_VALUE_SHOWN]
    text = json.dumps(value, ensure_ascii=False)
    return shortened(text, _limits.MAX_VALUE_SHOWN)
