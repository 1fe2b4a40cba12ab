# SPDX-License-Identifier: Apache-2.0

"""Decode malformed images as far as possible.

Each value that is dropped or converted is logged as a warning.
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

#: Converts the entries of a page to records.
Reader = Callable[[Sequence[Any]], list[_Item]]

#: The expected type of a field, for messages.
_EXPECTED = {
    str: 'a string',
    int: 'an integer',
    ServerRef: 'an object with a server ID',
}

# NOTE: slow; computed once.
_FIELDS = msgspec.structs.fields(Image)

_INTEGER = re.compile('-?[0-9]+')


def images(entries: Sequence[Any]) -> list[Image]:
    """Decode images, and log invalid values."""
    problems = _Problems()
    decoded = []
    for number, entry in enumerate(entries):
        if isinstance(entry, dict):
            decoded.append(_image(entry, problems))
        else:
            problems.add('Entry %d of the page', number, entry, 'an image')
    problems.log_rest()
    return decoded


def links(document: Any) -> Iterator[tuple[str, str]]:
    """Yield the links of a page, as relation and URL."""
    for link in document if isinstance(document, list) else ():
        if isinstance(link, dict):
            rel, href = link.get('rel'), link.get('href')
            if isinstance(rel, str) and isinstance(href, str):
                yield rel, href


class _Problems:
    """Logs the first few invalid values, and counts the others."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, where: str, name: Any, value: Any, expected: str) -> None:
        """Log an invalid value at ``where % name``."""
        self._count += 1
        if self._count <= _limits.MAX_WARNINGS:
            problem = f'{where % name} is {_truncate(value)}, not {expected}'
            LOG.warning('%s', printable(problem))

    def log_rest(self) -> None:
        rest = self._count - _limits.MAX_WARNINGS
        if rest > 0:
            LOG.warning('... and %d more', rest)


def _image(entry: dict[str, Any], problems: _Problems) -> Image:
    image_id = _id(entry.get('id'))

    def report(key: str, expected: str) -> None:
        name = (image_id or 'without an ID', key)
        problems.add('Image %s: field %r', name, entry.get(key), expected)

    if not image_id:
        report('id', f'a string of 1 to {_limits.MAX_ID_LENGTH} characters')
    fields: dict[str, Any] = {'id': image_id or ''}
    for field in _FIELDS:
        key = field.encode_name
        value = entry.get(key)
        # Missing or null: None, or {} for the properties.
        if value is None or field.name == 'id':
            continue
        if field.name == 'metadata':
            if isinstance(value, dict):
                fields['metadata'] = value
            else:
                report(key, 'an object')
            continue
        kind = _kind(field.type)
        converted, is_same = _CONVERT[kind](value)
        if not is_same:
            report(key, _EXPECTED[kind])
        fields[field.name] = converted
    return Image(**fields)


def _kind(annotation: Any) -> Any:
    """Return the type of an optional field."""
    return annotation.__args__[0]


# Each returns the converted value, and whether it is equivalent.


def _to_text(value: Any) -> tuple[str | None, bool]:
    if isinstance(value, str):
        return value, True
    # A number is equivalent to its text.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(value), is_number


def _to_number(value: Any) -> tuple[int | None, bool]:
    if isinstance(value, bool):
        return int(value), False
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
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
    """Return an ID, which may be a number, or None if it is invalid."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    text = str(value)
    return text if 0 < len(text) <= _limits.MAX_ID_LENGTH else None


def _truncate(value: Any) -> str:
    """Return the beginning of a value, as JSON."""
    if isinstance(value, str):
        # NOTE: faster than to encode all of it.
        value = value[: _limits.MAX_VALUE_SHOWN]
    text = json.dumps(value, ensure_ascii=False)
    return shortened(text, _limits.MAX_VALUE_SHOWN)
