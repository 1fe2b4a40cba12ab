# SPDX-License-Identifier: Apache-2.0

"""The images of a region, listed once for their usage and to show them."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

from osc_compute_images.api import Image
from osc_compute_images.api import ImagePage
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from osc_compute_images.api import MAX_PAGE_SIZE
from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.api.filters import Filter
from osc_compute_images.output import bounds


class Images:
    """Lists the images of a region.

    Their usage is known when all images have been read. They are kept, so that
    they need not be requested again to be shown, unless they are too many.

    :param limit: images per request, if all images are read for their usage
    :param accept_gaps: see :class:`.Usage`
    :param on_read: called with the number of images of each page
    """

    def __init__(
        self,
        api: ImagesAPI,
        *,
        limit: int | None = None,
        accept_gaps: bool = False,
        on_read: Callable[[int], None] = lambda _count: None,
    ) -> None:
        self._api = api
        self._limit = limit
        self._accept_gaps = accept_gaps
        self._usage: Usage | None = None
        self._on_read = on_read
        self._kept: list[Image] | None = None

    def usage(self) -> Usage:
        """Determine the usage of all images, once."""
        if self._usage is None:
            self._usage = self._api.usage(
                self._all(), accept_gaps=self._accept_gaps
            )
        return self._usage

    def pages(
        self,
        opts: ListOpts,
        where: Filter,
        first_page_size: int | None = None,
    ) -> Iterator[Sequence[Image]]:
        """Yield the selected images, page by page."""
        if self._kept is None or opts.marker or opts.visibility:
            pager = self._api.list_detail(opts, where=where)
            pages = pager._pages_from(first_page_size or MAX_PAGE_SIZE)
            # NOTE: a loop would hold a page in memory during the next request.
            return map(self._read, pages)
        return iter([[*filter(where.matches, self._kept)]])

    def _all(self) -> Iterator[Image]:
        kept: list[Image] = []
        most = bounds.MAX_GATHERED
        for page in self._api.list_detail(ListOpts(limit=self._limit)).pages():
            images = self._read(page)
            if len(kept) <= most:
                kept += images
            yield from images
        self._kept = kept if len(kept) <= most else None

    def _read(self, page: ImagePage[Image]) -> Sequence[Image]:
        self._on_read(len(page.images))
        return page.images
