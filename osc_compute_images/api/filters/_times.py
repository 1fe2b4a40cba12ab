# SPDX-License-Identifier: Apache-2.0

"""Filters by the time of the creation or the last change."""

from collections.abc import Callable
import contextlib
import datetime
import operator
from typing import Any

from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.filters._filter import having
from osc_compute_images.api.listing import _options
from osc_compute_images.api.records import _times

_ROUNDING = datetime.timedelta(seconds=2)

#: A time, or an age.
Time = datetime.datetime | datetime.timedelta | str


def created_after(time: Time) -> Filter:
    """Select images that were created at a time or later.

    Nova lists the newest images first, so the listing stops at the first
    image that is too old. If the server uses another order, the whole listing
    is read.

    :param time: a datetime with a time zone; an ISO 8601 text, which is UTC
        without a zone; or an age, as a timedelta or a text such as ``30d``
    :raises ValueError: for an invalid text, or a datetime without a time zone
    """
    since = _times.moment(time)
    return _compared(
        'created_after', 'created_at', operator.ge, since, created_since=since
    )


def created_before(time: Time) -> Filter:
    """Select images that were created before a time.

    On a server that is seen to filter by the time, a listing reads the first
    page, and then only pages with images that match.

    See :func:`created_after` for the argument and the errors.
    """
    end = _times.moment(time)
    hints = {}
    with contextlib.suppress(OverflowError):
        # NOTE: Nova cuts off the fraction that Glance compares.
        later = _times.format_time(end + _ROUNDING)
        hints[_options.CREATED_AT] = f'lt:{later}'
    return _compared(
        'created_before', 'created_at', operator.lt, end, hints=hints
    )


def changes_since(time: Time) -> Filter:
    """Select images that were last changed at a time or later.

    See :func:`created_after` for the argument and the errors.
    """
    since = _times.moment(time)
    # NOTE: older releases of Glance only take whole seconds. Rounding down
    # excludes no image that matches.
    query = {'changes-since': _times.format_time(since)}
    return _compared(
        'changes_since', 'updated_at', operator.ge, since, query=query
    )


def changes_before(time: Time) -> Filter:
    """Select images that were last changed before a time.

    See :func:`created_after` for the argument and the errors.
    """
    end = _times.moment(time)
    return _compared('changes_before', 'updated_at', operator.lt, end)


def _compared(
    name: str,
    field: str,
    compare: Callable[[Any, Any], bool],
    limit: datetime.datetime,
    **options: Any,
) -> Filter:
    label = f'{name}({_times.format_time(limit)!r})'
    return having(
        field, lambda time: compare(time, limit), label=label, **options
    )
