# SPDX-License-Identifier: Apache-2.0

"""List images."""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import itertools
from typing import Any
from typing import TYPE_CHECKING

from osc_lib.command import command

from osc_compute_images import base
from osc_compute_images.options import habits
from osc_compute_images.options import parsers
from osc_compute_images.options import select
from osc_compute_images.options import unreadable
from osc_compute_images.output import bounds
from osc_compute_images.output import escaping
from osc_compute_images.output import field
from osc_compute_images.output import progress_bar
from osc_compute_images.output import used_by
from osc_compute_images.targets import results
from osc_compute_images.targets import scope

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.changes.usage import Usage

# Smaller pages cost the server noticeably more per image.
_MIN_PAGE_SIZE = 100

# Page size for --newest: enough to see whether the server keeps Nova's order.
_NEWEST_PAGE_SIZE = 20


class ListComputeImage(base.ImagesCommand, command.Lister):
    """List images."""

    _description = 'List images, through the Compute service'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        select.add_options(
            parser,
            'List only the newest image (or as many as --newest says) for '
            'each value of name, server, type, status or property:<key>; '
            'repeat option to combine keys',
        )
        parser.add_argument(
            '--long',
            action='store_true',
            help='List additional fields in output (implied if --column or '
            '--sort-column names one of them)',
        )
        parser.add_argument(
            '--usage',
            action='store_true',
            help='Also list the server that each image was taken from, and '
            'what uses the image (implied by --used-by, --unused and '
            '--orphaned)',
        )
        parser.add_argument(
            '--human-readable',
            action='store_true',
            help='Print image sizes in a human-friendly format',
        )
        parser.add_argument(
            '--limit',
            metavar='<limit>',
            type=parsers.positive_integer,
            help='Maximum number of images to display. With --max-items: '
            'number of images per request, at most 1,000',
        )
        parser.add_argument(
            '--max-items',
            metavar='<max-items>',
            type=parsers.positive_integer,
            help='Maximum number of images to display, in pages of --limit '
            'images (default: no maximum; 250,000 if all are held in '
            'memory, as for a table)',
        )
        parser.add_argument(
            '--marker',
            metavar='<image>',
            type=parsers.name_or_id,
            help='Display only images after this one (name or ID), the last '
            'image of a previous list; it must still exist',
        )
        scope.add_options(parser)
        habits.add_listing(parser)
        return parser

    def check(self, parsed_args: argparse.Namespace) -> None:
        if parsed_args.group_by and parsed_args.newest is None:
            parsed_args.newest = 1

    def run(self, parsed_args: argparse.Namespace) -> int:
        self._progress = progress_bar.Progress(self.app)
        self._results = results.Results(self.log, self._progress)
        self._usages: dict[scope.RegionKey, Usage] = {}
        code = super().run(parsed_args) or self._results.exit_code()
        used_by.warn_of_unknown(self.log, parsed_args, self._usages.values())
        unreadable.warn(self.log, parsed_args)
        return code

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        columns = field.columns(
            long=_is_long(parsed_args),
            human_sizes=parsed_args.human_readable,
        )
        usage = used_by.HEADERS if used_by.is_shown(parsed_args) else ()
        with base.translated_errors():
            regions = scope.selected(self, parsed_args)
        every = field.columns(long=True).headers
        field.check_requested(
            (*regions.headers, *every, *used_by.HEADERS), parsed_args
        )
        rows: Iterator[tuple[Any, ...]] = (
            (
                *map(escaping.text_cell, region),
                *columns.row(image),
                *(used_by.cells(self._usages[region], image) if usage else ()),
            )
            for region, image in self._images(regions, parsed_args)
        )
        rows = bounds.limit_rows(rows, parsed_args)
        rows = map(
            escaping.cell_escaper(self.app.stdout, parsed_args.formatter), rows
        )
        # Raise early errors before anything is printed.
        first = list(itertools.islice(rows, 1))
        headers = (*regions.headers, *columns.headers, *usage)
        return headers, itertools.chain(first, rows)

    def _images(
        self, regions: scope.Regions, parsed_args: argparse.Namespace
    ) -> 'Iterator[tuple[scope.RegionKey, Image]]':
        count = len(regions.apis) + len(regions.failed)
        if parsed_args.marker is not None and count > 1:
            raise base.UsageError(
                '--marker needs a single region: select it with --region'
            )
        joins = used_by.is_shown(parsed_args)
        with base.translated_errors():
            for region, images in self._show_progress(
                self._parts(regions, parsed_args), joins=joins
            ):
                for image in images:
                    yield region, image

    def _parts(
        self, regions: scope.Regions, parsed_args: argparse.Namespace
    ) -> 'Iterator[tuple[scope.RegionKey, Sequence[Image]]]':
        """List the images part by part, and report regions that fail."""
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.targets import streams

        count = len(regions.apis)
        yield from self._results.successful(
            regions,
            streams.in_order(
                regions.apis,
                lambda region, api: self._list(
                    region, api, parsed_args, count
                ),
            ),
        )

    def _show_progress(
        self,
        parts: 'Iterator[tuple[scope.RegionKey, Sequence[Image]]]',
        *,
        joins: bool,
    ) -> 'Iterator[tuple[scope.RegionKey, Sequence[Image]]]':
        """Yield the parts, and show progress while waiting for the next."""
        obtained = 0
        while True:
            # The reader of a pipe gets the rows immediately.
            self.app.stdout.flush()
            with self._progress.counting(obtained, joins=joins):
                part = next(parts, None)
            if part is None:
                return
            yield part
            obtained += len(part[1])

    def _list(
        self,
        region: scope.RegionKey,
        api: 'ImagesAPI',
        parsed_args: argparse.Namespace,
        region_count: int,
    ) -> 'Iterator[Sequence[Image]]':
        """List the selected images of one region, page by page.

        :param region_count: number of regions listed in parallel
        """
        from osc_compute_images.api import ListOpts
        from osc_compute_images.api import MAX_PAGE_SIZE
        from osc_compute_images.targets import listing

        images = listing.Images(
            api,
            limit=parsed_args.max_items and parsed_args.limit,
            accept_gaps=parsed_args.accept_gaps,
            on_read=self._progress.note,
        )
        choice = select.choice(api, parsed_args, images.usage)
        if used_by.is_shown(parsed_args):
            self._usages[region] = images.usage()
        marker = parsed_args.marker
        if marker is not None and not (
            parsers.is_id(marker) and marker == marker.lower()
        ):
            marker = api.find(marker).id
        opts = ListOpts(
            limit=_page_size(choice, parsed_args),
            marker=marker,
            visibility=parsed_args.visibility,
        )
        # Each region holds a page in memory: all together about as much as
        # a single region.
        first = max(MAX_PAGE_SIZE // region_count, _MIN_PAGE_SIZE)
        left: int | None = parsed_args.max_items or parsed_args.limit
        for page in choice.keep_newest(
            images.pages(opts, choice.where, first)
        ):
            yield page[:left]
            if left is not None:
                left -= len(page)
                if left <= 0:
                    # No page is requested that nobody reads.
                    return


def _is_long(parsed_args: argparse.Namespace) -> bool:
    brief = field.columns(long=False).headers
    additional = {*field.columns(long=True).headers} - {*brief}
    return parsed_args.long or field.are_requested(additional, parsed_args)


def _page_size(
    choice: select.Choice, parsed_args: argparse.Namespace
) -> int | None:
    from osc_compute_images.api.filters import EVERYTHING

    limit: int | None = parsed_args.limit
    most: int | None = parsed_args.max_items
    if most is not None and limit is not None:
        return limit
    if choice.where is not EVERYTHING or choice.group_by:
        # Few images of a page may match.
        return None
    if choice.newest is not None:
        return max(choice.newest, _NEWEST_PAGE_SIZE)
    return most or limit
