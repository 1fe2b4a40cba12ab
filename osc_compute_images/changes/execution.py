# SPDX-License-Identifier: Apache-2.0

"""Make the plans of a command, and show or apply them.

Images are named, or chosen by filters. Both become a plan, which is shown,
refused or applied by the same code.
"""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
import functools
import sys
from typing import TYPE_CHECKING

from osc_compute_images import errors
from osc_compute_images.api import Image
from osc_compute_images.api import ImagesError
from osc_compute_images.api import ImagesNotServed
from osc_compute_images.api.changes._apply import apply
from osc_compute_images.api.changes.plan import Outcome
from osc_compute_images.api.changes.plan import Plan
from osc_compute_images.api.servers.fleet import Fleet
from osc_compute_images.changes import chosen
from osc_compute_images.changes import kept
from osc_compute_images.changes import report
from osc_compute_images.changes import review
from osc_compute_images.changes import work
from osc_compute_images.options import select
from osc_compute_images.options import unreadable
from osc_compute_images.output import field
from osc_compute_images.output import used_by
from osc_compute_images.targets import finder
from osc_compute_images.targets import scope
from osc_compute_images.targets.scope import RegionKey

if TYPE_CHECKING:
    from osc_compute_images.changes.command import ChangeCommand

#: Maximum number of regions whose images are read in parallel.
_PARALLEL = 4


class Execution(work.PlanWork):
    """One execution of a command that changes images.

    :param command: it plans the changes of a region
    :param reviewed: restricts the plans, if they were reviewed
    """

    _command: 'ChangeCommand'

    def __init__(
        self,
        command: 'ChangeCommand',
        parsed_args: argparse.Namespace,
        reviewed: review.Review | None = None,
    ) -> None:
        made = report.Report(command.log, command.verb)
        super().__init__(command, parsed_args, made, command.verb)
        self._reviewed = reviewed
        self._names = command.names(parsed_args)

    @property
    def _asks(self) -> bool:
        return not self._names or self._reviewed is not None

    @property
    def _prints(self) -> bool:
        return self._asks

    def _prepare(self) -> bool:
        self._command.check_values(self._args)
        if self._command.deletes:
            self._args.keep = kept.keep_of(self._args)
        if self._reviewed is not None and not self._reviewed.ids:
            self._log.warning('The plan has no changes')
            return False
        return True

    def _apply(
        self, regions: scope.Regions, key: RegionKey, todo: Plan
    ) -> Iterator[Outcome]:
        for outcome in apply(regions.apis[key], todo, self._fleet):
            if self._names and isinstance(outcome.error, ImagesNotServed):
                raise outcome.error
            yield outcome

    def _shown(self, regions: scope.Regions, plans: work.Plans) -> work.Table:
        if not self._for_programs:
            if self._reviewed is not None:
                self._log.warning('%s', self._reviewed.title)
            return super()._shown(regions, plans)
        field.check_requested(review.COLUMNS, self._args)
        words = self._args.words
        rows = review.rows(self._command, words, plans, regions)
        return review.COLUMNS, rows

    def _approve(self, regions: scope.Regions, plans: work.Plans) -> None:
        asks = self._report.count(plans) and not self._args.auto_approve
        if self._reviewed is not None and asks:
            print(self._reviewed.title, file=sys.stderr)
        super()._approve(regions, plans)

    def _plans(self, regions: scope.Regions) -> work.Plans:
        fleet = self._fleet = Fleet(regions.apis.values())
        find = self._named if self._names else self._chosen
        found = dict(find(regions, fleet))
        plans = {
            key: self._command.plan(each, self._args)
            for key, each in found.items()
        }
        if self._reviewed is not None:
            plans = self._reviewed.restrict(plans, regions)
        for each in plans.values() if self._names or self._reviewed else ():
            for step in each.kept:
                if step.is_refused:
                    self._report.refuse(step, self._command.advice)
        if not self._names:
            unreadable.warn(self._log, self._args)
            usages = [c.usage for c in found.values() if c.usage is not None]
            used_by.warn_of_unknown(
                self._log, self._args, usages, deletes=self._command.deletes
            )
            if not any(each.images for each in found.values()):
                self._log.warning('No images match')
        self._report.count(plans)
        return plans

    def _named(
        self, regions: scope.Regions, fleet: Fleet
    ) -> Iterable[tuple[RegionKey, chosen.Chosen]]:
        # NOTE: find all images before deleting the first: an ambiguous name
        # must not become unique by a deletion.
        found: dict[RegionKey, list[Image]] = {}
        for name in dict.fromkeys(self._names):
            try:
                key, image = finder.find(regions, name)
            except ImagesNotServed:
                raise
            except ImagesError as e:
                if self._reviewed is None or self._reviewed.concerns(e):
                    self._report.miss(name, errors.describe(e))
            else:
                if self._reviewed is None or image.id in self._reviewed.ids:
                    found.setdefault(key, []).append(image)
        for key, images in found.items():
            api = regions.apis[key]
            protect = self._command.deletes and not self._args.force
            yield key, chosen.named(api, images, fleet, protect=protect)

    def _chosen(
        self, regions: scope.Regions, fleet: Fleet
    ) -> Iterable[tuple[RegionKey, chosen.Chosen]]:
        deletes = self._command.deletes
        with_usage = deletes or select.needs_usage(self._args)
        read = functools.partial(
            chosen.Reading,
            parsed_args=self._args,
            on_read=self._results.progress.note,
            with_usage=with_usage,
        )
        with self._results.progress.counting(joins=True):
            readings = dict(
                self._results.of_regions(regions, read, parallel=_PARALLEL)
            )
            apis = {key: regions.apis[key] for key in readings}
            yield from self._results.successful(
                regions._replace(apis=apis, failed={}),
                chosen.finish_all(
                    readings,
                    fleet if with_usage else None,
                    include_used=deletes and self._args.include_used,
                ),
            )
