# SPDX-License-Identifier: Apache-2.0

"""List a collection of Compute page by page: images, flavors, servers.

The next request is built from the parameters of the caller and a marker; links
are not followed. A listing is complete, or raises an error, and has no
duplicates.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import time
from typing import Any
from typing import Generic
from typing import TypeVar
import urllib.parse

from osc_compute_images.api import _errors
from osc_compute_images.api import _limits
from osc_compute_images.api.listing._history import History

#: Something with an ID, which may be empty.
_Item = TypeVar('_Item', bound=Any)

#: Sends the request for a page, given its query, and returns the body.
Fetch = Callable[[Mapping[str, Any]], bytes]

#: If a page takes longer than this number of seconds, the next page is larger
#: by this factor, up to the limit.
_SLOW = 0.25
_GROWTH = 4

_REJECTED_MARKER = (_errors.BadRequest, _errors.Forbidden)


class ImagePage(Generic[_Item]):
    """A page of a listing."""

    #: The images of the page that match, in the server's order, without
    #: duplicates of earlier pages. There may be none, also on a page that is
    #: not the last.
    images: list[_Item]

    # NOTE: entries is their number in the response, with malformed ones.
    def __init__(
        self, images: list[_Item], entries: int, next_url: str | None
    ) -> None:
        self.images = images
        self._entries = entries
        self._next_url = next_url
        self._marker = _last_id(images) or _marker_of(next_url)
        #: The requested number of images.
        self._limit = 1

    def __repr__(self) -> str:
        last = ', the last' if self.is_last() else ''
        return f'<ImagePage with {len(self.images)} images{last}>'

    def is_empty(self) -> bool:
        """Return whether the page has no images."""
        return not self.images

    def is_last(self) -> bool:
        """Return whether this is the last page.

        It is shorter than requested, and has no link to a next page.
        """
        return self._next_url is None and self._entries < self._limit

    def next_page_url(self) -> str | None:
        """Return the server's link to the next page, or None.

        For information only: a :class:`Pager` never follows it. Nova omits it
        if the limit is above its maximum, and builds it from the Host header
        of the request, which may differ from the endpoint.
        """
        return self._next_url

    def next_marker(self) -> str | None:
        """Return the marker of the next page, or None.

        It is None for the last page, or if the server sends a link without a
        marker after a page without IDs.
        """
        return None if self.is_last() else self._marker


class Listing(Generic[_Item]):
    """A listing of a collection.

    :param kind: name of the collection, for messages: ``images``
    :param fetch: requests a page
    :param read: decodes the body of the response
    :param query: query parameters, with the page size as ``limit``
    :param first_page_size: size of the first page, if less than the limit;
        pages grow up to the limit while the server is slow
    """

    def __init__(
        self,
        kind: str,
        fetch: Fetch,
        read: Callable[[bytes], ImagePage[_Item]],
        query: Mapping[str, Any],
        first_page_size: int | None = None,
    ) -> None:
        self._kind = kind
        self._fetch = fetch
        self._read = read
        self._query = dict(query)
        self._limit: int = query['limit']
        self._query['limit'] = min(first_page_size or self._limit, self._limit)
        self._history = History(query.get('marker'))
        self._obtained = 0

    def items(self) -> Iterator[_Item]:
        """Yield all items.

        :raises ImagesError: if the listing cannot be completed
        """
        for page in self._pages():
            yield from page.images

    def pages(self) -> Iterator[ImagePage[_Item]]:
        """Yield the pages.

        :raises ListingInterrupted: if an error occurs after the first page
        :raises ImagesError: if the first page cannot be fetched
        """
        try:
            yield from self._pages()
        except _errors.ImagesError as e:
            if not self._history.has_begun:
                raise
            raise self._interrupted(e) from e

    def _pages(self) -> Iterator[ImagePage[_Item]]:
        page = self._page(self._query)
        while True:
            yield page
            if page.is_last():
                return
            marker = page.next_marker()
            # Free it before the next request.
            del page
            page = self._page_after(marker)

    def _page_after(self, marker: str | None) -> ImagePage[_Item]:
        if marker is None:
            raise _errors.InvalidResponse(
                f'The server reports more {self._kind}, but no marker for the '
                f'next page'
            )
        self._history.add_marker(marker)
        try:
            return self._page({**self._query, 'marker': marker})
        except _REJECTED_MARKER as e:
            # The image may have been deleted. An administrator can still use
            # it as a marker.
            self._history.reject(marker)
            return self._go_back(e)

    def _go_back(self, rejection: _errors.ImagesError) -> ImagePage[_Item]:
        """Continue from an earlier position, without duplicates.

        :raises ImagesError: the rejection, if every position is rejected
        """
        for position in self._history.earlier_positions():
            with contextlib.suppress(*_REJECTED_MARKER):
                return self._page({**self._query, **position})
        try:
            raise rejection
        finally:
            # Break the cycle: its traceback refers to this frame.
            del rejection

    def _page(self, query: Mapping[str, Any]) -> ImagePage[_Item]:
        began = time.monotonic()
        page = self._read(self._fetch(query))
        page._limit = query['limit']
        marker = page.next_marker()
        if marker is not None and self._history.has_marker(marker):
            raise _errors.InvalidResponse(
                f'The server repeats a page of {self._kind}'
            )
        if marker is not None and not (
            self._history.has_all or _last_id(page.images)
        ):
            # It may be the marker of forgotten images.
            raise _errors.InvalidResponse(
                f'The server sends a page without {self._kind}, after too '
                f'many to recognize duplicates'
            )
        page.images = self._history.add(page.images)
        self._obtained += len(page.images)
        if time.monotonic() - began > _SLOW:
            limit = min(query['limit'] * _GROWTH, self._limit)
            self._query['limit'] = limit
        return page

    def _interrupted(
        self, e: _errors.ImagesError
    ) -> _errors.ListingInterrupted:
        marker = self._history.last
        kind = self._kind if self._obtained != 1 else self._kind[:-1]
        if not self._obtained:
            where = f'before the first of the {self._kind}'
        elif marker is None:
            where = f'after {self._obtained} {kind}'
            if not self._history.has_all:
                where += ', too many to go back'
            where += '; list all again'
        else:
            where = f'after {self._obtained} {kind}, the last one {marker}'
        return _errors.ListingInterrupted(
            f'{e.message}; the listing stopped {where}',
            marker=marker,
            obtained=self._obtained,
            http_status=e.http_status,
            request_id=e.request_id,
        )


def _last_id(items: list[Any]) -> str | None:
    return next((item.id for item in reversed(items) if item.id), None)


def _marker_of(url: str | None) -> str | None:
    try:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(url or '').query)
    except ValueError:
        return None
    marker = query.get('marker', [''])[-1]
    return marker if 0 < len(marker) <= _limits.MAX_ID_LENGTH else None
