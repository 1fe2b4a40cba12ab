# SPDX-License-Identifier: Apache-2.0

"""What a listing selects, and when it has all of it."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import datetime
import math
from typing import Any
from typing import Generic
from typing import Protocol
from typing import TypeVar

from osc_compute_images.api._image import Image
from osc_compute_images.api._image import ImageRef
from osc_compute_images.api._options import check_count
from osc_compute_images.api._options import ListOptsBuilder
from osc_compute_images.api._options import query_of
from osc_compute_images.api._times import created_at
from osc_compute_images.api.filters._filter import checked
from osc_compute_images.api.filters._filter import EVERYTHING
from osc_compute_images.api.filters._filter import Filter

_Record = TypeVar('_Record', bound=Image | ImageRef)

#: Images of the first page where few are wanted, and a filter decides which.
#: Of smaller pages each image costs the server noticeably more.
_SMALL_PAGE = 100


class _Page(Protocol[_Record]):
    images: list[_Record]


_PageT = TypeVar('_PageT', bound=_Page[Any])


class Selection(Generic[_Record]):
    """The images that a listing is to yield.

    :param record: what is listed: ``Image`` or ``ImageRef``
    :param opts: query parameters; they count where the filter has the same
    :param where: what is asked of the server in addition, and checked here
    :param first_page_size: images on the first page, if not as many as on
        the others
    :param max_items: how many images there are to be at most
    :raises TypeError: if any of these is something else, or a filter needs
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
        self.where = checked(where)
        if record is ImageRef and not self.where.brief:
            raise TypeError(
                f'A brief listing has no more than ID and name, which is too '
                f'little for {self.where}: use list_detail()'
            )
        check_count('first_page_size', first_page_size)
        check_count('max_items', max_items)
        self._opts = query_of(opts)
        limit = self._opts.pop('limit')
        first = first_page_size
        if max_items is not None:
            if self.where is EVERYTHING:
                # Pages of the same size, and as few as there can be.
                limit = math.ceil(max_items / math.ceil(max_items / limit))
            elif first is None:
                first = max(max_items, _SMALL_PAGE)
        #: Without the limit.
        self.query: Mapping[str, Any] = {**self.where.query, **self._opts}
        #: Images of a page, and of the first.
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

    def of(self, pages: Iterator[_PageT]) -> Iterator[_PageT]:
        """Yield the pages with what is selected of their images.

        The listing ends where nothing that comes later can be selected.
        """
        if self._max_items is None and self.where is EVERYTHING:
            return pages
        return self._select(pages)

    def _select(self, pages: Iterator[_PageT]) -> Iterator[_PageT]:
        left = self._max_items
        order = _Order(self.where.created_since)
        matches = self.where.matches
        for page in pages:
            is_over = order.is_over(page.images)
            page.images = [image for image in page.images if matches(image)]
            if left is not None:
                page.images = page.images[:left]
                left -= len(page.images)
            yield page
            if is_over or left == 0:
                return
            # One page is enough to hold in memory.
            del page


class _Order:
    """Watches whether images come the newest first, as Nova lists them.

    :param since: what is wanted was created then or later
    """

    def __init__(self, since: datetime.datetime | None) -> None:
        self._since = since
        self._last: datetime.datetime | None = None
        self._is_kept = since is not None
        self._has_descended = False

    def is_over(self, images: Sequence[Any]) -> bool:
        """Tell whether all that comes after these images is too old."""
        if not self._is_kept or self._since is None:
            return False
        for image in images:
            created = created_at(image)
            last, self._last = self._last, created
            if created is None or (last is not None and created > last):
                self._is_kept = False
                return False
            # NOTE: images of one age do not tell the order.
            self._has_descended |= last is not None and created < last
        return (
            self._has_descended
            and self._last is not None
            and self._last < self._since
        )
