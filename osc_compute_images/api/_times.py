# SPDX-License-Identifier: Apache-2.0

"""Parse and format the times of images."""

import datetime
import re

from osc_compute_images.api._image import Image

_FORM = (
    # NOTE: fromisoformat() takes any character between date and time, and so
    # also reads some numbers.
    r'(?ai)(?P<date>\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d(?:-?\d)?)'
    r'(?:[T ](?P<clock>\d\d(?::?\d\d){0,2})(?P<fraction>[.,]\d+)?'
    r'(?P<zone>Z|[-+]\d\d(?::?\d\d){0,2})?)?'
)
_MIDNIGHT_AFTER = r'24(?::?00){0,2}'
_LEAP_SECOND = r'\d\d:?\d\d:?60'


def created_at(image: Image) -> datetime.datetime | None:
    """Return when an image was created, or None if unknown."""
    return parse(image.created)


def parse(text: str | None) -> datetime.datetime | None:
    """Parse an ISO 8601 time; without a zone it is UTC.

    A fraction is cut after microseconds. A leap second is the midnight after
    it.

    :returns: None for any other text, which is unreadable
    """
    try:
        if text and len(text) == 20 and text[10] == 'T' and text[19] == 'Z':
            # The usual form, in a third of the time.
            return datetime.datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return _parse(text or '')
    except (ValueError, OverflowError):
        return None


def _parse(text: str) -> datetime.datetime | None:
    match = re.fullmatch(_FORM, text)
    if match is None:
        return None
    clock = match['clock'] or '00'
    fraction = match['fraction'] or ''
    later = datetime.timedelta()
    is_leap = re.fullmatch(_LEAP_SECOND, clock) is not None
    if is_leap:
        clock, later = f'{clock[:-2]}59', datetime.timedelta(seconds=1)
    elif re.fullmatch(_MIDNIGHT_AFTER, clock) and not fraction.strip('.,0'):
        clock, later = f'00{clock[2:]}', datetime.timedelta(days=1)
    zone = match['zone'] or 'Z'
    time = datetime.datetime.fromisoformat(
        f'{match["date"]}T{clock}{fraction}{zone}'.upper()
    )
    time = time.astimezone(datetime.UTC) + later
    # Leap seconds end days in UTC.
    is_known = not is_leap or (time.hour, time.minute, time.second) == (0,) * 3
    return time if is_known else None


def format_time(time: datetime.datetime) -> str:
    """Format a time as Compute does: ``2026-11-23T16:11:28Z``."""
    utc = time.astimezone(datetime.UTC).replace(tzinfo=None)
    return utc.isoformat(timespec='seconds') + 'Z'
