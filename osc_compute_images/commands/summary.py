# SPDX-License-Identifier: Apache-2.0

"""Count images and add up their sizes."""

import argparse
import collections
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import itertools
from typing import Any
from typing import TYPE_CHECKING

from osc_lib.command import command

from osc_compute_images import base
from osc_compute_images.options import select
from osc_compute_images.options import unreadable
from osc_compute_images.output import escaping
from osc_compute_images.output import field
from osc_compute_images.output import progress_bar
from osc_compute_images.output import used_by
from osc_compute_images.targets import results
from osc_compute_images.targets import scope

if TYPE_CHECKING:
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.changes.usage import Usage
    from osc_compute_images.api.groups.summary import Summary

#: Maximum number of regions that are read in parallel.
_PARALLEL = 16

#: Headers of the keys of groups, other than properties.
_HEADERS = {
    'name': 'Name',
    'server': 'Server ID',
    'type': 'Type',
    'status': 'Status',
}

_SUMS = ('Count', 'Size', 'Oldest', 'Newest')

_PROPERTY = 'property:'


class SummarizeComputeImages(base.ImagesCommand, command.Lister):
    """Count images and add up their sizes, by group."""

    _description = (
        'Count images and add up their sizes, through the Compute service'
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--human-readable',
            action='store_true',
            help='Print sizes in a human-friendly format',
        )
        select.add_options(
            parser,
            'Group the images by name, server, type, status or '
            'property:<key>; repeat option to combine keys (default: all '
            'images are one group)',
        )
        scope.add_options(parser)
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        self._progress = progress_bar.Progress(self.app)
        self._results = results.Results(self.log, self._progress)
        self._usages: list[Usage] = []
        code = super().run(parsed_args) or self._results.exit_code()
        used_by.warn_of_unknown(self.log, parsed_args, self._usages)
        unreadable.warn(self.log, parsed_args)
        return code

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        keys = [*dict.fromkeys(parsed_args.group_by)]
        with base.translated_errors():
            regions = scope.selected(self, parsed_args)
            joins = select.needs_usage(parsed_args)
            with self._progress.counting(joins=joins):
                rows = [
                    (
                        *map(escaping.text_cell, region),
                        *_cells(group, parsed_args),
                    )
                    for region, groups in self._summaries(
                        regions, keys, parsed_args
                    )
                    for group in groups
                ]
        headers = (
            *regions.headers,
            *_key_headers(keys, (*regions.headers, *_SUMS)),
            *_SUMS,
        )
        field.check_requested(headers, parsed_args)
        escape = escaping.cell_escaper(self.app.stdout, parsed_args.formatter)
        return headers, map(escape, rows)

    def _summaries(
        self,
        regions: scope.Regions,
        keys: Sequence[str],
        parsed_args: argparse.Namespace,
    ) -> 'Iterator[tuple[scope.RegionKey, Sequence[Summary]]]':
        yield from self._results.of_regions(
            regions,
            lambda api: self._summarize(api, keys, parsed_args),
            parallel=_PARALLEL,
        )

    def _summarize(
        self,
        api: 'ImagesAPI',
        keys: Sequence[str],
        parsed_args: argparse.Namespace,
    ) -> 'list[Summary]':
        from osc_compute_images.api import ListOpts
        from osc_compute_images.api.groups import summary
        from osc_compute_images.targets import listing

        images = listing.Images(
            api,
            accept_gaps=parsed_args.accept_gaps,
            on_read=self._progress.note,
        )
        choice = select.choice(api, parsed_args, images.usage)
        if select.needs_usage(parsed_args):
            self._usages.append(images.usage())
        opts = ListOpts(visibility=parsed_args.visibility)
        pages = choice.keep_newest(images.pages(opts, choice.where))
        return summary.summarize(itertools.chain.from_iterable(pages), keys)


def _key_headers(keys: Sequence[str], others: Iterable[str]) -> list[str]:
    """Return the headers of the keys of groups, each unique.

    That of a property is its key, or ``property:KEY`` if another header is
    like it.

    :param others: the other headers
    """
    short = [_HEADERS.get(key, key.removeprefix(_PROPERTY)) for key in keys]
    full = [key for key in keys if key not in _HEADERS]
    count = collections.Counter(map(_folded, (*others, *short, *full)))
    return [
        key if key in full and count[_folded(header)] > 1 else header
        for key, header in zip(keys, short, strict=True)
    ]


def _folded(header: str) -> str:
    """Return a header as --column and --sort-column compare it."""
    return header.lower().strip().replace(' ', '_')


def _cells(
    group: 'Summary', parsed_args: argparse.Namespace
) -> tuple[Any, ...]:
    return (
        *map(escaping.text_cell, group.key),
        group.count,
        escaping.HumanSizeColumn(group.size)
        if parsed_args.human_readable
        else group.size,
        group.oldest,
        group.newest,
    )
