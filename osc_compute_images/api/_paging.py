# SPDX-License-Identifier: Apache-2.0

"""Reading a collection of Compute page by page: images, flavors, servers.

The next request is made of the caller's own parameters and a marker, never
of a link. A listing is complete or it ends in an error, and nothing comes
twice.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import time
from typing import Any
from typing import Generic
from typing import NamedTuple
from typing import TypeVar
import urllib.parse

from osc_compute_images.api import _decode
from osc_compute_images.api import _errors
from osc_compute_images.api import _limits
from osc_compute_images.api._history import History

#: Something with an ID, which may be empty.
_Item = TypeVar('_Item')

#: Sends the request for a page, given its query, and returns the body.
Fetch = Callable[[Mapping[str, Any]], bytes]

#: Seconds that a page may take before larger ones are asked for, and by how
#: much they are larger, where the listing begins with a small one.
_SLOW = 0.25
_GROWTH = 4

_REFUSED_MARKER = (_errors.BadRequest, _errors.Forbidden)


class Page(NamedTuple, Generic[_Item]):
    """One page of a collection.

    :param items: those that no page before this one had
    :param next_url: the server's link to the next page, if there is one
    :param is_last: whether no page comes after this one
    :param next_marker: what the next page begins after, if there is one and
        the server says where
    """

    items: list[_Item]
    next_url: str | None
    is_last: bool
    next_marker: str | None


class Listing(Generic[_Item]):
    """One run through a collection.

    :param kind: what is listed, for messages: ``images``
    :param fetch: sends the request for a page
    :param read: reads its answer
    :param query: what to list: ``limit`` is the size of a page, ``marker``
        the ID after which the listing begins
    :param first_page_size: items of the first page, if less than the limit:
        pages grow up to the limit as long as the server takes long for them
    """

    def __init__(
        self,
        kind: str,
        fetch: Fetch,
        read: Callable[[bytes], _decode.Page[_Item]],
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
        """Yield all items; a part of them is of no use to the caller.

        :raises ImagesError: if the listing can't be completed
        """
        for page in self._pages():
            yield from page.items

    def pages(self) -> Iterator[Page[_Item]]:
        """Yield page after page.

        :raises ListingInterrupted: if the listing can't be completed, after
            at least one page has come
        :raises ImagesError: if not even the first page comes
        """
        try:
            yield from self._pages()
        except _errors.ImagesError as e:
            if not self._history.has_begun:
                raise
            raise self._interrupted(e) from e

    def _pages(self) -> Iterator[Page[_Item]]:
        page = self._page(self._query)
        while True:
            yield page
            if page.is_last:
                return
            marker = page.next_marker
            # One page is enough to hold in memory.
            del page
            page = self._page_after(marker)

    def _page_after(self, marker: str | None) -> Page[_Item]:
        if marker is None:
            raise _errors.InvalidResponse(
                f'The server says that there are more {self._kind}, but not '
                f'where'
            )
        self._history.add_marker(marker)
        try:
            page = self._page({**self._query, 'marker': marker})
        except _REFUSED_MARKER as e:
            # Its image may have been deleted meanwhile; to an administrator
            # Nova answers all the same.
            self._history.refuse(marker)
            page = self._page_before(e)
        if page.next_marker and self._history.has_marker(page.next_marker):
            raise _errors.InvalidResponse(
                f'The server repeats a page of {self._kind} that it has sent'
            )
        return page

    def _page_before(self, refusal: _errors.ImagesError) -> Page[_Item]:
        """Go back to an earlier marker; what comes again is left out.

        :raises ImagesError: the refusal, if there is none that is accepted
        """
        for earlier in self._history.ways_back():
            with contextlib.suppress(*_REFUSED_MARKER):
                return self._page({**self._query, **earlier})
        try:
            raise refusal
        finally:
            # Its traceback refers to this frame.
            del refusal

    def _page(self, query: Mapping[str, Any]) -> Page[_Item]:
        began = time.monotonic()
        page = self._read(self._fetch(query))
        is_last = page.next_url is None and page.entries < query['limit']
        marker = None if is_last else _next_marker(page)
        new = self._history.add(page.items)
        self._obtained += len(new)
        if time.monotonic() - began > _SLOW:
            limit = min(query['limit'] * _GROWTH, self._limit)
            self._query['limit'] = limit
        return Page(new, page.next_url, is_last, marker)

    def _interrupted(
        self, e: _errors.ImagesError
    ) -> _errors.ListingInterrupted:
        marker = self._history.last
        if not self._obtained:
            where = f'before any {self._kind} came'
        elif marker is None:
            where = f'after {self._obtained} {self._kind}; list all again'
        else:
            where = (
                f'after {self._obtained} {self._kind}, the last of them '
                f'{marker}'
            )
        return _errors.ListingInterrupted(
            f'{e.message}; the listing stopped {where}',
            marker=marker,
            obtained=self._obtained,
            http_status=e.http_status,
            request_id=e.request_id,
        )


def _next_marker(page: _decode.Page[Any]) -> str | None:
    for item in reversed(page.items):
        if item.id:
            marker: str = item.id
            return marker
    return _marker_of(page.next_url) if page.next_url else None


def _marker_of(url: str) -> str | None:
    try:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    except ValueError:
        return None
    marker = query.get('marker', [''])[-1]
    return marker if 0 < len(marker) <= _limits.MAX_ID_LENGTH else None
