# SPDX-License-Identifier: Apache-2.0

"""Filters by numbers: minimum disk, minimum memory, size."""

from collections.abc import Mapping
import operator

from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.listing import _options
from osc_compute_images.api.records._image import Image

_COMPARE = {
    'at_least': operator.ge,
    'at_most': operator.le,
    'exactly': operator.eq,
    'more_than': operator.gt,
    'less_than': operator.lt,
}

#: Nova's parameters; they compare for equality.
_PARAMETERS = {'min_disk': 'minDisk', 'min_ram': 'minRam'}


def min_disk(
    *,
    at_least: int | None = None,
    at_most: int | None = None,
    exactly: int | None = None,
    more_than: int | None = None,
    less_than: int | None = None,
) -> Filter:
    """Select images by minimum disk, GB.

    Comparisons are combined by "and": ``min_disk(at_least=10, at_most=20)``.

    :raises ValueError: if there is no comparison
    """
    return _compared(
        'min_disk',
        at_least=at_least,
        at_most=at_most,
        exactly=exactly,
        more_than=more_than,
        less_than=less_than,
    )


def min_ram(
    *,
    at_least: int | None = None,
    at_most: int | None = None,
    exactly: int | None = None,
    more_than: int | None = None,
    less_than: int | None = None,
) -> Filter:
    """Select images by minimum memory, MB.

    Comparisons are combined by "and".

    :raises ValueError: if there is no comparison
    """
    return _compared(
        'min_ram',
        at_least=at_least,
        at_most=at_most,
        exactly=exactly,
        more_than=more_than,
        less_than=less_than,
    )


def size(
    *,
    at_least: int | None = None,
    at_most: int | None = None,
    exactly: int | None = None,
    more_than: int | None = None,
    less_than: int | None = None,
) -> Filter:
    """Select images by size, bytes.

    An image without data, such as a snapshot of a volume-backed server, has
    size 0. Comparisons are combined by "and".

    :raises ValueError: if there is no comparison
    """
    return _compared(
        'size',
        at_least=at_least,
        at_most=at_most,
        exactly=exactly,
        more_than=more_than,
        less_than=less_than,
    )


def _compared(field: str, **comparisons: int | None) -> Filter:
    """Select images by a number; images without it do not match."""
    given = {k: v for k, v in comparisons.items() if v is not None}
    if not given:
        raise ValueError(
            f'{field} takes at least one of '
            f'{", ".join(f"{word}=" for word in _COMPARE)}'
        )
    for word, number in given.items():
        if not isinstance(number, int):
            raise TypeError(
                f'{field}({word}=...) takes an int, not '
                f'{type(number).__name__}'
            )
    checks = [(_COMPARE[word], number) for word, number in given.items()]

    def matches(image: Image) -> bool:
        value = getattr(image, field)
        return value is not None and all(
            compare(value, number) for compare, number in checks
        )

    label = ', '.join(f'{word}={number}' for word, number in given.items())
    return Filter(
        matches,
        _query(field, given),
        hints=_hints(given) if field == 'size' else {},
        label=f'{field}({label})',
    )


def _hints(given: Mapping[str, int]) -> Mapping[str, int]:
    """Return a lower limit of the size.

    There is no upper one: Glance has no size for an image without data, and
    Nova shows 0.
    """
    least = max(
        given.get('at_least', 0),
        given.get('more_than', -1) + 1,
        given.get('exactly', 0),
    )
    return {_options.SIZE_MIN: least} if 0 < least < 2**63 else {}


def _query(field: str, given: Mapping[str, int]) -> Mapping[str, int]:
    number = given.get('exactly', -1)
    # Nova fails for a number that its database cannot hold.
    if field in _PARAMETERS and 0 <= number < 2**31:
        return {_PARAMETERS[field]: number}
    return {}
