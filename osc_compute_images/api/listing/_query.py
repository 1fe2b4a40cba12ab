# SPDX-License-Identifier: Apache-2.0

"""The query of a listing: what it requests, selects, and when it ends."""

from collections.abc import Iterator
from collections.abc import Mapping
import math
from typing import Any
from typing import TypeVar

from osc_compute_images.api.filters._filter import as_filter
from osc_compute_images.api.filters._filter import EVERYTHING
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.listing._options import check_count
from osc_compute_images.api.listing._options import ListOptsBuilder
from osc_compute_images.api.listing._options import query_of
from osc_compute_images.api.listing._order import Order
from osc_compute_images.api.listing._page import ImagePage

_Item = TypeVar('_Item', bound=Any)

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
    :raises ValueError: for a number below 1
    :ivar parameters: query parameters, without the limit
    :ivar hints: those for servers that are seen to filter by them
    :ivar limit: page size
    :ivar first_page_size: page size of the first page
    :ivar selects_all: whether all images of all pages are selected
    """

    def __init__(
        self,
        opts: ListOptsBuilder | Mapping[str, str | int] | None,
        where: Filter | None = None,
        max_items: int | None = None,
        *,
        brief: bool = False,
    ) -> None:
        self._where = as_filter(where)
        check_count('max_items', max_items)
        self._max_items = max_items
        self._opts = query_of(opts)
        self.limit: int = self._opts.pop('limit')
        self.parameters = {**self._where.query, **self._opts}
        self.hints = self._where.hints
        if brief and not self._where.brief:
            raise TypeError(
                f'{self._where} needs more than the ID and name of an image: '
                f'use list_detail()'
            )
        self.selects_all = max_items is None and self._where is EVERYTHING
        if max_items is not None and self._where is EVERYTHING:
            # As few pages as possible, of equal size.
            pages = math.ceil(max_items / self.limit)
            self.limit = math.ceil(max_items / pages)
        least = max(max_items or self.limit, _MIN_PAGE_SIZE)
        self.first_page_size = min(least, self.limit)

    def __repr__(self) -> str:
        return (
            f'where={self._where}, opts={self._opts}, '
            f'max_items={self._max_items}'
        )

    def select(
        self, pages: Iterator[ImagePage[_Item]]
    ) -> Iterator[ImagePage[_Item]]:
        """Yield the pages, each with only its selected images.

        Stops when no later page can have selected images.
        """
        left = self._max_items
        order = Order()
        since = self._where.created_since
        matches = self._where.matches
        for page in pages:
            # Whether all later images are too old.
            is_over = since is not None and order.is_older(page.images, since)
            page.images = [image for image in page.images if matches(image)]
            if left is not None:
                page.images = page.images[:left]
                left -= len(page.images)
            yield page
            if is_over or left == 0:
                return
            # Free it before the next request.
            del page
