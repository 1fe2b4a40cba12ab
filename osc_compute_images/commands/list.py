# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""List the images of the Compute service."""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import itertools
from typing import Any
from typing import TYPE_CHECKING

from osc_lib.command import command
from osc_lib.i18n import _

from osc_compute_images.commands import _columns
from osc_compute_images.commands import _connect
from osc_compute_images.commands import _filtering
from osc_compute_images.commands import _progress
from osc_compute_images.commands import _values

if TYPE_CHECKING:
    from osc_compute_images.api import filters
    from osc_compute_images.api import ImagePage
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api import Pager


class ListComputeImage(command.Lister):
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
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        rows = self._rows(parsed_args)
        # What fails at once fails before anything is printed.
        rows = itertools.chain(list(itertools.islice(rows, 1)), rows)
        if parsed_args.long:
            return _columns.LONG_HEADERS, rows
        return _columns.HEADERS, rows

    def _rows(
        self, parsed_args: argparse.Namespace
    ) -> Iterator[tuple[Any, ...]]:
        row = _columns.long_row if parsed_args.long else _columns.row
        with _connect.images_api(self.app.client_manager) as api:
            chosen = _filtering.chosen(api, parsed_args)
            pager = _pager(api, chosen, parsed_args)
            maximum = parsed_args.max_items or parsed_args.limit
            rows = (
                row(image)
                for page in self._pages(pager)
                for image in chosen.select(page.images)
            )
            yield from itertools.islice(rows, maximum)

    def _pages(self, pager: 'Pager') -> 'Iterator[ImagePage]':
        """Yield the pages, and keep the user posted while the next comes."""
        progress = _progress.Progress(self.app)
        pages = pager.pages()
        obtained = 0
        while True:
            # A reader in a pipe has the rows at once.
            self.app.stdout.flush()
            with progress.counting(obtained):
                page = next(pages, None)
            if page is None:
                return
            yield page
            obtained += len(page.images)


def _pager(
    api: 'ImagesAPI',
    chosen: 'filters.Filter',
    parsed_args: argparse.Namespace,
) -> 'Pager':
    from osc_compute_images.api import ListOpts
    from osc_compute_images.api import looks_like_id
    from osc_compute_images.api.filters import EVERYTHING

    # With --max-items, --limit is the size of a page. Otherwise a page has
    # all that is displayed, unless the filters leave little of it.
    limit = parsed_args.limit if parsed_args.max_items is not None else None
    if limit is None and chosen is EVERYTHING:
        limit = parsed_args.max_items or parsed_args.limit
    marker = parsed_args.marker
    if marker is not None:
        marker = (
            marker.lower() if looks_like_id(marker) else api.find(marker).id
        )
    return api.list_detail(
        chosen.narrow(
            ListOpts(
                changes_since=parsed_args.changes_since,
                limit=limit,
                marker=marker,
            )
        )
    )
