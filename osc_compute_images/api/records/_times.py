# SPDX-License-Identifier: Apache-2.0

"""Parse and format times, ages and time spans."""

import contextlib
import datetime
import re

#: A time, or an age.
Time = datetime.datetime | datetime.timedelta | str

_FORM = (
    # NOTE: fromisoformat() takes any character between date and time, and so
    # also reads some numbers.
    r'(?ai)(\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d(?:-?\d)?)'
    r'(?:[T ](\d\d(?::?\d\d){0,2}(?:[.,]\d+)?)(Z|[-+]\d\d(?::?\d\d){0,2})?)?'
)
_SPAN = '(?=.)' + ''.join(
    f'(?:([0-9]{{1,9}}){unit})?' for unit in ('y', 'w', 'd', 'h', 'min')
)

#: The form of a time span, for messages.
SPAN_FORM = (
    'such as 90min, 24h, 7d, 2w or 1y6w (units: y of 365 days, w, d, h and '
    'min, in this order)'
)


def parse(text: str | None) -> datetime.datetime | None:
    """Parse an ISO 8601 time; without a zone it is UTC.

    A fraction is cut after microseconds. A leap second is the midnight after
    it.

    :returns: None for any other text, which is unreadable
    """
    text = text or ''
    try:
        if len(text) == 20 and text[10] == 'T' and text[19] == 'Z':
            # The usual form, in a tenth of the time.
            return datetime.datetime.fromisoformat(text)
    except ValueError:
        pass
    match = re.fullmatch(_FORM, text)
    if match is None:
        return None
    date, clock, zone = match.groups()
    # NOTE: fromisoformat() reads neither midnight as 24:00 nor leap seconds.
    clock, days = re.subn('^24(?=[:0]*([.,]0+)?$)', '00', clock or '00')
    clock, seconds = re.subn(r'^(\d\d:?\d\d:?)60', r'\g<1>59', clock)
    later = datetime.timedelta(days=days, seconds=seconds)
    try:
        time = datetime.datetime.fromisoformat(
            f'{date}T{clock}{zone or "Z"}'.upper()
        )
        time = time.astimezone(datetime.UTC) + later
    except (ValueError, OverflowError):
        return None
    # Leap seconds end days in UTC.
    is_known = not seconds or (time.hour, time.minute, time.second) == (0,) * 3
    return time if is_known else None


def parse_span(text: str) -> datetime.timedelta | None:
    """Parse a time span: ``90min``, ``24h``, ``7d``, ``2w``, ``1y6w``.

    :returns: None for any other text
    """
    match = re.fullmatch(_SPAN, text)
    if match is None:
        return None
    years, weeks, days, hours, minutes = map(int, match.groups(default='0'))
    with contextlib.suppress(OverflowError):
        return datetime.timedelta(
            365 * years + days, weeks=weeks, hours=hours, minutes=minutes
        )
    return None


def moment(when: Time) -> datetime.datetime:
    """Return the time, in UTC, that is given as a time or as an age.

    The times of images are whole seconds: an age is rounded to the second
    after it.

    :param when: see :func:`.filters.created_after`; it may be a month or year
    :raises ValueError: for any other text, or a datetime without a time zone
    :raises TypeError: for any other type
    """
    if isinstance(when, datetime.datetime) and when.tzinfo is None:
        raise ValueError(
            f'{when!r} has no time zone; use datetime.datetime.now('
            f'datetime.UTC)'
        )
    time: object = when
    with contextlib.suppress(OverflowError):
        if isinstance(when, str):
            # The first day of a month, or of a year.
            is_short = re.fullmatch(r'\d{4}(-\d\d)?', when)
            text = f'{when}-01-01'[:10] if is_short else when
            time = parse(text) or parse_span(when)
        if isinstance(time, datetime.timedelta):
            time = datetime.datetime.now(datetime.UTC) - time
            time += datetime.timedelta(microseconds=-time.microsecond % 10**6)
        if isinstance(time, datetime.datetime):
            return time.astimezone(datetime.UTC)
    if not isinstance(when, Time):
        raise TypeError(
            f'A time must be a datetime.datetime, a datetime.timedelta or an '
            f'ISO 8601 text, not {type(when).__name__}'
        )
    raise ValueError(
        f'{when!r} is neither an ISO 8601 time, such as 2026-11-23T16:11:28Z '
        f'or 2026-11-23, nor an age, {SPAN_FORM}'
    )


def format_time(time: datetime.datetime) -> str:
    """Format a time as Compute does: ``2026-11-23T16:11:28Z``."""
    utc = time.astimezone(datetime.UTC).replace(tzinfo=None)
    return utc.isoformat(timespec='seconds') + 'Z'
