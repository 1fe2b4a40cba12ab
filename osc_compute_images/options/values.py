# SPDX-License-Identifier: Apache-2.0

"""Parsers for the values that the API checks: see :mod:`.parsers`.

They raise ValueError.
"""

import datetime

from osc_compute_images.api import filters
from osc_compute_images.api.groups import selection
from osc_compute_images.api.records import _times


def span(text: str) -> datetime.timedelta:
    """Parse a time span: ``90min``, ``24h``, ``7d``, ``2w``, ``1y6w``."""
    read = _times.parse_span(text)
    if read is None:
        raise ValueError(f'{text!r} is not a time span, {_times.SPAN_FORM}')
    return read


def status(text: str) -> str:
    """Parse a status, in any case."""
    if text.upper() not in filters.STATUSES:
        raise ValueError(
            f'{text!r} is not an image status; choose from '
            f'{", ".join(filters.STATUSES)}'
        )
    return text


def regular_expression(text: str) -> str:
    """Check a regular expression."""
    filters.name_regex(text)
    return text


def group_keys(text: str) -> tuple[str, ...]:
    """Parse the keys of groups: ``server,property:os_distro``."""
    keys = tuple(text.split(','))
    selection.newest((), group_by=keys)
    return keys


def time_or_age(text: str) -> str:
    """Parse an ISO 8601 time, or an age.

    :returns: the time in the form that every release of Nova parses,
        ``2026-11-23T16:11:28Z``
    """
    try:
        time = _times.moment(text)
        if time.microsecond:
            # The times of images are whole seconds.
            time = time.replace(microsecond=0) + datetime.timedelta(seconds=1)
    except OverflowError as e:
        raise ValueError(f'{text!r} is out of range') from e
    return time.replace(tzinfo=None).isoformat() + 'Z'
