# SPDX-License-Identifier: Apache-2.0

"""List images, of one or several regions."""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import itertools
from typing import Any

from osc_lib import exceptions

from osc_compute_images import base
from osc_compute_images import errors
from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from osc_compute_images.api import MAX_PAGE_SIZE
from osc_compute_images.api.filters import EVERYTHING
from osc_compute_images.api.filters import Filter
from osc_compute_images.options import parsers
from osc_compute_images.output import bounds
from osc_compute_images.output import escaping
from osc_compute_images.output import field
from osc_compute_images.output import used_by
from osc_compute_images.targets import listing
from osc_compute_images.targets import scope
from osc_compute_images.targets import streams
from osc_compute_images.views import view

# Smaller pages cost the server noticeably more per image.
_MIN_PAGE_SIZE = 100

# Page size for --newest: enough to see whether the server keeps Nova's order.
_NEWEST_PAGE_SIZE = 20


class ListView(view.View):
    """The list of the selected images."""

    def run(self) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        self._shows_use = used_by.is_shown(self._args)
        #: How many images to show of all regions, and of each.
        self._most: int | None = self._args.max_items or self._args.limit
        with errors.translated(self._command, self._args):
            regions = scope.selected(self._command, self._args)
        field.check_requested(
            (*regions.headers, *field.LONG, *used_by.HEADERS), self._args
        )
        if self._args.marker and len(regions.apis) + len(regions.failed) > 1:
            raise base.UsageError(
                '--marker needs a single region: select it with --region'
            )
        headers = [
            header
            for header in field.LONG
            if self._args.long
            or header in field.BRIEF
            or field.are_requested([header], self._args)
        ]
        rows = map(self._escaper(), self._rows(regions, headers))
        # Raise early errors before anything is printed.
        first = list(itertools.islice(rows, 1))
        usage = used_by.HEADERS if self._shows_use else ()
        return (
            (*regions.headers, *headers, *usage),
            itertools.chain(first, rows),
        )

    def _rows(
        self, regions: scope.Regions, headers: Sequence[str]
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the cells of each image; show progress between the pages."""
        row_of = field.row_of(headers, human_sizes=self._args.human_readable)
        obtained = 0
        args = self._args
        is_streamed = (
            args.formatter in bounds.STREAMING and not args.sort_columns
        )
        # Whether what was listed has been printed when an error occurs, and
        # --marker lists just the rest.
        args.is_resumable = (
            is_streamed
            and not (self._shows_use or regions.headers)
            and args.newest is None
        )
        most = None if is_streamed or self._most else bounds.MAX_GATHERED
        self._page_size = max(
            MAX_PAGE_SIZE // len(regions.apis or [()]), _MIN_PAGE_SIZE
        )
        with errors.translated(self._command, self._args):
            parts = self._results.successful(
                regions, streams.in_order(regions.apis, self._pages)
            )
            while self._most is None or obtained < self._most:
                # The reader of a pipe gets the rows immediately.
                self._command.app.stdout.flush()
                with self._results.progress.counting(
                    obtained, joins=self._shows_use
                ):
                    part = next(parts, None)
                if part is None:
                    return
                region, images = part
                images = images[: self._most and self._most - obtained]
                obtained += len(images)
                if most is not None and obtained > most:
                    raise exceptions.CommandError(
                        f'There are more than {most:,} images, too many to '
                        f'hold in memory for this format or for sorting: '
                        f'raise the limit with --max-items, or use "-f csv" '
                        f'or "-f value"'
                    )
                where = tuple(map(escaping.text_cell, region))
                for image in images:
                    row = (*where, *row_of(image))
                    if self._shows_use:
                        usage = self._usages[region]
                        row = (*row, *used_by.cells(usage, image))
                    yield row
                # Free them before the next page is requested.
                del part, images

    def _pages(
        self, region: scope.RegionKey, api: ImagesAPI
    ) -> Iterator[Sequence[Image]]:
        """List the selected images of one region, page by page."""
        args = self._args
        images = listing.Listing(
            api,
            args,
            self._results.progress.note,
            limit=args.max_items and args.limit,
        )
        if self._shows_use:
            self._usages[region] = images.usage()
        marker = args.marker
        if marker is not None and not parsers.is_id(marker):
            marker = api.find(marker).id
        opts = ListOpts(
            limit=_limit(images.where, args),
            marker=marker,
            visibility=args.visibility,
        )
        left = self._most
        # Each region holds a page in memory: all together about as much as
        # a single region.
        for page in images.pages(opts, self._page_size):
            yield page[:left]
            if left is not None:
                left -= len(page)
                if left <= 0:
                    # No page is requested that nobody reads.
                    return


def _limit(where: Filter, parsed_args: argparse.Namespace) -> int | None:
    """Return how many images to request at a time, if that is known."""
    limit: int | None = parsed_args.limit
    most: int | None = parsed_args.max_items
    if most is not None and limit is not None:
        return limit
    if where is not EVERYTHING or parsed_args.group_by:
        # Few images of a page may match.
        return None
    newest: int | None = parsed_args.newest
    if newest is not None:
        return max(newest, _NEWEST_PAGE_SIZE)
    return most or limit
