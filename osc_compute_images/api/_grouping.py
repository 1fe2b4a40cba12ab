# SPDX-License-Identifier: Apache-2.0

"""The keys that images are grouped by."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping

from osc_compute_images.api._image import Image
from osc_compute_images.text import property_text


def type_of(image: Image) -> str:
    """Return how an image came to be, as :func:`filters.image_type` has it."""
    if 'image_type' in image.metadata:
        return property_text(image.metadata['image_type'])
    return 'volume' if image.is_volume_backed else 'base'


#: What the keys of a group mean, but for ``property:KEY``.
KEYS: Mapping[str, Callable[[Image], str | None]] = {
    'name': lambda image: image.name,
    'server': lambda image: image.server_id,
    'type': type_of,
    'status': lambda image: image.status,
}

_PROPERTY = 'property:'

#: The values of its keys that the images of a group share; None where an
#: image has none.
Group = tuple[str | None, ...]


def group_of(keys: Iterable[str]) -> Callable[[Image], Group]:
    """Return what tells the group of an image.

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
            f'{key!r} is no key to group images by; choose from '
            f'{", ".join(KEYS)} and {_PROPERTY}<key>'
        )

    def read(image: Image) -> str | None:
        value = image.metadata.get(name)
        return None if value is None else property_text(value)

    return read
