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
from osc_compute_images.api.groups._grouping import grouping
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._times import format_time

__all__ = ['Summary', 'summarize']

#: The number of images, their size, and the oldest and the newest time, if any
#: is known.
_Sum = tuple[int, int, tuple[datetime.datetime, ...]]


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
    none: _Sum = (0, 0, ())
    sums: dict[Group, _Sum] = {} if keys else {(): none}
    for image in images:
        key = group(image)
        count, size, times = sums.get(key, none)
        if (created := image.created_at) is not None:
            times = (*times, created)
            times = min(times), max(times)
        sums[key] = count + 1, size + (image.size or 0), times
    found = []
    for key in sorted(sums, key=_order):
        count, size, times = sums[key]
        oldest, newest = [*map(format_time, times)] or (None, None)
        found.append(Summary(key, count, size, oldest, newest))
    return found


def _order(key: Group) -> list[tuple[bool, str]]:
    return [(value is None, value or '') for value in key]
