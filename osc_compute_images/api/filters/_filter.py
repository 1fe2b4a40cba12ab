# SPDX-License-Identifier: Apache-2.0

"""Filters, and how they combine."""

from collections.abc import Callable
from collections.abc import Mapping
import datetime
from typing import Any
from typing import NoReturn

from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._image import ImageRef


class Filter:
    """A condition on images, not to be changed.

    Filters combine with ``&``, ``|`` and ``~``. Make your own from any
    function of an image::

        big = Filter(lambda image: (image.size or 0) > 10**10)

    :param matches: returns whether an image matches
    :param query: query parameters with which the server excludes only images
        that do not match
    :param created_since: a time with a zone: no image that was created
        earlier matches
    :param hints: like ``query``, but understood by some servers only: a
        listing sends them once the server is seen to filter by them
    :param brief: whether ``matches`` needs only the ID and the name
    :param label: repr of the filter
    """

    __slots__ = (
        *('_label', '_matches', 'brief', 'created_since', 'hints', 'query'),
    )

    def __init__(
        self,
        matches: Callable[[Any], object],
        query: Mapping[str, str | int] = {},
        *,
        created_since: datetime.datetime | None = None,
        hints: Mapping[str, str | int] = {},
        brief: bool = False,
        label: str | None = None,
    ) -> None:
        if not callable(matches):
            raise TypeError(
                f'A filter is made from a function of an image, not from '
                f'{type(matches).__name__}'
            )
        if created_since is not None and created_since.tzinfo is None:
            raise ValueError('created_since has no time zone')
        self._matches = matches
        self.query: Mapping[str, str | int] = {**query}
        self.hints: Mapping[str, str | int] = {**hints}
        self.created_since = created_since
        self.brief = brief
        self._label = label or f'Filter({matches!r})'

    def matches(self, image: Image | ImageRef) -> bool:
        """Return whether an image matches.

        :raises TypeError: for an :class:`ImageRef`, if the filter needs more
            than ID and name
        """
        if not isinstance(image, (Image, ImageRef)):
            raise TypeError(
                f'A filter is applied to an Image, not to '
                f'{type(image).__name__}'
            )
        if not self.brief and not isinstance(image, Image):
            raise TypeError(
                f'{self} needs more than the ID and name of an image: list '
                f'images with list_detail()'
            )
        return bool(self._matches(image))

    def __and__(self, other: 'Filter') -> 'Filter':
        """Select images that match both filters."""
        if not isinstance(other, Filter):
            return NotImplemented
        if self is EVERYTHING or other is EVERYTHING:
            return other if self is EVERYTHING else self
        mine, others = self._matches, other._matches
        since = [t for t in (self.created_since, other.created_since) if t]
        return Filter(
            lambda image: mine(image) and others(image),
            # If both have a parameter, either one is correct.
            {**other.query, **self.query},
            hints={**other.hints, **self.hints},
            created_since=max(since, default=None),
            brief=self.brief and other.brief,
            label=f'{self._operand()} & {other._operand()}',
        )

    def __or__(self, other: 'Filter') -> 'Filter':
        """Select images that match at least one of two filters."""
        if not isinstance(other, Filter):
            return NotImplemented
        if self is EVERYTHING or other is EVERYTHING:
            return EVERYTHING
        mine, others = self._matches, other._matches
        since = [t for t in (self.created_since, other.created_since) if t]
        return Filter(
            lambda image: mine(image) or others(image),
            # Only parameters that exclude an image from both.
            dict(self.query.items() & other.query.items()),
            hints=dict(self.hints.items() & other.hints.items()),
            created_since=min(since) if len(since) == 2 else None,
            brief=self.brief and other.brief,
            label=f'{self._operand()} | {other._operand()}',
        )

    def __invert__(self) -> 'Filter':
        """Select images that do not match the filter."""
        mine = self._matches
        # No query parameters: they would exclude the images that match now.
        return Filter(
            lambda image: not mine(image),
            brief=self.brief,
            label=f'~{self._operand()}',
        )

    def __bool__(self) -> NoReturn:
        raise TypeError(
            'A filter has no truth value: combine filters with &, | and ~ '
            'instead of "and", "or" and "not", or compare with None'
        )

    def __repr__(self) -> str:
        return self._label

    def _operand(self) -> str:
        compound = ' & ' in self._label or ' | ' in self._label
        return f'({self._label})' if compound else self._label


def having(
    field: str, test: Callable[[Any], object], **options: Any
) -> Filter:
    """Select images by a field; images without it do not match.

    :param test: of the value of the field
    :param options: of the filter
    """

    def matches(image: Image) -> object:
        value = getattr(image, field)
        return value is not None and test(value)

    return Filter(matches, **options)


#: The filter that every image matches; it has no query parameters.
EVERYTHING = Filter(lambda _image: True, brief=True, label='EVERYTHING')


def as_filter(where: object) -> Filter:
    """Return the filter of an argument ``where``, which may be None."""
    if where is None:
        return EVERYTHING
    if isinstance(where, Filter):
        return where
    raise TypeError(
        f'where takes a filter, such as filters.name("x"), not '
        f'{where!r:.80}; use filters.Filter for a function, and opts for '
        f'query parameters and ListOpts'
    )
