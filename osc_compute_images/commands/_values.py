# SPDX-License-Identifier: Apache-2.0

"""Values of options, read and checked before anything is sent."""

import argparse
import datetime
import math
import re

from osc_lib.i18n import _

_SPAN = re.compile(r'(\d+)([mhdw])')
_UNITS = {'m': 'minutes', 'h': 'hours', 'd': 'days', 'w': 'weeks'}
# NOTE: Python refuses to read 4,300 digits or more.
_NUMBER = r'\d{1,4000}'
_COMPARISON = re.compile(rf'\s*(>=|<=|>|<|=|)\s*({_NUMBER})\s*')
_UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.IGNORECASE)
_SIGNS = {
    '>=': 'at_least',
    '<=': 'at_most',
    '>': 'more_than',
    '<': 'less_than',
    '=': 'exactly',
    '': 'exactly',
}


def positive_integer(text: str) -> int:
    """Read a number of things, at least one."""
    if not re.fullmatch(_NUMBER, text) or int(text) < 1:
        raise argparse.ArgumentTypeError(
            _('%r is not a whole number of 1 or more') % text
        )
    return int(text)


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an image's ID."""
    return _UUID.fullmatch(text) is not None


def seconds(text: str) -> float:
    """Read a length of time, more than none."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(
            _('%r is not a number of seconds above 0') % text
        )
    return value


def status(text: str) -> str:
    """Read a status that an image can be shown with."""
    from osc_compute_images.api import filters

    if text.upper() not in filters.STATUSES:
        raise argparse.ArgumentTypeError(
            _('%(word)r is no status of an image; these are: %(statuses)s')
            % {'word': text, 'statuses': ', '.join(filters.STATUSES)}
        )
    return text


def comparison(text: str) -> dict[str, int]:
    """Read ``10``, ``>=10``, ``<=20``: a comparison, as filters have it."""
    match = _COMPARISON.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(
            _('%r is not a whole number, with >=, <=, > or < before it or not')
            % text
        )
    return {_SIGNS[match[1]]: int(match[2])}


def key_value(text: str) -> tuple[str, str | None]:
    """Read ``key=value``, or ``key`` alone with None for the value."""
    key, equals, value = text.partition('=')
    if not key:
        raise argparse.ArgumentTypeError(
            _('%r does not begin with the key of a property') % text
        )
    return key, value if equals else None


def time_or_span(text: str) -> str:
    """Read a time in ISO 8601, or a span of time back from now.

    :returns: the time in the one form that every release of Nova reads,
        ``2026-11-23T16:11:28Z``
    """
    span = _SPAN.fullmatch(text)
    try:
        if span:
            now = datetime.datetime.now(datetime.UTC)
            time = now - datetime.timedelta(**{_UNITS[span[2]]: int(span[1])})
        else:
            time = _iso_time(text)
        if time.microsecond:
            # Images have whole seconds.
            time = time.replace(microsecond=0) + datetime.timedelta(seconds=1)
    except (ValueError, OverflowError) as e:
        raise argparse.ArgumentTypeError(
            _(
                '%r is neither a time in ISO 8601, such as '
                '2026-11-23T16:11:28Z or 2026-11-23, nor a span of time, '
                'such as 90m, 24h, 7d or 2w'
            )
            % text
        ) from e
    return time.replace(tzinfo=None).isoformat() + 'Z'


def _iso_time(text: str) -> datetime.datetime:
    if re.fullmatch(r'\d{4}(-\d{2})?', text):
        # A year or a month: Python reads neither.
        text += '-01' if '-' in text else '-01-01'
    time = datetime.datetime.fromisoformat(text)
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.UTC)
    return time.astimezone(datetime.UTC)
