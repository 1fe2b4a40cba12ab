# SPDX-License-Identifier: Apache-2.0

"""List the images of the Compute service."""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import itertools
import sys
from typing import Any
from typing import TYPE_CHECKING
from typing import TypeVar

from osc_lib import exceptions
from osc_lib.command import command
from osc_lib.i18n import _

from osc_compute_images.commands import _columns
from osc_compute_images.commands import _connect
from osc_compute_images.commands import _filtering
from osc_compute_images.commands import _progress
from osc_compute_images.commands import _regions
from osc_compute_images.commands import _values

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI

_Part = TypeVar('_Part')

# Of smaller pages each image costs the server noticeably more.
_SMALLEST_PAGE = 100


class ListComputeImage(_connect.ImagesCommand, command.Lister):
    """List images as the Compute service describes them."""

    _description = _('List images, through the Compute service')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        _filtering.add_options(parser)
        parser.add_argument(
            '--long',
            action='store_true',
            default=False,
            help=_('List additional fields in output'),
        )
        parser.add_argument(
            '--limit',
            metavar='<limit>',
            type=_values.positive_integer,
            help=_(
                'Maximum number of images to display. With --max-items: the '
                'number of images to request at a time, at most 1,000'
            ),
        )
        parser.add_argument(
            '--max-items',
            metavar='<max-items>',
            type=_values.positive_integer,
            help=_(
                'Maximum number of images to display, requested in pages of '
                '--limit images'
            ),
        )
        parser.add_argument(
            '--marker',
            metavar='<image>',
            help=_(
                'Display only the images after this one (name or ID), the '
                'last one of a previous list'
            ),
        )
        _regions.add_options(parser)
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        self._answers = _regions.Answers(self.log)
        return super().run(parsed_args) or self._answers.exit_code()

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
    ) -> int:
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.commands import _formatters

        self.formatter: Any = _formatters.quick(self.formatter)
        return super().produce_output(parsed_args, column_names, data)

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        headers, row = _columns.LONG if parsed_args.long else _columns.BRIEF
        regions = _regions.chosen(self.app.client_manager, parsed_args)
        rows: Iterator[tuple[Any, ...]]
        if regions is None:
            rows = (row(image) for image in self._images(parsed_args))
        else:
            headers = ('Region', *headers)
            rows = (
                (_columns.text(region), *row(image))
                for region, image in self._by_region(regions, parsed_args)
            )
        limit = parsed_args.max_items or parsed_args.limit or sys.maxsize
        rows = itertools.islice(rows, min(limit, sys.maxsize))
        rows = map(
            _columns.cells_for(self.app.stdout, parsed_args.formatter), rows
        )
        # What fails at once fails before anything is printed.
        first = list(itertools.islice(rows, 1))
        return headers, itertools.chain(first, rows)

    def _images(self, parsed_args: argparse.Namespace) -> 'Iterator[Image]':
        with _connect.explained():
            api = _connect.images_api(self.app.client_manager)
            parts = _listed(api, parsed_args)
            for images in self._followed(parts, len):
                yield from images

    def _by_region(
        self, regions: Sequence[str], parsed_args: argparse.Namespace
    ) -> 'Iterator[tuple[str, Image]]':
        from osc_compute_images.api import in_regions

        if parsed_args.marker is not None and len(regions) > 1:
            raise exceptions.CommandError(
                _('An image is in one region: name it for --marker')
            )
        manager = self.app.client_manager
        apis = {r: _connect.images_api(manager, r) for r in regions}
        parts = self._answers.of(
            regions,
            in_regions(
                apis, lambda api: _listed(api, parsed_args, len(regions))
            ),
        )
        for region, images in self._followed(parts, lambda part: len(part[1])):
            for image in images:
                yield region, image

    def _followed(
        self, parts: Iterable[_Part], count: Callable[[_Part], int]
    ) -> Iterator[_Part]:
        """Yield the parts, and keep the user posted while the next comes."""
        progress = _progress.Progress(self.app)
        coming = iter(parts)
        obtained = 0
        while True:
            # A reader in a pipe has the rows at once.
            self.app.stdout.flush()
            with progress.counting(obtained):
                part = next(coming, None)
            if part is None:
                return
            yield part
            obtained += count(part)


def _listed(
    api: 'ImagesAPI', parsed_args: argparse.Namespace, regions: int = 1
) -> 'Iterator[Sequence[Image]]':
    """List the images of one region that the user wants, page by page.

    :param regions: how many are listed at the same time
    """
    from osc_compute_images.api import ListOpts
    from osc_compute_images.api import MAX_PAGE_SIZE
    from osc_compute_images.api.filters import EVERYTHING

    chosen = _filtering.chosen(api, parsed_args)
    # With --max-items, --limit is the size of a page. Otherwise a page has
    # all that is displayed, unless the filters leave little of it.
    limit = parsed_args.limit if parsed_args.max_items is not None else None
    if limit is None and chosen is EVERYTHING:
        limit = parsed_args.max_items or parsed_args.limit
    marker = parsed_args.marker
    if marker is not None:
        marker = (
            marker.lower() if _values.is_id(marker) else api.find(marker).id
        )
    opts = ListOpts(
        changes_since=parsed_args.changes_since, limit=limit, marker=marker
    )
    # Each region holds a page in memory: together, about as much as one does.
    first = max(MAX_PAGE_SIZE // regions, _SMALLEST_PAGE)
    pager = api.list_detail(opts, where=chosen, first_page_size=first)
    # NOTE: a loop would hold a page in memory while the next one comes.
    yield from (page.images for page in pager.pages())
