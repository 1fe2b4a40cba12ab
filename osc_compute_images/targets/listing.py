# SPDX-License-Identifier: Apache-2.0

"""The images of a region, listed once for their usage and to show them."""

import argparse
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import operator

from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from osc_compute_images.api.changes._links import entries
from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.api.groups import selection
from osc_compute_images.options import choice
from osc_compute_images.output import bounds


class Listing:
    """Lists the images of a region that the options choose.

    Their usage is known when all images have been read. They are kept, so that
    they need not be requested again to be shown, unless they are too many.

    :param on_read: called with the number of images of each page that is read
        for their usage
    :param limit: images per request, if all images are read for their usage
    :ivar where: the filter
    """

    def __init__(
        self,
        api: ImagesAPI,
        parsed_args: argparse.Namespace,
        on_read: Callable[[int], None],
        *,
        limit: int | None = None,
    ) -> None:
        self._api = api
        self._args = parsed_args
        self._limit = limit
        self._usage: Usage | None = None
        self._on_read = on_read
        self._kept: list[Image] | None = None
        self.where = choice.where(api, parsed_args, self.usage)

    def usage(self) -> Usage:
        """Determine the usage of all images, once."""
        if self._usage is None:
            self._usage = self._api.usage(
                self._all(), accept_gaps=self._args.accept_gaps
            )
        return self._usage

    def pages(
        self, opts: ListOpts, first_page_size: int | None = None
    ) -> Iterator[Sequence[Image]]:
        """Yield the selected images, page by page."""
        pages: Iterator[Sequence[Image]]
        if self._kept is None or opts.marker or opts.visibility:
            pager = self._api.list_detail(opts, where=self.where)
            read = pager._pages_from(first_page_size)
            # NOTE: a loop would hold a page in memory during the next request.
            pages = map(operator.attrgetter('images'), read)
        else:
            pages = iter([[*filter(self.where.matches, self._kept)]])
        newest, group_by = self._args.newest, self._args.group_by
        if newest is None:
            return pages
        return selection.Newest(newest, group_by).of_pages(pages)

    def _all(self) -> Iterator[Image]:
        kept: list[Image] = []
        most = bounds.MAX_GATHERED
        for page in self._api.list_detail(ListOpts(limit=self._limit)).pages():
            self._on_read(len(page.images))
            if len(kept) <= most:
                kept += page.images
            yield from entries(page)
        self._kept = kept if len(kept) <= most else None
