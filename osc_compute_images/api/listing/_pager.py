# SPDX-License-Identifier: Apache-2.0

"""Iterate over the images of a listing, or its pages."""

from collections.abc import Callable
from collections.abc import Iterator
import itertools
from typing import Generic
from typing import NoReturn
from typing import TypeVar

from osc_compute_images.api.listing import _paging
from osc_compute_images.api.listing._query import Query
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._image import ImageRef

_Record = TypeVar('_Record', bound=Image | ImageRef)


class Pager(Generic[_Record]):
    """A lazy listing of images.

    Each page is requested when the images before it have been consumed. Each
    iteration starts a new listing.

    A listing is complete, or raises an error, and has no duplicates. Images
    that are created meanwhile are not included (Nova lists the newest first),
    unless all images of the first page are deleted meanwhile.
    """

    # NOTE: fetch requests a page, given its query parameters, and read decodes
    # the body of the response.
    def __init__(
        self,
        fetch: _paging.Fetch,
        read: Callable[[bytes], _paging.ImagePage[_Record]],
        query: Query[_Record],
    ) -> None:
        self._fetch = fetch
        self._read = read
        self._query = query

    def __repr__(self) -> str:
        return f'<Pager of {self._query}>'

    def __getitem__(self, index: object) -> NoReturn:
        raise TypeError(
            'A Pager cannot be indexed: use next(iter(pager), None) for the '
            'first image, max_items=... for the first few, or [*pager] for a '
            'list'
        )

    def __len__(self) -> NoReturn:
        raise TypeError('A Pager has no length: use len([*pager])')

    def __iter__(self) -> Iterator[_Record]:
        return itertools.chain.from_iterable(
            page.images for page in self.pages()
        )

    def pages(self) -> Iterator[_paging.ImagePage[_Record]]:
        """Yield the pages, with the images that match.

        :raises ListingInterrupted: if an error occurs after the first page
        :raises ImagesError: if the first page cannot be fetched
        """
        listing = _paging.Listing(
            'images',
            self._fetch,
            self._read,
            {**self._query.parameters, 'limit': self._query.limit},
            self._query.first_page_size,
        )
        return self._query.select_from(listing.pages())
