# SPDX-License-Identifier: Apache-2.0

"""What all commands do with their plans: show them, or ask and apply."""

import abc
import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import sys
import time
from typing import Any

from osc_compute_images import errors
from osc_compute_images.api import ImagesNotServed
from osc_compute_images.api import PlanRefused
from osc_compute_images.changes import approval
from osc_compute_images.changes import command
from osc_compute_images.changes import interruption
from osc_compute_images.changes import rows
from osc_compute_images.changes.report import Report
from osc_compute_images.output import bounds
from osc_compute_images.output import field
from osc_compute_images.targets import results
from osc_compute_images.targets import scope
from osc_compute_images.targets.scope import RegionKey

#: Formatters for programs.
_FOR_PROGRAMS = ('json', 'jsonl')

#: A plan is made again if its approval took longer, seconds.
_FRESH = 60.0

#: Added to the number of a signal, as a shell does.
_SIGNAL_EXIT = 128

#: Headers and rows.
Table = tuple[Sequence[str], Iterable[tuple[Any, ...]]]


class PlanWork(abc.ABC):
    """One execution of a command that makes plans."""

    def __init__(
        self,
        command: command.PlanCommand,
        parsed_args: argparse.Namespace,
        made: Report,
    ) -> None:
        self._command = command
        self._args = parsed_args
        self._log = command.log
        self._results = results.Results(command)
        self._report = made
        made.progress = self._results.progress
        self._interruption = interruption.Interruption()
        self._names = command.names(parsed_args)
        # Whether it asks for approval, and tells the totals.
        self._asks = not self._names
        # Whether it prints the outcomes.
        self._prints = True
        # Shown above the plan.
        self._title = ''

    @abc.abstractmethod
    def _plans(self, regions: scope.Regions) -> rows.Plans:
        """Plan the changes of each region; report what was named in vain."""

    @abc.abstractmethod
    def _apply(
        self, regions: scope.Regions, key: RegionKey, todo: Any
    ) -> Iterator[Any]:
        """Apply the plan of a region; yield the outcomes."""

    def exit_code(self, code: int) -> int:
        """Report the totals; return the exit code."""
        if self._asks:
            self._report.summarize(dry_run=self._args.dry_run)
        failed = self._report.exit_code()
        if code == 0 and self._interruption.signal is not None:
            return _SIGNAL_EXIT + self._interruption.signal
        code = code or failed or self._results.exit_code
        if code == 0 and self._args.detailed_exitcode and self._report.total:
            return command.EXIT_CHANGES
        return code

    def run(self) -> Table:
        """Plan the changes; return the plan, or the outcomes.

        :raises Failure: if nothing may be changed
        :raises CommandError: if the user does not approve, or an error occurs
        """
        made, args = self._report, self._args
        with errors.translated(self._command, args):
            regions = scope.selected(self._command, args)
            plans = self._plans(regions)
            made.count(plans)
            if args.max_changes is not None and made.total > args.max_changes:
                raise PlanRefused(
                    f'Nothing was changed: the plan changes {made.total} '
                    f'{made.noun}s, and {args.max_changes} are allowed'
                )
            if args.dry_run:
                return self._shown(regions, plans)
            if self._asks and made.total and not args.auto_approve:
                self._approve(regions, plans)
            outcomes = self._outcomes(regions, plans)
            if not self._prints:
                # As other commands of OpenStackClient, it prints nothing.
                for _row in outcomes:
                    pass
                return (), ()
        names = made.log_headers if self._for_programs else made.headers
        return self._table((*regions.headers, *names), outcomes)

    @property
    def _for_programs(self) -> bool:
        return self._args.formatter in _FOR_PROGRAMS

    def _shown(self, regions: scope.Regions, plans: rows.Plans) -> Table:
        if self._title:
            self._log.warning('%s', self._title)
        headers = (*regions.headers, *self._report.plan_headers)
        return self._table(headers, self._report.plan_rows(plans))

    def _table(
        self, headers: Sequence[str], values: Iterable[Sequence[Any]]
    ) -> Table:
        field.check_requested(headers, self._args)
        values = (row[: len(headers)] for row in values)
        stdout = self._command.app.stdout
        return headers, rows.cells(stdout, self._args.formatter, values)

    def _approve(self, regions: scope.Regions, plans: rows.Plans) -> None:
        """Ask for approval; refuse a plan that holds no longer after it."""
        if self._title:
            print(self._title, file=sys.stderr)
        began = time.monotonic()
        approval.ask(self._report, regions.headers, plans, self._args)
        if time.monotonic() - began > _FRESH:
            current = self._plans(regions)
            approval.check_holds(self._report, plans, current)

    def _outcomes(
        self, regions: scope.Regions, plans: rows.Plans
    ) -> Iterator[tuple[Any, ...]]:
        """Apply plans, a step for each row that is taken.

        A signal ends the rows: those of the changes that were made have been
        yielded.
        """
        made = self._report
        # NOTE: a bar would garble rows that are printed meanwhile.
        is_garbled = (
            self._prints
            and self._args.formatter in bounds.STREAMING
            and self._command.app.stdout.isatty()
        )
        total = 0 if is_garbled else made.total
        try:
            with (
                self._interruption.watched(),
                made.progress.changing(total),
            ):
                for region, plan in plans.items():
                    outcomes = self._apply(regions, region, plan)
                    for step in plan.steps:
                        try:
                            outcome = self._interruption.step(
                                outcomes.__next__
                            )
                        except KeyboardInterrupt as e:
                            is_between = isinstance(e, interruption.Stopped)
                            made.interrupt(None if is_between else step)
                            return
                        made.note(region, outcome)
                        yield (*region, *made.outcome_cells(outcome))
        finally:
            # NOTE: to run it again would not help.
            if not isinstance(sys.exception(), ImagesNotServed):
                made.tell_unfinished()
