# SPDX-License-Identifier: Apache-2.0

"""The keys that images are grouped by."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping

from osc_compute_images.api.records._image import Image

#: The values that identify a group, one for each key; None without a value.
Group = tuple[str | None, ...]

_Reader = Callable[[Image], str | None]


def _type_of(image: Image) -> str:
    """Return the type of an image, as :func:`filters.image_type` takes it."""
    if 'image_type' in image.metadata:
        return str(image.metadata['image_type'])
    return 'volume' if image.is_volume_backed else 'base'


#: The values of the keys of groups, other than ``property:KEY``.
_KEYS: Mapping[str, _Reader] = {
    'name': lambda image: image.name,
    'server': lambda image: image.server_id,
    'type': _type_of,
    'status': lambda image: image.state,
}


def grouping(
    group_by: Iterable[str],
) -> tuple[list[str], Callable[[Image], Group]]:
    """Return the keys of groups, and a function that returns an image's group.

    :param group_by: any of :data:`_KEYS`, or ``property:`` and a property's
        key; a text alone is one key
    :raises ValueError: for another key
    """
    keys = [group_by] if isinstance(group_by, str) else [*group_by]
    readers = [*map(_reader, keys)]
    return keys, lambda image: tuple(read(image) for read in readers)


def _reader(key: str) -> _Reader:
    if key in _KEYS:
        return _KEYS[key]
    prefix, _, name = key.partition(':')
    if prefix != 'property' or not name:
        raise ValueError(
            f'Cannot group images by {key!r}; choose from {", ".join(_KEYS)} '
            f'and property:<key>'
        )

    def read(image: Image) -> str | None:
        value = image.metadata.get(name)
        return None if value is None else str(value)

    return read
