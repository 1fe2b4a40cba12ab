# SPDX-License-Identifier: Apache-2.0

"""Make the plans of a command, and show or apply them.

Images are named, or chosen by filters. Both become a plan, which is shown,
refused or applied by the same code.
"""

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
import functools
import sys
import time
from typing import Any
from typing import TYPE_CHECKING

from osc_compute_images import errors
from osc_compute_images.api import Image
from osc_compute_images.api import ImagesError
from osc_compute_images.api import PlanRefused
from osc_compute_images.api.changes._apply import apply
from osc_compute_images.api.changes.plan import Plan
from osc_compute_images.api.servers.fleet import Fleet
from osc_compute_images.changes import approval
from osc_compute_images.changes import chosen
from osc_compute_images.changes import command
from osc_compute_images.changes import kept
from osc_compute_images.changes import report
from osc_compute_images.changes import review
from osc_compute_images.options import select
from osc_compute_images.options import unreadable
from osc_compute_images.output import field
from osc_compute_images.output import used_by
from osc_compute_images.targets import finder
from osc_compute_images.targets import results
from osc_compute_images.targets import scope
from osc_compute_images.targets.scope import RegionKey

if TYPE_CHECKING:
    from osc_compute_images.changes.command import ChangeCommand

#: Formatters that print a plan as a document.
_DOCUMENTS = ('json', 'jsonl')

#: A plan is made again if its approval took longer, seconds.
_FRESH = 60.0

#: Maximum number of regions whose images are read in parallel.
_PARALLEL = 4

Plans = dict[RegionKey, Plan]

#: Headers and rows.
Table = tuple[Sequence[str], Iterable[tuple[Any, ...]]]


class Execution:
    """One execution of a command that changes images.

    :param command: it plans the changes of a region
    :param reviewed: restricts the plans, if they were reviewed
    """

    def __init__(
        self,
        command: 'ChangeCommand',
        parsed_args: argparse.Namespace,
        reviewed: review.Review | None = None,
    ) -> None:
        self._command = command
        self._args = parsed_args
        self._reviewed = reviewed
        self._names = command.names(parsed_args)
        self._log = command.log
        self._stdout = command.app.stdout
        self._results = results.Results(command)
        self._report = report.Report(self._log, command.verb)

    def exit_code(self, code: int) -> int:
        """Report the totals; return the exit code.

        :param code: of the output
        """
        if self._asks:
            self._report.summarize(dry_run=self._args.dry_run)
        code = self._report.exit_code(code) or self._results.exit_code
        if code == 0 and self._args.detailed_exitcode and self._report.total:
            return command.EXIT_CHANGES
        return code

    @property
    def _asks(self) -> bool:
        """Whether it shows the plan, asks for approval, and prints rows."""
        return not self._names or self._reviewed is not None

    def run(self) -> Table:
        """Plan the changes; return the plan, or the outcomes.

        :raises Failure: if nothing may be changed
        :raises CommandError: if the user does not approve, or an error occurs
        """
        with errors.translated():
            self._command.check_values(self._args)
            if self._command.deletes:
                self._args.keep = kept.keep_of(self._args)
            if self._reviewed is not None and not self._reviewed.ids:
                self._log.warning('The plan has no changes')
                return report.HEADERS, ()
            regions = scope.selected(self._command, self._args)
            fleet = Fleet(regions.apis.values())
            plans = self._plans(regions, fleet)
            self._check_max_changes()
            if self._args.dry_run:
                return self._shown(regions, plans)
            if self._asks:
                self._approve(regions, plans)
            rows = self._report.rows(
                plans,
                lambda key, each: apply(regions.apis[key], each, fleet),
                self._results.progress,
                shows_bar=report.shows_bar(self._args, self._stdout),
            )
            if not self._asks:
                # As other commands of OpenStackClient, it prints nothing.
                for _row in rows:
                    pass
                return (), ()
        names = report.LOG_HEADERS if self._for_programs else report.HEADERS
        return self._table((*regions.headers, *names), rows)

    @property
    def _for_programs(self) -> bool:
        return self._args.formatter in _DOCUMENTS

    def _shown(self, regions: scope.Regions, plans: Plans) -> Table:
        if not self._for_programs:
            if self._reviewed is not None:
                self._log.warning('%s', self._reviewed.title)
            headers = (*regions.headers, *report.PLAN_HEADERS)
            return self._table(headers, report.plan_rows(plans))
        field.check_requested(review.COLUMNS, self._args)
        words = self._args.words
        rows = review.rows(self._command, words, plans, regions)
        return review.COLUMNS, rows

    def _table(
        self, headers: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> Table:
        field.check_requested(headers, self._args)
        rows = (row[: len(headers)] for row in rows)
        return headers, report.cells(self._stdout, self._args.formatter, rows)

    def _check_max_changes(self) -> None:
        """Check that the plans do not change more images than is allowed.

        :raises PlanRefused: if they do
        """
        allowed = self._args.max_changes
        if allowed is not None and self._report.total > allowed:
            raise PlanRefused(
                f'Nothing was changed: the plan changes {self._report.total} '
                f'images, and {allowed} are allowed'
            )

    def _plans(self, regions: scope.Regions, fleet: Fleet) -> Plans:
        """Plan the changes of each region; report what was named in vain."""
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

    def _approve(self, regions: scope.Regions, plans: Plans) -> None:
        """Ask for approval, if anything would be changed.

        :raises CommandError: if the user does not approve
        :raises PlanRefused: if that took long, and the plan does not hold
        """
        count = self._report.count(plans)
        if not count or self._args.auto_approve:
            return
        if self._reviewed is not None:
            print(self._reviewed.title, file=sys.stderr)
        began = time.monotonic()
        approval.ask(
            self._command.verb, count, regions.headers, plans, self._args
        )
        if time.monotonic() - began > _FRESH:
            fleet = Fleet(regions.apis.values())
            current = self._plans(regions, fleet)
            approval.check_holds(plans, current)
