# SPDX-License-Identifier: Apache-2.0

"""Parsers for the values of options."""

import argparse
from collections.abc import Callable
import math
import re
from typing import Any
from typing import TypeVar

_Value = TypeVar('_Value')

# NOTE: int() refuses more than 4,300 digits.
_NUMBER = r'[0-9]{1,4000}'

_SIGN = r'\s*(?P<sign>>=|<=|>|<|=|)\s*'
_COMPARISON = rf'{_SIGN}(?P<number>{_NUMBER})\s*'
_SIZE = (
    rf'(?i){_SIGN}(?P<number>[0-9]{{1,30}}(\.[0-9]{{1,30}})?)\s*'
    r'((?P<prefix>[kmgtpe])(?P<binary>i)?)?b?\s*'
)

#: Keyword arguments of the number filters, by the operator of an option.
_COMPARED = {
    '': 'exactly',
    '=': 'exactly',
    '>=': 'at_least',
    '<=': 'at_most',
    '>': 'more_than',
    '<': 'less_than',
}

_UUID = r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'


def not_empty(
    parse: Callable[[str], _Value],
    message: str = 'the value is empty (probably an unset variable)',
) -> Callable[[str], _Value]:
    """Return a parser that also refuses an empty text.

    An empty value is most likely an unset variable of a script; what it would
    select is not what the script meant.
    """

    def parse_given(text: str) -> _Value:
        if not text:
            raise argparse.ArgumentTypeError(message)
        return parse(text)

    return parse_given


#: Parses the name or ID of an image.
name_or_id = not_empty(
    str, 'the name is empty (use the ID of an image with an empty name)'
)


def _integer(least: int, kind: str) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(_NUMBER, text) or int(text) < least:
            raise argparse.ArgumentTypeError(
                f'{text!r} is not a {kind} integer'
            )
        return int(text)

    return parse


positive_integer = _integer(1, 'positive')
non_negative_integer = _integer(0, 'non-negative')


def is_id(text: str) -> bool:
    """Return whether a text is a UUID, as OpenStack writes it."""
    return re.fullmatch(_UUID, text) is not None


def seconds(text: str) -> float:
    """Parse a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a positive number of seconds'
        )
    return value


def property_choice(text: str) -> tuple[str, str | None, bool]:
    """Parse ``key``, ``key=value`` or ``key!=value``.

    :returns: the key, the value or None, and False for ``!=``
    """
    key, equals, value = text.partition('=')
    wanted = not (equals and key.endswith('!'))
    if not wanted:
        key = key[:-1]
    if not key:
        raise argparse.ArgumentTypeError(f'{text!r} has no property key')
    return key, value if equals else None, wanted


def property_to_keep(text: str) -> tuple[str, str | None]:
    """Parse ``key`` or ``key=value``; return the key and value or None."""
    key, value, wanted = property_choice(text)
    # NOTE: for an unset variable, nothing would be kept.
    if not wanted or value == '':
        raise argparse.ArgumentTypeError(f'{text!r} is not <key>[=<value>]')
    return key, value


def _of_api(name: str) -> Callable[[str], Any]:
    """Return a parser of :mod:`.values`."""

    def parse(text: str) -> Any:
        # NOTE: imported here, as it loads the API, which few options need.
        from osc_compute_images.options import values

        try:
            return getattr(values, name)(text)
        except ValueError as e:
            raise argparse.ArgumentTypeError(str(e)) from e

    return parse


span = _of_api('span')
status = _of_api('status')
regular_expression = _of_api('regular_expression')
group_keys = _of_api('group_keys')
time_or_age = _of_api('time_or_age')


def comparison(text: str) -> dict[str, int]:
    """Parse a number after an optional operator: ``10``, ``>=10``.

    :returns: a keyword argument of a filter: ``{'at_least': 10}``
    """
    match = re.fullmatch(_COMPARISON, text)
    if match is None:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not an integer, optionally after >=, <=, > or <'
        )
    return {_COMPARED[match['sign']]: int(match['number'])}


def size(text: str) -> dict[str, int]:
    """Parse a size after an optional operator: ``>=10GB``, ``<500MiB``.

    :returns: a keyword argument of a filter, in bytes:
        ``{'at_least': 10_000_000_000}``
    """
    match = re.fullmatch(_SIZE, text)
    if match:
        exponent = ' kmgtpe'.index((match['prefix'] or ' ').lower())
        unit = (1024 if match['binary'] else 1000) ** exponent
        whole, _point, decimals = match['number'].partition('.')
        number, rest = divmod(
            int(whole + decimals) * unit, 10 ** len(decimals)
        )
        if not rest:
            return {_COMPARED[match['sign']]: number}
    raise argparse.ArgumentTypeError(
        f'{text!r} is not a size, such as 4096, 1.5GB (of 1,000 MB) or '
        '500MiB (of 1,024 KiB), optionally after >=, <=, > or <'
    )
