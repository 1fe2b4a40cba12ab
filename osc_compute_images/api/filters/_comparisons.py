# SPDX-License-Identifier: Apache-2.0

"""Filters that compare a number, or a time."""

from collections.abc import Callable
from collections.abc import Mapping
import contextlib
import datetime
import operator
from typing import Any

from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.filters._filter import having
from osc_compute_images.api.listing import _options
from osc_compute_images.api.records import _times

_COMPARE = {
    'at_least': operator.ge,
    'at_most': operator.le,
    'exactly': operator.eq,
    'more_than': operator.gt,
    'less_than': operator.lt,
}

#: Nova's parameters; they compare for equality.
_PARAMETERS = {'min_disk': 'minDisk', 'min_ram': 'minRam'}

_ROUNDING = datetime.timedelta(seconds=2)


def min_disk(
    *,
    at_least: int | None = None,
    at_most: int | None = None,
    exactly: int | None = None,
    more_than: int | None = None,
    less_than: int | None = None,
) -> Filter:
    """Select images by minimum disk, GB: ``min_disk(at_least=10)``.

    Several comparisons are combined by "and"; None is left out.

    :raises ValueError: if there is no comparison
    """
    return _number('min_disk', locals())


def min_ram(
    *,
    at_least: int | None = None,
    at_most: int | None = None,
    exactly: int | None = None,
    more_than: int | None = None,
    less_than: int | None = None,
) -> Filter:
    """Select images by minimum memory, MB; see :func:`min_disk`."""
    return _number('min_ram', locals())


def size(
    *,
    at_least: int | None = None,
    at_most: int | None = None,
    exactly: int | None = None,
    more_than: int | None = None,
    less_than: int | None = None,
) -> Filter:
    """Select images by size, bytes; see :func:`min_disk`.

    An image without data, such as a snapshot of a volume-backed server, has
    size 0.
    """
    return _number('size', locals())


def _number(field: str, comparisons: Mapping[str, object]) -> Filter:
    given: dict[str, int] = {}
    for word, number in comparisons.items():
        if isinstance(number, int):
            given[word] = number
        elif number is not None:
            raise TypeError(
                f'{field}({word}=...) takes an int, not '
                f'{type(number).__name__}'
            )
    if not given:
        words = ', '.join(f'{word}=' for word in _COMPARE)
        raise ValueError(f'{field} takes at least one of {words}')
    query, hints = {}, {}
    # Nova fails for a number that its database cannot hold.
    if field in _PARAMETERS and 0 <= given.get('exactly', -1) < 2**31:
        query[_PARAMETERS[field]] = given['exactly']
    # There is no upper limit: Glance has no size for an image without data,
    # and Nova shows 0.
    least = max(
        given.get('at_least', 0),
        given.get('more_than', -1) + 1,
        given.get('exactly', 0),
    )
    if field == 'size' and 0 < least < 2**63:
        hints[_options.SIZE_MIN] = least
    label = ', '.join(f'{word}={number}' for word, number in given.items())
    return having(
        field,
        lambda value: all(
            _COMPARE[word](value, number) for word, number in given.items()
        ),
        query=query,
        hints=hints,
        label=f'{field}({label})',
    )


def created_after(time: _times.Time) -> Filter:
    """Select images that were created at a time or later.

    Nova lists the newest images first, so the listing stops after a page that
    ends with an image that is too old. If the server uses another order, the
    whole listing is read.

    :param time: a datetime with a time zone; an ISO 8601 text, which is UTC
        without a zone; or an age, as a timedelta or a text such as ``30d``
    :raises ValueError: for an invalid text, or a datetime without a time zone
    """
    since = _times.moment(time)
    return _time(
        'created_after', 'created_at', operator.ge, since, created_since=since
    )


def created_before(time: _times.Time) -> Filter:
    """Select images that were created before a time.

    See :func:`created_after`. On a server that is seen to filter by the time,
    a listing reads the first page, and then only pages with images that match.
    """
    end = _times.moment(time)
    hints = {}
    with contextlib.suppress(OverflowError):
        # NOTE: Nova cuts off the fraction that Glance compares.
        later = _times.format_time(end + _ROUNDING)
        hints[_options.CREATED_AT] = f'lt:{later}'
    return _time('created_before', 'created_at', operator.lt, end, hints=hints)


def changes_since(time: _times.Time) -> Filter:
    """Select images that were last changed at a time or later.

    See :func:`created_after`.
    """
    since = _times.moment(time)
    # NOTE: older releases of Glance only take whole seconds. Rounding down
    # excludes no image that matches.
    query = {'changes-since': _times.format_time(since)}
    return _time(
        'changes_since', 'updated_at', operator.ge, since, query=query
    )


def changes_before(time: _times.Time) -> Filter:
    """Select images last changed before a time; see :func:`created_after`."""
    end = _times.moment(time)
    return _time('changes_before', 'updated_at', operator.lt, end)


def _time(
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
