# SPDX-License-Identifier: Apache-2.0

"""Decode malformed images as far as possible.

Each value that is dropped or converted is logged as a warning.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import json
import logging
from typing import Any
from typing import TypeVar

import msgspec

from osc_compute_images.api import _limits
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._image import ServerRef
from osc_compute_images.text import printable
from osc_compute_images.text import shortened

LOG = logging.getLogger('osc_compute_images')

_Item = TypeVar('_Item')

#: Converts the entries of a page to records.
Reader = Callable[[Sequence[Any]], list[_Item]]

# NOTE: slow; computed once.
_FIELDS = msgspec.structs.fields(Image)

#: The expected value of a field, by its type, for messages.
_EXPECTED = {
    str | None: 'a string',
    int | None: 'an integer',
    ServerRef | None: 'an object with a server ID',
    Mapping[str, Any]: 'an object',
}
_EXPECTED_ID = f'a string of 1 to {_limits.MAX_ID_LENGTH} characters'


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
    # Most images of a malformed page are well-formed.
    with contextlib.suppress(msgspec.ValidationError):
        return msgspec.convert(entry, Image, strict=False)
    fields: dict[str, Any] = {'id': ''}
    for field in _FIELDS:
        key = field.encode_name
        value = entry.get(key)
        if value is None and key != 'id':
            continue
        try:
            fields[field.name] = msgspec.convert(
                value, field.type, strict=False
            )
        except msgspec.ValidationError:
            name = (fields['id'] or 'without an ID', key)
            expected = _EXPECTED.get(field.type, _EXPECTED_ID)
            problems.add('Image %s: field %r', name, value, expected)
    return Image(**fields)


def _truncate(value: Any) -> str:
    """Return the beginning of a value, as JSON."""
    if isinstance(value, str):
        # NOTE: faster than to encode all of it.
        value = value[: _limits.MAX_VALUE_SHOWN]
    text = json.dumps(value, ensure_ascii=False)
    return shortened(text, _limits.MAX_VALUE_SHOWN)
