# SPDX-License-Identifier: Apache-2.0

"""Filters by numbers: minimum disk, minimum memory, size."""

from collections.abc import Callable
from collections.abc import Mapping
import operator

from osc_compute_images.api.filters._filter import EVERYTHING
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.records._image import Image

_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    'at_least': operator.ge,
    'at_most': operator.le,
    'exactly': operator.eq,
    'more_than': operator.gt,
    'less_than': operator.lt,
}


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
    return _number(
        'min_disk',
        lambda image: image.min_disk,
        'minDisk',
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
    return _number(
        'min_ram',
        lambda image: image.min_ram,
        'minRam',
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
    return _number(
        'size',
        lambda image: image.size,
        None,
        at_least=at_least,
        at_most=at_most,
        exactly=exactly,
        more_than=more_than,
        less_than=less_than,
    )


def _number(
    name: str,
    get: Callable[[Image], int | None],
    parameter: str | None,
    **comparisons: int | None,
) -> Filter:
    """Select images by a number; images without it do not match."""
    combined = EVERYTHING
    for word, number in comparisons.items():
        if number is not None:
            combined &= _compared(name, get, parameter, word, number)
    if combined is EVERYTHING:
        raise ValueError(
            f'{name} takes at least one of '
            f'{", ".join(f"{word}=" for word in _COMPARE)}'
        )
    return combined


def _compared(
    name: str,
    get: Callable[[Image], int | None],
    parameter: str | None,
    word: str,
    number: int,
) -> Filter:
    compare = _COMPARE[word]
    if not isinstance(number, int):
        raise TypeError(
            f'{name}({word}=...) takes an int, not {type(number).__name__}'
        )

    def matches(image: Image) -> bool:
        value = get(image)
        return value is not None and compare(value, number)

    # Nova's parameter only compares for equality, and fails for a number that
    # its database cannot hold.
    narrows = parameter and word == 'exactly' and 0 <= number < 2**31
    return Filter(
        matches,
        {str(parameter): number} if narrows else {},
        label=f'{name}({word}={number})',
    )
