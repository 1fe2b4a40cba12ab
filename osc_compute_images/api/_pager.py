# SPDX-License-Identifier: Apache-2.0

"""Listing page by page."""

from collections import deque
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import itertools
import time
from typing import Any
from typing import Generic
from typing import NoReturn
from typing import TypeVar
import urllib.parse

from osc_compute_images.api import _decode
from osc_compute_images.api import _errors
from osc_compute_images.api._image import Image
from osc_compute_images.api._image import ImageRef
from osc_compute_images.api._selection import Selection

_Record = TypeVar('_Record', bound=Image | ImageRef)

#: How many of the last images are remembered, so that none comes twice. More
#: would take memory, and a server that goes round is noticed anyway.
REMEMBERED = 2000

#: How many of the last pages' beginnings are gone back to.
_MARKERS = 10

#: Seconds that a page may take before larger ones are asked for, and by how
#: much they are larger, where the listing begins with a small one.
_SLOW = 0.25
_GROWTH = 4


class _Listed:
    """What the last pages had.

    :ivar markers: where the pages began, the last one last
    """

    def __init__(self) -> None:
        self.markers: list[str] = []
        self._ids: set[str] = set()
        self._pages: deque[list[str]] = deque()
        self._has_forgotten = False

    def before(self) -> Iterator[dict[str, str]]:
        """Yield parameters that lead to where the last page was, or before."""
        ids = self._pages[-1]
        step = 2
        # The first of the page comes last, however many there are.
        while step < 2 * len(ids):
            marker = ids[-min(step, len(ids))]
            if marker:
                yield {'marker': marker}
            step *= 2
        for marker in self.markers[: -_MARKERS - 1 : -1]:
            yield {'marker': marker}
        if not self._has_forgotten:
            # To the beginning.
            yield {}

    def add(self, images: list[Any]) -> list[Any]:
        """Remember the images of a page, and return those that are new."""
        ids = [image.id for image in images]
        expected = len(self._ids) + len(ids)
        self._ids.update(ids)
        if len(self._ids) < expected:
            images = [*self._new(images)]
            ids = [image.id for image in images]
        self._pages.append(ids)
        if len(self._ids) - len(self._pages[0]) > REMEMBERED:
            self._ids.difference_update(self._pages.popleft())
            self._has_forgotten = True
        return images

    def _new(self, images: list[Any]) -> Iterator[Any]:
        known = set(itertools.chain.from_iterable(self._pages))
        for image in images:
            # Those without an ID may be different ones.
            if image.id not in known or not image.id:
                yield image
            known.add(image.id)


class ImagePage(Generic[_Record]):
    """One page of a listing.

    :param page: the decoded answer
    :param limit: how many images were asked for
    :param new: picks the images that no page before this one had
    """

    #: Those that match, and that no page before this one had.
    images: list[_Record]

    def __init__(
        self,
        page: _decode.Page[_Record],
        limit: int,
        new: Callable[[list[_Record]], list[_Record]],
    ) -> None:
        self._next_page_url = page.next_url
        self._is_last = page.next_url is None and page.entries < limit
        self._next_marker = None if self._is_last else _next_marker(page)
        self.images = new(page.images)

    def __repr__(self) -> str:
        last = ', the last' if self._is_last else ''
        return f'<ImagePage with {len(self.images)} images{last}>'

    def is_empty(self) -> bool:
        """Tell whether there is no image on this page."""
        return not self.images

    def is_last(self) -> bool:
        """Tell whether no page comes after this one.

        It is shorter than was asked for, and has no link to another one.
        """
        return self._is_last

    def next_page_url(self) -> str | None:
        """Return the server's own link to the next page, or None.

        For information: Nova leaves it out where the limit is above its own,
        and makes it from the request's Host header, so that its host and
        scheme need not be those of the endpoint. A :class:`Pager` never
        sends anything there.
        """
        return self._next_page_url

    def next_marker(self) -> str | None:
        """Return the marker that the next page begins after, or None.

        There is none where this page is the last, or where the server says
        that there is another one, but not where.
        """
        return self._next_marker


def _next_marker(page: _decode.Page[Any]) -> str | None:
    for image in reversed(page.images):
        if image.id:
            marker: str = image.id
            return marker
    return _marker_of(page.next_url) if page.next_url else None


