# SPDX-License-Identifier: Apache-2.0

"""The query of a listing: what it requests, selects, and when it ends."""

from collections.abc import Iterator
from collections.abc import Mapping
import math
from typing import Any
from typing import Generic
from typing import TypeVar

from osc_compute_images.api.filters._filter import as_filter
from osc_compute_images.api.filters._filter import EVERYTHING
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.listing._options import check_count
from osc_compute_images.api.listing._options import ListOptsBuilder
from osc_compute_images.api.listing._options import query_of
from osc_compute_images.api.listing._order import Order
from osc_compute_images.api.listing._paging import ImagePage
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._image import ImageRef

_Record = TypeVar('_Record', bound=Image | ImageRef)

#: Minimum size of the first page for a filter and a small ``max_items``.
#: Smaller pages cost the server noticeably more per image.
_MIN_PAGE_SIZE = 100


class Query(Generic[_Record]):
    """What a listing requests, and which images it selects.

    :param record: ``Image`` or ``ImageRef``
    :param opts: query parameters; they override those of the filter
    :param where: the filter
    :param first_page_size: number of images on the first page
    :param max_items: maximum number of images
    :raises TypeError: for an argument of another type, or a filter that needs
        more than the records have
    :raises ValueError: for a number below 1
    """

    def __init__(
        self,
        record: type[_Record],
        opts: ListOptsBuilder | Mapping[str, str | int] | None,
        where: Filter | None,
        first_page_size: int | None = None,
        max_items: int | None = None,
    ) -> None:
        self.where = as_filter(where)
        if record is ImageRef and not self.where.brief:
            raise TypeError(
                f'{self.where} needs more than the ID and name of an image: '
                f'use list_detail()'
            )
        check_count('first_page_size', first_page_size)
        check_count('max_items', max_items)
        self._opts = query_of(opts)
        limit = self._opts.pop('limit')
        first = first_page_size
        if max_items is not None:
            if self.where is EVERYTHING:
                # As few pages as possible, of equal size.
                limit = math.ceil(max_items / math.ceil(max_items / limit))
            elif first is None:
                first = max(max_items, _MIN_PAGE_SIZE)
        #: Query parameters, without the limit.
        self.parameters: Mapping[str, Any] = {
            **self.where.query,
            **self._opts,
        }
        #: Page size, and that of the first page.
        self.limit: int = limit
        self.first_page_size = min(first or limit, limit)
        self._max_items = max_items

    def __repr__(self) -> str:
        parts = ['images']
        if self.where is not EVERYTHING:
            parts.append(f'where {self.where}')
        if self._opts:
            parts.append(f'by {self._opts}')
        if self._max_items is not None:
            parts.append(f'at most {self._max_items}')
        return ', '.join(parts)

    def select_from(
        self, pages: Iterator[ImagePage[_Record]]
    ) -> Iterator[ImagePage[_Record]]:
        """Yield the pages, each with only its selected images.

        Stops when no later page can have selected images.
        """
        if self._max_items is None and self.where is EVERYTHING:
            return pages
        return self._select(pages)

    def _select(
        self, pages: Iterator[ImagePage[_Record]]
    ) -> Iterator[ImagePage[_Record]]:
        left = self._max_items
        order = Order()
        since = self.where.created_since
        matches = self.where.matches
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
