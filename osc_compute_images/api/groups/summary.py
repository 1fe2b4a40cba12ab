# SPDX-License-Identifier: Apache-2.0

"""Group images; count them and add up their sizes, by group.

The number and total size of the images of each distribution::

    from osc_compute_images.api.groups import summary

    for group in summary.summarize(api.list_detail(), ['property:os_distro']):
        print(group.key, group.count, group.size)
"""

from collections.abc import Callable
from collections.abc import Iterable
import dataclasses
import re

from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._times import format_time

__all__ = ['Summary', 'summarize']

#: The values that identify a group, one for each key; None without a value.
Group = tuple[str | None, ...]


def _type_of(image: Image) -> str:
    """Return the type of an image, as :func:`filters.image_type` takes it."""
    if 'image_type' in image.metadata:
        return str(image.metadata['image_type'])
    return 'volume' if image.is_volume_backed else 'base'


#: The values of the keys of groups, other than ``property:KEY``.
_KEYS: dict[str, Callable[[Image], str | None]] = {
    'name': lambda image: image.name,
    'server': lambda image: image.server_id,
    'type': _type_of,
    'status': lambda image: image.state,
}


@dataclasses.dataclass(frozen=True)
class Summary:
    """The summary of a group of images.

    :param key: the value of each key of the group, or None
    :param count: number of images
    :param size: total size, bytes. A snapshot of a volume-backed server
        counts as 0: its data is in snapshots of volumes
    :param oldest: creation time of the oldest image, ISO 8601, UTC; None if
        unknown
    :param newest: likewise, of the newest image
    """

    key: Group
    count: int
    size: int
    oldest: str | None
    newest: str | None


def summarize(
    images: Iterable[Image], group_by: Iterable[str] = ()
) -> list[Summary]:
    """Summarize images by group; only the totals are held in memory.

    :param group_by: keys of groups: ``name``, ``server``, ``type``,
        ``status``, ``property:KEY``; without keys, all images are one group
    :returns: the groups, sorted by their values, None last. Without keys,
        there is always one group
    :raises ValueError: for an unknown key
    """
    keys, group = grouping(group_by)
    none = Summary((), 0, 0, None, None)
    sums: dict[Group, Summary] = {} if keys else {(): none}
    for image in images:
        key = group(image)
        before = sums.get(key, none)
        time = image.created_at
        created = format_time(time) if time else None
        times = [*filter(None, (before.oldest, before.newest, created))]
        sums[key] = Summary(
            key,
            before.count + 1,
            before.size + (image.size or 0),
            min(times, default=None),
            max(times, default=None),
        )
    return sorted(
        sums.values(),
        key=lambda each: [(value is None, value or '') for value in each.key],
    )


def grouping(
    group_by: Iterable[str],
) -> tuple[list[str], Callable[[Image], Group]]:
    """Return the keys of groups, and a function that returns an image's group.

    :param group_by: a text alone is one key
    :raises ValueError: for a key that is neither one of :data:`_KEYS` nor
        ``property:`` and a property's key
    """
    keys = [group_by] if isinstance(group_by, str) else [*group_by]
    for key in keys:
        if key not in _KEYS and not re.match('(?s)property:.', key):
            raise ValueError(
                f'Cannot group images by {key!r}; choose from '
                f'{", ".join(_KEYS)} and property:<key>'
            )
    return keys, lambda image: tuple(_value(image, key) for key in keys)


def _value(image: Image, key: str) -> str | None:
    if key in _KEYS:
        return _KEYS[key](image)
    value = image.metadata.get(key.removeprefix('property:'))
    return None if value is None else str(value)
