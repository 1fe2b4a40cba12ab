# SPDX-License-Identifier: Apache-2.0

"""Count images and add up their sizes, in each region."""

import collections
from collections.abc import Iterable
from collections.abc import Sequence
import itertools
from typing import Any

from osc_compute_images import errors
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from osc_compute_images.api.groups import summary
from osc_compute_images.options import select
from osc_compute_images.output import escaping
from osc_compute_images.output import field
from osc_compute_images.targets import listing
from osc_compute_images.targets import scope
from osc_compute_images.views import view

#: Headers of the keys of groups, other than properties.
_HEADERS = {
    'name': 'Name',
    'server': 'Server ID',
    'type': 'Type',
    'status': 'Status',
}

_SUMS = ('Count', 'Size', 'Oldest', 'Newest')

_PROPERTY = 'property:'


class SummaryView(view.View):
    """The totals of the selected images, by region and group."""

    def run(self) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        self._keys = [*dict.fromkeys(self._args.group_by)]
        joins = select.needs_usage(self._args)
        with (
            errors.translated(),
            self._results.progress.counting(joins=joins),
        ):
            regions = scope.selected(self._command, self._args)
            rows = [
                self._row(region, group)
                for region, groups in self._results.of_regions(
                    regions, self._summarize
                )
                for group in groups
            ]
        headers = (
            *regions.headers,
            *_key_headers(self._keys, (*regions.headers, *_SUMS)),
            *_SUMS,
        )
        field.check_requested(headers, self._args)
        return headers, map(self._escaper(), rows)

    def _summarize(self, api: ImagesAPI) -> list[summary.Summary]:
        images = listing.Listing(api, self._args, self._results.progress.note)
        if select.needs_usage(self._args):
            self._usages[api] = images.usage()
        opts = ListOpts(visibility=self._args.visibility)
        pages = images.pages(opts)
        return summary.summarize(
            itertools.chain.from_iterable(pages), self._keys
        )

    def _row(
        self, region: scope.RegionKey, group: summary.Summary
    ) -> tuple[Any, ...]:
        size: Any = group.size
        if self._args.human_readable:
            size = escaping.HumanSizeColumn(size)
        where = map(escaping.text_cell, (*region, *group.key))
        return (*where, group.count, size, group.oldest, group.newest)


def _key_headers(keys: Sequence[str], others: Iterable[str]) -> list[str]:
    """Return the headers of the keys of groups, each unique.

    That of a property is its key, or ``property:KEY`` if another header is
    like it.

    :param others: the other headers
    """
    short = [_HEADERS.get(key, key.removeprefix(_PROPERTY)) for key in keys]
    full = [key for key in keys if key not in _HEADERS]
    count = collections.Counter(map(field.folded, (*others, *short, *full)))
    return [
        key if key in full and count[field.folded(header)] > 1 else header
        for key, header in zip(keys, short, strict=True)
    ]
