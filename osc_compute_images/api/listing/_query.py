# SPDX-License-Identifier: Apache-2.0

"""The query of a listing: what it requests, selects, and when it ends."""

from collections.abc import Iterator
from collections.abc import Mapping
import datetime
import math
from typing import Any

from osc_compute_images.api.filters import _filter
from osc_compute_images.api.listing import _options
from osc_compute_images.api.listing._page import ImagePage

#: Minimum size of the first page for a filter and a small ``max_items``.
#: Smaller pages cost the server noticeably more per image.
_MIN_PAGE_SIZE = 100


class Query:
    """What a listing requests, and which images it selects.

    :param opts: query parameters; they override those of the filter
    :param where: the filter
    :param max_items: maximum number of images
    :param brief: whether the records have only an ID and a name
    :raises TypeError: for an argument of another type, or a filter that needs
        more than the records have
    :raises ValueError: for a number below 1, or a name that Nova ignores
    :ivar parameters: query parameters, without the limit
    :ivar hints: those for servers that are seen to filter by them
    :ivar limit: page size
    :ivar first_page_size: of the first page, if it is below the limit
    :ivar selects_all: whether all images of all pages are selected
    """

    def __init__(
        self,
        opts: _options.ListOptsBuilder | Mapping[str, str | int] | None,
        where: _filter.Filter | None = None,
        max_items: int | None = None,
        *,
        brief: bool = False,
    ) -> None:
        self._where = _filter.as_filter(where)
        _options.check_count('max_items', max_items)
        self._max_items = max_items
        self._opts = _parameters_of(opts)
        self.limit: int = self._opts.pop('limit')
        self.parameters = {**self._where.query, **self._opts}
        self.hints = self._where.hints
        if brief and not self._where.brief:
            raise TypeError(
                f'{self._where} needs more than the ID and name of an image: '
                f'use list_detail()'
            )
        # NOTE: of an ID and a name, the age is unknown.
        self._since = None if brief else self._where.created_since
        has_filter = self._where is not _filter.EVERYTHING
        self.selects_all = max_items is None and not has_filter
        if max_items is not None and not has_filter:
            # As few pages as possible, of equal size.
            pages = math.ceil(max_items / self.limit)
            self.limit = math.ceil(max_items / pages)
        self.first_page_size = max(max_items or self.limit, _MIN_PAGE_SIZE)

    def __repr__(self) -> str:
        return (
            f'where={self._where}, opts={self._opts}, '
            f'max_items={self._max_items}'
        )

    def select(
        self, pages: Iterator[ImagePage[Any]]
    ) -> Iterator[ImagePage[Any]]:
        """Yield the pages, each with only its selected images.

        Stops when no later page can have selected images.
        """
        left = self._max_items
        order = Order()
        since = self._since
        matches = self._where.matches
        for page in pages:
            is_over = False
            if since is not None:
                times = [order.add(image) for image in page.images]
                is_older = any(time and time < since for time in times)
                # All later images are too old.
                is_over = is_older and order.is_certain
            page.images = [image for image in page.images if matches(image)]
            if left is not None:
                page.images = page.images[:left]
                left -= len(page.images)
            yield page
            if is_over or left == 0:
                return
            # Free it before the next request.
            del page


def _parameters_of(
    opts: _options.ListOptsBuilder | Mapping[str, str | int] | None,
) -> dict[str, Any]:
    """Return the query parameters, with a limit that Nova accepts."""
    query: Any = {} if opts is None else opts
    if callable(build := getattr(opts, 'to_image_list_query', None)):
        query = build()
    if not isinstance(query, Mapping):
        raise TypeError(
            f'opts must be ListOpts(...) or a mapping of query parameters, '
            f'not {type(query).__name__}; pass a filter as where=...'
        )
    for name in query:
        if name in _options.NAMES:
            raise ValueError(
                f'The query parameter is {_options.NAMES[name]!r}, not '
                f'{name!r}; use ListOpts(...) for the names of Python'
            )
    query = {name: value for name, value in query.items() if value is not None}
    limit = int(query.get('limit', _options.MAX_PAGE_SIZE))
    _options.check_count('limit', limit)
    return {**query, 'limit': min(limit, _options.MAX_PAGE_SIZE)}


class Order:
    """Whether images arrive newest first, as Nova lists them."""

    def __init__(self) -> None:
        # Whether none is newer than the one before, or has no time.
        self._is_kept = True
        self._last: datetime.datetime | None = None
        # NOTE: images of the same age do not reveal the order.
        self._has_descended = False

    @property
    def is_certain(self) -> bool:
        """Whether the newest images are known to be the first."""
        return self._is_kept and self._has_descended

    def add(self, image: Any) -> datetime.datetime | None:
        """Add the next image, and return its time of creation."""
        created: datetime.datetime | None = image.created_at
        last = self._last
        if created is None or (last is not None and created > last):
            self._is_kept = False
        elif last is not None and created < last:
            self._has_descended = True
        self._last = created
        return created
