# SPDX-License-Identifier: Apache-2.0

"""The images of a region, listed once to find their use and to show them."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from osc_compute_images.api.filters import Filter
from osc_compute_images.api.usage import Usage
from osc_compute_images.commands import _packing


class Images:
    """Lists the images of a region.

    What uses them is known when all have been read. They are kept, so that
    they need not be read again to be shown.

    :param limit: images per request, if they are all read for their use
    :param on_read: called with the number of images of each page of these
    """

    def __init__(
        self,
        api: ImagesAPI,
        *,
        limit: int | None = None,
        on_read: Callable[[int], None] = lambda _count: None,
    ) -> None:
        self._api = api
        self._limit = limit
        self._on_read = on_read
        self._kept: list[bytes] | None = None

    def usage(self) -> Usage:
        """Find out who uses what."""
        # NOTE: images first. One that a server is booted from in between
        # counts as used then, which would not hold the other way round.
        pager = self._api.list_detail(ListOpts(limit=self._limit))
        self._kept = [self._read(page.images) for page in pager.pages()]
        return self._api.usage(
            image for part in self._kept for image in _packing.unpack(part)
        )

    def pages(
        self,
        opts: ListOpts,
        where: Filter,
        first_page_size: int | None = None,
    ) -> Iterator[Sequence[Image]]:
        """Yield those that are wanted, page by page."""
        if self._kept is None or opts.marker or opts.visibility:
            pager = self._api.list_detail(
                opts, where=where, first_page_size=first_page_size
            )
            # NOTE: a loop would hold a page in memory while the next comes.
            return (page.images for page in pager.pages())
        return (
            [image for image in _packing.unpack(part) if where.matches(image)]
            for part in self._kept
        )

    def _read(self, images: Sequence[Image]) -> bytes:
        self._on_read(len(images))
        return _packing.pack(images)
