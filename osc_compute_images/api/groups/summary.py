# SPDX-License-Identifier: Apache-2.0

"""Count images and add up their sizes, by group.

The number and total size of the images of each distribution::

    from osc_compute_images.api.groups import summary

    for group in summary.summarize(api.list_detail(), ['property:os_distro']):
        print(group.key, group.count, group.size)
"""

from collections.abc import Iterable
import dataclasses
import datetime

from osc_compute_images.api.groups._grouping import Group
from osc_compute_images.api.groups._grouping import group_of
from osc_compute_images.api.groups._grouping import keys_of
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._times import format_time

__all__ = ['Summary', 'summarize']


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
    keys = keys_of(group_by)
    group = group_of(keys)
    sums: dict[Group, _Sum] = {} if keys else {(): _Sum()}
    for image in images:
        key = group(image)
        if key not in sums:
            sums[key] = _Sum()
        sums[key].add(image)
    return [sums[key].summary(key) for key in sorted(sums, key=_order)]


def _order(key: Group) -> list[tuple[bool, str]]:
    return [(value is None, value or '') for value in key]


class _Sum:
    __slots__ = ('_count', '_size', '_times')

    def __init__(self) -> None:
        self._count = self._size = 0
        #: The oldest and the newest time; empty if none is known.
        self._times: tuple[datetime.datetime, ...] = ()

    def add(self, image: Image) -> None:
        self._count += 1
        self._size += image.size or 0
        created = image.created_at
        if created is not None:
            times = (*self._times, created)
            self._times = min(times), max(times)

    def summary(self, key: Group) -> Summary:
        oldest, newest = [*map(format_time, self._times)] or (None, None)
        return Summary(key, self._count, self._size, oldest, newest)
