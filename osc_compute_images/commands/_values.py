# SPDX-License-Identifier: Apache-2.0

"""Parsers for the values of options."""

import argparse
import datetime
import math
import re

from osc_lib.i18n import _

# NOTE: patterns are compiled when they are first used, as every "openstack"
# command loads this module.
_SPAN = r'([0-9]{1,9})([mhdwy])'
_UNITS = {
    'm': datetime.timedelta(minutes=1),
    'h': datetime.timedelta(hours=1),
    'd': datetime.timedelta(days=1),
    'w': datetime.timedelta(weeks=1),
    'y': datetime.timedelta(days=365),
}
# NOTE: int() refuses more than 4,300 digits.
_NUMBER = r'[0-9]{1,4000}'
_SIGN = r'\s*(?P<sign>>=|<=|>|<|=|)\s*'
_COMPARISON = rf'{_SIGN}(?P<number>{_NUMBER})\s*'
_SIZE = (
    rf'(?i){_SIGN}(?P<number>[0-9]{{1,30}}(\.[0-9]{{1,30}})?)\s*'
    r'((?P<prefix>[kmgtpe])(?P<binary>i)?)?b?\s*'
)

_UUID = r'(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'

#: Keyword arguments of the number filters, by the operator of an option.
_COMPARED = {
    '': 'exactly',
    '=': 'exactly',
    '>=': 'at_least',
    '<=': 'at_most',
    '>': 'more_than',
    '<': 'less_than',
}


def name_or_id(text: str) -> str:
    """Parse the name or ID of an image.

    Images may have an empty name, but an empty argument is more likely an
    unset shell variable.
    """
    if not text:
        raise argparse.ArgumentTypeError(
            _('the name is empty (use the ID of an image with an empty name)')
        )
    return text


def positive_integer(text: str) -> int:
    """Parse an integer above 0."""
    if not re.fullmatch(_NUMBER, text) or int(text) < 1:
        raise argparse.ArgumentTypeError(
            _('%r is not a positive integer') % text
        )
    return int(text)


def non_negative_integer(text: str) -> int:
    """Parse an integer of 0 or more."""
    if not re.fullmatch(_NUMBER, text):
        raise argparse.ArgumentTypeError(
            _('%r is not a non-negative integer') % text
        )
    return int(text)


def span(text: str) -> datetime.timedelta:
    """Parse a time span: ``90m``, ``24h``, ``7d``, ``2w``, ``1y``."""
    match = re.fullmatch(_SPAN, text)
    try:
        if match:
            return int(match[1]) * _UNITS[match[2]]
    except OverflowError:
        pass
    raise argparse.ArgumentTypeError(
        _('%r is not a time span, such as 90m, 24h, 7d, 2w or 1y') % text
    )


def is_id(text: str) -> bool:
    """Return whether a text is a UUID."""
    return re.fullmatch(_UUID, text) is not None


def seconds(text: str) -> float:
    """Parse a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(
            _('%r is not a positive number of seconds') % text
        )
    return value


def status(text: str) -> str:
    """Parse a status, in any case."""
    from osc_compute_images.api import filters

    if text.upper() not in filters.STATUSES:
        raise argparse.ArgumentTypeError(
            _('%(text)r is not an image status; choose from %(statuses)s')
            % {'text': text, 'statuses': ', '.join(filters.STATUSES)}
        )
    return text


def regular_expression(text: str) -> str:
    """Check a regular expression."""
    from osc_compute_images.api import filters

    try:
        filters.name_regex(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(str(e)) from e
    return text


def comparison(text: str) -> dict[str, int]:
    """Parse a number after an optional operator: ``10``, ``>=10``.

    :returns: a keyword argument of a filter: ``{'at_least': 10}``
    """
    match = re.fullmatch(_COMPARISON, text)
    if match is None:
        raise argparse.ArgumentTypeError(
            _('%r is not an integer, optionally after >=, <=, > or <') % text
        )
    return {_COMPARED[match['sign']]: int(match['number'])}


def size(text: str) -> dict[str, int]:
    """Parse a size after an optional operator: ``>=10GB``, ``<500MiB``.

    :returns: a keyword argument of a filter, in bytes:
        ``{'at_least': 10_000_000_000}``
    """
    # NOTE: imported here, as every "openstack" command loads this module.
    import fractions

    match = re.fullmatch(_SIZE, text)
    number = fractions.Fraction(match['number'] if match else '1/2')
    if match and match['prefix']:
        exponent = 1 + 'kmgtpe'.index(match['prefix'].lower())
        number *= (1024 if match['binary'] else 1000) ** exponent
    if match is None or number.denominator != 1:
        raise argparse.ArgumentTypeError(
            _(
                '%r is not a size, such as 4096, 1.5GB (of 1,000 MB) or '
                '500MiB (of 1,024 KiB), optionally after >=, <=, > or <'
            )
            % text
        )
    return {_COMPARED[match['sign']]: int(number)}


def property_choice(text: str) -> tuple[str, str | None, bool]:
    """Parse ``key``, ``key=value`` or ``key!=value``.

    :returns: the key, the value or None, and False for ``!=``
    """
    key, equals, value = text.partition('=')
    wanted = not (equals and key.endswith('!'))
    if not wanted:
        key = key[:-1]
    if not key:
        raise argparse.ArgumentTypeError(_('%r has no property key') % text)
    return key, value if equals else None, wanted


def group_keys(text: str) -> tuple[str, ...]:
    """Parse the keys of groups: ``server,property:os_distro``."""
    from osc_compute_images.api import selection

    keys = tuple(text.split(','))
    try:
        selection.newest((), per=keys)
    except ValueError as e:
        raise argparse.ArgumentTypeError(str(e)) from e
    return keys


def time_or_age(text: str) -> str:
    """Parse an ISO 8601 time, or an age.

    :returns: the time in the form that every release of Nova parses,
        ``2026-11-23T16:11:28Z``
    """
    span = re.fullmatch(_SPAN, text)
    try:
        if span:
            now = datetime.datetime.now(datetime.UTC)
            time = now - int(span[1]) * _UNITS[span[2]]
        else:
            time = _iso_time(text)
        if time.microsecond:
            # The times of images are whole seconds.
            time = time.replace(microsecond=0) + datetime.timedelta(seconds=1)
    except (ValueError, OverflowError) as e:
        raise argparse.ArgumentTypeError(
            _(
                '%r is neither an ISO 8601 time, such as '
                '2026-11-23T16:11:28Z or 2026-11-23, nor an age, such as '
                '90m, 24h, 7d, 2w or 1y'
            )
            % text
        ) from e
    return time.replace(tzinfo=None).isoformat() + 'Z'


def _iso_time(text: str) -> datetime.datetime:
    if re.fullmatch(r'\d{4}(-\d{2})?', text):
        # A year or a month, which fromisoformat() does not parse.
        text += '-01' if '-' in text else '-01-01'
    time = datetime.datetime.fromisoformat(text)
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.UTC)
    return time.astimezone(datetime.UTC)
