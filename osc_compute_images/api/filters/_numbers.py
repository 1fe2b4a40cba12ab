# SPDX-License-Identifier: Apache-2.0

"""Filters by numbers: minimum disk, minimum memory, size."""

from collections.abc import Mapping
import operator
from typing import TypedDict
from typing import Unpack

from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.filters._filter import having
from osc_compute_images.api.listing import _options

_COMPARE = {
    'at_least': operator.ge,
    'at_most': operator.le,
    'exactly': operator.eq,
    'more_than': operator.gt,
    'less_than': operator.lt,
}

#: Nova's parameters; they compare for equality.
_PARAMETERS = {'min_disk': 'minDisk', 'min_ram': 'minRam'}


class Comparisons(TypedDict, total=False):
    """Comparisons with a number, combined by "and"; None is left out."""

    at_least: int | None
    at_most: int | None
    exactly: int | None
    more_than: int | None
    less_than: int | None


def min_disk(**comparisons: Unpack[Comparisons]) -> Filter:
    """Select images by minimum disk, GB: ``min_disk(at_least=10)``.

    :param comparisons: ``at_least``, ``at_most``, ``exactly``, ``more_than``,
        ``less_than``; combined by "and"
    :raises ValueError: if there is no comparison
    """
    return _compared('min_disk', **comparisons)


def min_ram(**comparisons: Unpack[Comparisons]) -> Filter:
    """Select images by minimum memory, MB.

    See :func:`min_disk` for the arguments and the errors.
    """
    return _compared('min_ram', **comparisons)


def size(**comparisons: Unpack[Comparisons]) -> Filter:
    """Select images by size, bytes.

    An image without data, such as a snapshot of a volume-backed server, has
    size 0.

    See :func:`min_disk` for the arguments and the errors.
    """
    return _compared('size', **comparisons)


def _compared(field: str, **comparisons: Unpack[Comparisons]) -> Filter:
    given: dict[str, int] = {}
    for word, number in comparisons.items():
        if word not in _COMPARE:
            raise TypeError(f'{field} has no argument {word!r}')
        if isinstance(number, int):
            given[word] = number
        elif number is not None:
            raise TypeError(
                f'{field}({word}=...) takes an int, not '
                f'{type(number).__name__}'
            )
    if not given:
        raise ValueError(
            f'{field} takes at least one of '
            f'{", ".join(f"{word}=" for word in _COMPARE)}'
        )
    label = ', '.join(f'{word}={number}' for word, number in given.items())
    return having(
        field,
        lambda value: all(
            _COMPARE[word](value, number) for word, number in given.items()
        ),
        query=_query(field, given.get('exactly', -1)),
        hints=_hints(given) if field == 'size' else {},
        label=f'{field}({label})',
    )


def _query(field: str, number: int) -> Mapping[str, int]:
    # Nova fails for a number that its database cannot hold.
    is_sent = field in _PARAMETERS and 0 <= number < 2**31
    return {_PARAMETERS[field]: number} if is_sent else {}


def _hints(given: Mapping[str, int]) -> Mapping[str, int]:
    # There is no upper limit: Glance has no size for an image without data,
    # and Nova shows 0.
    least = max(
        given.get('at_least', 0),
        given.get('more_than', -1) + 1,
        given.get('exactly', 0),
    )
    return {_options.SIZE_MIN: least} if 0 < least < 2**63 else {}
