# SPDX-License-Identifier: Apache-2.0

"""Make the plans of a command, and show or apply them.

Images are named, or chosen by filters. Both become a plan, which is shown,
refused or applied by the same code.
"""

import argparse
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import functools
import time
from typing import Any
from typing import TYPE_CHECKING

from osc_compute_images import base
from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api.changes import plan
from osc_compute_images.api.changes._apply import apply
from osc_compute_images.api.changes.plan import Plan
from osc_compute_images.api.servers.fleet import Fleet
from osc_compute_images.changes import approval
from osc_compute_images.changes import chosen
from osc_compute_images.changes import report
from osc_compute_images.options import select
from osc_compute_images.options import unreadable
from osc_compute_images.output import progress_bar
from osc_compute_images.output import used_by
from osc_compute_images.targets import finder
from osc_compute_images.targets import results
from osc_compute_images.targets import scope
from osc_compute_images.targets.scope import RegionKey

if TYPE_CHECKING:
    from osc_compute_images.changes.command import ChangeCommand

#: A plan is made again if its approval took longer, seconds.
_FRESH = 60.0

#: Maximum number of regions whose images are read in parallel.
_PARALLEL = 4

#: Headers and rows.
Table = tuple[Sequence[str], Iterable[tuple[Any, ...]]]

Plans = dict[RegionKey, Plan]


class Execution:
    """One execution of a command that changes images.

    :param command: it plans the changes of a region
    """

    def __init__(
        self, command: 'ChangeCommand', parsed_args: argparse.Namespace
    ) -> None:
        self._command = command
        self._args = parsed_args
        self._log = command.log
        self._stdout = command.app.stdout
        self._progress = progress_bar.Progress(command.app)
        self._results = results.Results(self._log, self._progress)
        self._report = report.Report(self._log, command.verb)

    def exit_code(self, code: int) -> int:
        """Report the totals; return the exit code.

        :param code: of the output
        """
        self._report.report_totals()
        if self._report.refuses_all:
            return base.EXIT_REFUSED
        return code or self._report.exit_code() or self._results.exit_code()

    @functools.cached_property
    def _names(self) -> Sequence[str]:
        return self._command.names(self._args)

    def run(self) -> Table:
        """Plan the changes; return the plan, or the outcomes.

        :raises PlanRefused: if nothing may be changed
        :raises CommandError: if the user does not approve, or an error occurs
        """
        with base.translated_errors():
            regions = scope.selected(self._command, self._args)
            fleet = Fleet(regions.apis.values())
            plans = self._plans(regions, fleet)
        if self._args.max_changes is not None:
            plan.check_size(plans.values(), self._args.max_changes)
        if self._args.dry_run:
            rows = report.plan_rows(plans)
            return self._table(regions, report.PLAN_HEADERS, rows)
        if not self._names:
            self._approve(regions, plans)
        return self._applied(regions, plans, fleet)

    def _table(
        self,
        regions: scope.Regions,
        headers: Sequence[str],
        rows: Iterable[Sequence[Any]],
    ) -> Table:
        cells = report.cells(self._stdout, self._args.formatter, rows)
        return (*regions.headers, *headers), cells

    def _plans(self, regions: scope.Regions, fleet: Fleet) -> Plans:
        """Plan the changes of each region; report what was named in vain."""
        find = self._named if self._names else self._chosen
        found = dict(find(regions, fleet))
        plans = {
            key: self._command.plan(each, self._args)
            for key, each in found.items()
        }
        if self._names:
            for each in plans.values():
                for step in each.kept:
                    if step.is_refused:
                        self._report.refuse(step, self._command.advice)
        else:
            self._warn(found)
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
            except ImagesError as e:
                self._report.miss(name, base.describe_error(e))
            else:
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

        def read(api: ImagesAPI) -> chosen.Reading:
            return chosen.Reading(
                api,
                self._args,
                among=self._command.among(self._args),
                on_read=self._progress.note,
                with_usage=with_usage,
            )

        with self._progress.counting(joins=True):
            readings = dict(
                self._results.of_regions(regions, read, parallel=_PARALLEL)
            )
            if not with_usage:
                for key, reading in readings.items():
                    yield key, reading.finish(None)
                return
            apis = {key: regions.apis[key] for key in readings}
            yield from self._results.successful(
                regions._replace(apis=apis, failed={}),
                chosen.finish_all(
                    readings,
                    apis,
                    fleet,
                    include_used=deletes and self._args.include_used,
                ),
            )

    def _warn(self, found: Mapping[RegionKey, chosen.Chosen]) -> None:
        unreadable.warn(self._log, self._args)
        usages = [c.usage for c in found.values() if c.usage is not None]
        used_by.warn_of_unknown(
            self._log, self._args, usages, deletes=self._command.deletes
        )
        if not any(each.images for each in found.values()):
            self._log.warning('No images match')

    def _approve(self, regions: scope.Regions, plans: Plans) -> None:
        """Ask for approval, if anything would be changed.

        :raises CommandError: if the user does not approve
        :raises PlanRefused: if that took long, and the plan does not hold
        """
        count = self._report.count(plans)
        if not count or self._args.auto_approve:
            return
        began = time.monotonic()
        approval.ask(
            self._command.verb, count, regions.headers, plans, self._args
        )
        if time.monotonic() - began > _FRESH:
            with base.translated_errors():
                fleet = Fleet(regions.apis.values())
                current = self._plans(regions, fleet)
            approval.check_holds(plans, current)

    def _applied(
        self, regions: scope.Regions, plans: Plans, fleet: Fleet
    ) -> Table:
        rows = self._report.rows(
            plans,
            lambda key, each: apply(regions.apis[key], each, fleet),
            self._progress,
            shows_bar=report.shows_bar(self._args, self._stdout),
        )
        if not self._names:
            return self._table(regions, report.HEADERS, rows)
        # As other commands of OpenStackClient, it prints nothing.
        for _row in rows:
            pass
        return (), ()
