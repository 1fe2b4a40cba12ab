# SPDX-License-Identifier: Apache-2.0

"""Tell of images whose time cannot be read, so that no time filter matches."""

import argparse
from collections.abc import Collection
import logging

from osc_compute_images.api import Image
from osc_compute_images.api.filters import Filter
from osc_compute_images.api.records import _times

#: The attribute of the arguments that holds the counters.
_COUNTERS = 'unreadable_times'


def counting(
    parsed_args: argparse.Namespace, fields: Collection[str]
) -> Filter:
    """Return a filter that every image matches, and that counts them.

    Put it between the other filters and those by time: it then counts the
    images that only an unreadable time excludes.

    :param parsed_args: holds the counter, for :func:`warn`
    :param fields: the fields that are compared
    """
    # NOTE: regions are filtered in parallel; each has its own counter.
    counter = [0]
    vars(parsed_args).setdefault(_COUNTERS, []).append(counter)

    def note(image: Image) -> bool:
        counter[0] += any(
            _times.parse(getattr(image, field)) is None for field in fields
        )
        return True

    return Filter(note)


def warn(log: logging.Logger, parsed_args: argparse.Namespace) -> None:
    """Warn, once for all regions, of images that were not selected."""
    counters: list[list[int]] = getattr(parsed_args, _COUNTERS, [])
    count = sum(count for (count,) in counters)
    if count:
        log.warning(
            'Images that time filters do not select, as their creation '
            'or update time cannot be read: %d',
            count,
        )
