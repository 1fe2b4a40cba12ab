# SPDX-License-Identifier: Apache-2.0

"""The keys that images are grouped by."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping

from osc_compute_images.api.records._image import Image
from osc_compute_images.text import property_text


def type_of(image: Image) -> str:
    """Return the type of an image, as :func:`filters.image_type` takes it."""
    if 'image_type' in image.metadata:
        return property_text(image.metadata['image_type'])
    return 'volume' if image.is_volume_backed else 'base'


#: The values of the keys of groups, other than ``property:KEY``.
KEYS: Mapping[str, Callable[[Image], str | None]] = {
    'name': lambda image: image.name,
    'server': lambda image: image.server_id,
    'type': type_of,
    'status': lambda image: image.state,
}

_PROPERTY = 'property:'

#: The values that identify a group, one for each key; None without a value.
Group = tuple[str | None, ...]


def keys_of(group_by: Iterable[str]) -> list[str]:
    """Return the keys of groups; a text alone is one key."""
    return [group_by] if isinstance(group_by, str) else [*group_by]


def group_of(keys: Iterable[str]) -> Callable[[Image], Group]:
    """Return a function that returns the group of an image.

    :param keys: any of :data:`KEYS`, or ``property:`` and a property's key
    :raises ValueError: for another key
    """
    readers = [_reader(key) for key in keys]
    return lambda image: tuple(read(image) for read in readers)


def _reader(key: str) -> Callable[[Image], str | None]:
    if key in KEYS:
        return KEYS[key]
    name = key.removeprefix(_PROPERTY)
    if not key.startswith(_PROPERTY) or not name:
        raise ValueError(
            f'Cannot group images by {key!r}; choose from {", ".join(KEYS)} '
            f'and {_PROPERTY}<key>'
        )

    def read(image: Image) -> str | None:
        value = image.metadata.get(name)
        return None if value is None else property_text(value)

    return read