def _marker_of(url: str) -> str | None:
    try:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    except ValueError:
        return None
    return query.get('marker', [None])[-1]


class Pager(Generic[_Record]):
    """A listing: iterate over it for its images, one after the other.

    Nothing is requested before the first image is asked for, and each page
    only when the one before it has been used up. Every iteration is a
    listing of its own, from the beginning.

    A listing is complete or it ends in an error, and no image comes twice.
    Images that appear while it runs are left out (Nova lists the newest
    first), unless all of the first page is deleted meanwhile.
    """

    # NOTE: fetch sends the request for a page, given its query parameters, and
    # read reads the body of the answer.
    def __init__(
        self,
        fetch: Callable[[Mapping[str, Any]], bytes],
        read: Callable[[bytes], _decode.Page[_Record]],
        selection: Selection[_Record],
    ) -> None:
        self._fetch = fetch
        self._read = read
        self._selection = selection

    def __repr__(self) -> str:
        return f'<Pager of {self._selection}>'

    def __getitem__(self, index: object) -> NoReturn:
        raise TypeError(
            'A Pager has no indices: write next(iter(pager), None) for the '
            'first image, max_items=... in the listing for the first few, '
            '[*pager] for a list of all'
        )

    def __len__(self) -> NoReturn:
        raise TypeError(
            'The number of images is known when all have come: len([*pager])'
        )

    def __iter__(self) -> Iterator[_Record]:
        return itertools.chain.from_iterable(
            page.images for page in self.pages()
        )

    def pages(self) -> Iterator[ImagePage[_Record]]:
        """Yield page after page, each with those of its images that match.

        :raises ListingInterrupted: if the listing can't be completed, after
            at least one page has come
        :raises ImagesError: if not even the first page comes
        """
        return self._selection.of(self._pages())

    def _pages(self) -> Iterator[ImagePage[_Record]]:
        query = {
            **self._selection.query,
            'limit': self._selection.first_page_size,
        }
        limit = self._selection.limit
        last = query.get('marker')
        obtained = 0
        listed = _Listed()
        if last is not None:
            listed.markers.append(last)
        began = time.monotonic()
        page = ImagePage(
            self._read(self._fetch(query)),
            query['limit'],
            listed.add,
        )
        while True:
            if time.monotonic() - began > _SLOW:
                query['limit'] = min(query['limit'] * _GROWTH, limit)
            obtained += len(page.images)
            if page.images:
                last = page.images[-1].id or last
            yield page
            if page.is_last():
                return
            marker = page.next_marker()
            # One page is enough to hold in memory.
            del page
            began = time.monotonic()
            try:
                page = self._page_after(marker, query, listed)
            except _errors.ImagesError as e:
                raise _errors.ListingInterrupted(
                    f'{e.message}; the listing stopped after {obtained} '
                    f'images, the last of them {last}',
                    marker=last,
                    obtained=obtained,
                    status=e.status,
                    request_id=e.request_id,
                ) from e

    def _page_after(
        self,
        marker: str | None,
        query: Mapping[str, Any],
        listed: _Listed,
    ) -> ImagePage[_Record]:
        """Return the page that begins after an image."""
        if marker is None:
            raise _errors.InvalidResponse(
                'The server says that there is more, but not where'
            )
        body = self._fetch_after(marker, query, listed)
        listed.markers.append(marker)
        page = ImagePage(self._read(body), query['limit'], listed.add)
        if page.next_marker() in listed.markers:
            raise _errors.InvalidResponse(
                'The server repeats a page that it has sent'
            )
        return page

    def _fetch_after(
        self,
        marker: str,
        query: Mapping[str, Any],
        listed: _Listed,
    ) -> bytes:
        """Fetch the page after a marker, or after one before it.

        The image of the marker may have been deleted meanwhile. Then Nova
        refuses the marker (to all but administrators), and one that was
        listed before it has to do: what comes twice is left out.
        """
        try:
            return self._fetch({**query, 'marker': marker})
        except (_errors.BadRequest, _errors.Forbidden) as e:
            refusal = e
        for earlier in listed.before():
            with contextlib.suppress(_errors.BadRequest, _errors.Forbidden):
                return self._fetch({**query, **earlier})
        raise refusal
