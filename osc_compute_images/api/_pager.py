# SPDX-License-Identifier: Apache-2.0

"""A listing of images, and its pages."""

from collections.abc import Callable
from collections.abc import Iterator
import itertools
from typing import Generic
from typing import NoReturn
from typing import TypeVar

from osc_compute_images.api import _decode
from osc_compute_images.api import _paging
from osc_compute_images.api._image import Image
from osc_compute_images.api._image import ImageRef
from osc_compute_images.api._selection import Selection

_Record = TypeVar('_Record', bound=Image | ImageRef)


class ImagePage(Generic[_Record]):
    """One page of a listing."""

    #: Those that match, and that no page before this one had.
    images: list[_Record]

    def __init__(self, page: _paging.Page[_Record]) -> None:
        self._page = page
        self.images = page.items

    def __repr__(self) -> str:
        last = ', the last' if self.is_last() else ''
        return f'<ImagePage with {len(self.images)} images{last}>'

    def is_empty(self) -> bool:
        """Tell whether there is no image on this page."""
        return not self.images

    def is_last(self) -> bool:
        """Tell whether no page comes after this one.

        It is shorter than was asked for, and has no link to another one.
        """
        return self._page.is_last

    def next_page_url(self) -> str | None:
        """Return the server's own link to the next page, or None.

        For information: Nova leaves it out where the limit is above its own,
        and makes it from the request's Host header, so that its host and
        scheme need not be those of the endpoint. A :class:`Pager` never
        sends anything there.
        """
        return self._page.next_url

    def next_marker(self) -> str | None:
        """Return the marker that the next page begins after, or None.

        There is none where this page is the last, or where the server says
        that there is another one, but not where.
        """
        return self._page.next_marker


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
        fetch: _paging.Fetch,
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
        listing = _paging.Listing(
            'images',
            self._fetch,
            self._read,
            {**self._selection.query, 'limit': self._selection.limit},
            self._selection.first_page_size,
        )
        # NOTE: a loop would hold a page in memory while the next one comes.
        return self._selection.of(map(ImagePage, listing.pages()))
