# SPDX-License-Identifier: Apache-2.0

"""Filters by the time of the creation or the last change."""

import contextlib
import datetime

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
    return having(
        'created_at',
        lambda created: created >= since,
        created_since=since,
        label=_label('created_after', since),
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
    return having(
        'created_at',
        lambda created: created < end,
        hints=hints,
        label=_label('created_before', end),
    )


def changes_since(time: Time) -> Filter:
    """Select images that were last changed at a time or later.

    See :func:`created_after` for the argument and the errors.
    """
    since = _times.moment(time)
    return having(
        'updated_at',
        lambda updated: updated >= since,
        # NOTE: older releases of Glance only take whole seconds. Rounding down
        # excludes no image that matches.
        query={'changes-since': _times.format_time(since)},
        label=_label('changes_since', since),
    )


def changes_before(time: Time) -> Filter:
    """Select images that were last changed before a time.

    See :func:`created_after` for the argument and the errors.
    """
    end = _times.moment(time)
    return having(
        'updated_at',
        lambda updated: updated < end,
        label=_label('changes_before', end),
    )


def _label(name: str, time: datetime.datetime) -> str:
    return f'{name}({_times.format_time(time)!r})'
