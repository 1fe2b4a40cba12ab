# SPDX-License-Identifier: Apache-2.0

"""Parsers for the numbers and sizes that images are compared with."""

import argparse
import re

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
    unit = 1
    if match and match['prefix']:
        exponent = 1 + 'kmgtpe'.index(match['prefix'].lower())
        unit = (1024 if match['binary'] else 1000) ** exponent
    whole, _point, decimals = (
        match['number'].partition('.') if match else ('1', '.', '5')
    )
    number, rest = divmod(int(whole + decimals) * unit, 10 ** len(decimals))
    if match is None or rest:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a size, such as 4096, 1.5GB (of 1,000 MB) or '
            '500MiB (of 1,024 KiB), optionally after >=, <=, > or <'
        )
    return {_COMPARED[match['sign']]: number}
