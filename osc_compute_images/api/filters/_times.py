# SPDX-License-Identifier: Apache-2.0

"""Filters by time: of creation, and of the last change."""

from collections.abc import Callable
import datetime

from osc_compute_images.api import _times
from osc_compute_images.api._image import Image
from osc_compute_images.api.filters._filter import Filter

Time = datetime.datetime | str


def created_after(time: Time) -> Filter:
    """Choose images that were created at a time or later.

    Nova lists the newest images first: a listing ends as soon as what follows
    is too old. Where a server turns out to have another order, it is read to
    its end.

    :param time: a datetime with a time zone, or a text in ISO 8601, in which a
        time without a zone is UTC
    :raises ValueError: for a text that is no time, and a datetime without a
        time zone
    """
    since = _moment(time)
    return _compared(
        f'created_after({_times.shown(since)!r})',
        lambda image: image.created,
        lambda created: created >= since,
        created_since=since,
    )


def created_before(time: Time) -> Filter:
    """Choose images that were created before a time.

    The arguments and errors are those of :func:`created_after`.
    """
    end = _moment(time)
    return _compared(
        f'created_before({_times.shown(end)!r})',
        lambda image: image.created,
        lambda created: created < end,
    )


def changes_since(time: Time) -> Filter:
    """Choose images that were changed last at a time or later.

    The arguments and errors are those of :func:`created_after`.
    """
    since = _moment(time)
    return _compared(
        f'changes_since({_times.shown(since)!r})',
        lambda image: image.updated,
        lambda updated: updated >= since,
        # NOTE: older releases of Glance take whole seconds only; an earlier
        # time leaves out less.
        query={'changes-since': _times.shown(since)},
    )


def changes_before(time: Time) -> Filter:
    """Choose images that were changed last before a time.

    The arguments and errors are those of :func:`created_after`.
    """
    end = _moment(time)
    return _compared(
        f'changes_before({_times.shown(end)!r})',
        lambda image: image.updated,
        lambda updated: updated < end,
    )


def _compared(
    label: str,
    get: Callable[[Image], str | None],
    compare: Callable[[datetime.datetime], bool],
    *,
    query: dict[str, str | int] | None = None,
    created_since: datetime.datetime | None = None,
) -> Filter:
    """Choose images by a time; one that does not tell it does not match."""

    def matches(image: Image) -> bool:
        time = _times.parse(get(image))
        return time is not None and compare(time)

    return Filter(
        matches, query or {}, created_since=created_since, label=label
    )


def _moment(time: Time) -> datetime.datetime:
    if isinstance(time, datetime.datetime):
        if time.tzinfo is None:
            raise ValueError(
                f'{time!r} has no time zone; datetime.datetime.now('
                f'datetime.UTC) has one'
            )
        moment: datetime.datetime | None = time
    elif isinstance(time, str):
        moment = _times.parse(time)
    else:
        raise TypeError(
            f'A time is a datetime.datetime or a text in ISO 8601, not '
            f'{type(time).__name__}'
        )
    try:
        if moment is not None:
            return moment.astimezone(datetime.UTC)
    except OverflowError:
        pass
    raise ValueError(
        f'{time!r} is no time in ISO 8601, such as 2026-11-23T16:11:28Z or '
        f'2026-11-23'
    )
