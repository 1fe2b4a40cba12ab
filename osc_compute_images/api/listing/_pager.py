# SPDX-License-Identifier: Apache-2.0

"""List a collection of Compute page by page: images, flavors, servers.

The next request is built from the parameters of the caller and a marker; links
are not followed.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import operator
import time
from typing import Any
from typing import Generic
from typing import TypeVar

from osc_compute_images.api import _errors
from osc_compute_images.api.listing._history import History
from osc_compute_images.api.listing._page import ImagePage
from osc_compute_images.api.listing._query import Query

#: Something with an ID, which may be empty.
_Item = TypeVar('_Item', bound=Any)

#: If a page takes longer than this number of seconds, the next page is larger
#: by this factor, up to the limit.
_SLOW = 0.25
_GROWTH = 4

_REJECTED_MARKER = (_errors.BadRequest, _errors.Forbidden)


class Pager(Generic[_Item]):
    """A lazy listing of images.

    Each page is requested when the images before it have been consumed. Each
    iteration starts a new listing.

    A listing is complete, or raises an error, and has no duplicates. Images
    that are created meanwhile are not included (Nova lists the newest first),
    unless all images of the first page are deleted meanwhile.
    """

    # NOTE: fetch requests a page, given its query parameters, and read decodes
    # the body of the response. kind is the name of the collection.
    def __init__(
        self,
        fetch: Callable[[Mapping[str, Any]], bytes],
        read: Callable[[bytes], ImagePage[_Item]],
        query: Query,
        kind: str = 'images',
    ) -> None:
        self._fetch = fetch
        self._read = read
        self._query = query
        self._kind = kind

    def __repr__(self) -> str:
        return f'<Pager of {self._kind}, {self._query}>'

    def __iter__(self) -> Iterator[_Item]:
        # NOTE: not itertools.chain, with which Python crashes if threads share
        # the iterator.
        for images in map(operator.attrgetter('images'), self.pages()):
            yield from images
            # Free them before the next request.
            del images

    def pages(self) -> Iterator[ImagePage[_Item]]:
        """Yield the pages, with the images that match.

        :raises ListingInterrupted: if an error occurs after the first page
        :raises ImagesError: if the first page cannot be fetched
        """
        return self._pages_from(None)

    def _pages_from(self, size: int | None) -> Iterator[ImagePage[_Item]]:
        """Yield the pages; a small first one saves memory.

        The next pages grow while the server is slow.

        :param size: number of images on the first page, if less than the limit
        """
        query = self._query
        first = min(size or query.first_page_size, query.limit)
        history = History(self._kind, first, query.parameters.get('marker'))
        pages = self._all_pages(history)
        return pages if query.selects_all else query.select(pages)

    def _all_pages(self, history: History) -> Iterator[ImagePage[_Item]]:
        page = self._page(history, None)
        try:
            while True:
                yield page
                if page.is_last():
                    return
                marker = history.marker_after(page)
                # Free it before the next request.
                del page
                page = self._page_after(history, marker)
        except _errors.ImagesError as e:
            last = history.last
            where = f'the last one {last}' if last else 'list all again'
            raise _errors.ListingInterrupted(
                f'{e.message}; the listing stopped after {history.obtained} '
                f'of the {self._kind}; {where}',
                marker=last,
                obtained=history.obtained,
                **_errors.origin(e),
            ) from e

    def _page_after(self, history: History, marker: str) -> ImagePage[_Item]:
        try:
            return self._page(history, {'marker': marker})
        except _REJECTED_MARKER:
            # The image may have been deleted. An administrator can still use
            # it as a marker.
            for position in history.positions_before(marker):
                with contextlib.suppress(*_REJECTED_MARKER):
                    return self._page(history, position)
            raise

    def _page(
        self, history: History, position: Mapping[str, str] | None
    ) -> ImagePage[_Item]:
        limit = history.limit
        began = time.monotonic()
        parameters = {**self._query.parameters, 'limit': limit}
        page = self._read(self._fetch({**parameters, **(position or {})}))
        page._limit = limit
        history.add(page, position)
        if time.monotonic() - began > _SLOW:
            history.limit = min(limit * _GROWTH, self._query.limit)
        return page
