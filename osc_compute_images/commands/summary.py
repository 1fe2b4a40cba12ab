# SPDX-License-Identifier: Apache-2.0

"""Count images and add up their sizes."""

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
from osc_compute_images.commands import _regions
from osc_compute_images.commands import _results
from osc_compute_images.commands import _unreadable
from osc_compute_images.commands import _usage
from osc_compute_images.commands import _values

if TYPE_CHECKING:
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.summary import Summary
    from osc_compute_images.api.usage import Usage

#: Headers of the columns of keys; those of properties are their keys.
_HEADERS = {
    'name': 'Name',
    'server': 'Server ID',
    'type': 'Type',
    'status': 'Status',
}


class SummarizeComputeImages(_connect.ImagesCommand, command.Lister):
    """Count images and add up their sizes, by group."""

    _description = _(
        'Count images and add up their sizes, through the Compute service'
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--group-by',
            metavar='<key>[,<key>...]',
            action='extend',
            type=_values.group_keys,
            default=[],
            help=_(
                'Group the images by name, server, type, status or '
                'property:<key> (default: all images are one group)'
            ),
        )
        parser.add_argument(
            '--human-readable',
            action='store_true',
            help=_('Print sizes in a human-friendly format'),
        )
        _filtering.add_options(parser)
        _regions.add_options(parser)
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        self._progress = _progress.Progress(self.app)
        self._results = _results.Results(self.log, self._progress)
        self._usages: list[Usage] = []
        code = super().run(parsed_args) or self._results.exit_code()
        _usage.warn_of_unknown(self.log, parsed_args, self._usages)
        _unreadable.warn(self.log, parsed_args)
        return code

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        keys = [
            _HEADERS.get(key, key.removeprefix('property:'))
            for key in parsed_args.group_by
        ]
        with _connect.translated_errors():
            regions = _regions.selected(self, parsed_args)
            joins = _filtering.needs_usage(parsed_args)
            with self._progress.counting(joins=joins):
                rows = [
                    (
                        *map(_columns.text_cell, region),
                        *_cells(group, parsed_args),
                    )
                    for region, groups in self._summaries(regions, parsed_args)
                    for group in groups
                ]
        headers = [
            *regions.headers,
            *keys,
            'Count',
            'Size',
            'Oldest',
            'Newest',
        ]
        escape = _columns.cell_escaper(self.app.stdout, parsed_args.formatter)
        return headers, map(escape, rows)

    def _summaries(
        self, regions: _regions.Regions, parsed_args: argparse.Namespace
    ) -> 'Iterator[tuple[_regions.RegionKey, Sequence[Summary]]]':
        def summarize(api: 'ImagesAPI') -> 'list[Summary]':
            return self._summarize(api, parsed_args)

        if not regions.headers:
            ((region, api),) = regions.apis.items()
            yield region, summarize(api)
            return
        from osc_compute_images.api import in_regions

        yield from self._results.successful(
            regions.apis,
            (
                (result.region, result.error or result.value or ())
                for result in in_regions(regions.apis, summarize)
            ),
        )

    def _summarize(
        self, api: 'ImagesAPI', parsed_args: argparse.Namespace
    ) -> 'list[Summary]':
        from osc_compute_images.api import ListOpts
        from osc_compute_images.api import summary
        from osc_compute_images.commands import _joining

        images = _joining.Images(api, on_read=self._progress.note)
        choice = _filtering.choice(api, parsed_args, usage=images.usage)
        if choice.usage is not None:
            self._usages.append(choice.usage)
        opts = ListOpts(visibility=parsed_args.visibility)
        pages = choice.keep_newest(images.pages(opts, choice.where))
        return summary.summarize(
            itertools.chain.from_iterable(pages), parsed_args.group_by
        )


def _cells(
    group: 'Summary', parsed_args: argparse.Namespace
) -> tuple[Any, ...]:
    return (
        *map(_columns.text_cell, group.key),
        group.count,
        _columns.HumanSizeColumn(group.size)
        if parsed_args.human_readable
        else group.size,
        group.oldest,
        group.newest,
    )
