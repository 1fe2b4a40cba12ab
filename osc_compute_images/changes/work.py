# SPDX-License-Identifier: Apache-2.0

"""What all commands do with their plans: show them, or ask and apply."""

import abc
import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import time
from typing import Any

from osc_compute_images import errors
from osc_compute_images.api import PlanRefused
from osc_compute_images.changes import approval
from osc_compute_images.changes import command
from osc_compute_images.changes import report
from osc_compute_images.output import field
from osc_compute_images.targets import results
from osc_compute_images.targets import scope
from osc_compute_images.targets.scope import RegionKey

#: Formatters for programs.
_FOR_PROGRAMS = ('json', 'jsonl')

#: A plan is made again if its approval took longer, seconds.
_FRESH = 60.0

#: By region; each has ``steps``.
Plans = dict[RegionKey, Any]

#: Headers and rows.
Table = tuple[Sequence[str], Iterable[tuple[Any, ...]]]


class PlanWork(abc.ABC):
    """One execution of a command that makes plans.

    :param made: reports the plans and their outcomes
    :param verb: for the question
    """

    def __init__(
        self,
        command: command.PlanCommand,
        parsed_args: argparse.Namespace,
        made: report.Report,
        verb: str,
    ) -> None:
        self._command = command
        self._args = parsed_args
        self._log = command.log
        self._stdout = command.app.stdout
        self._results = results.Results(command)
        self._report = made
        self._verb = verb

    @property
    @abc.abstractmethod
    def _asks(self) -> bool:
        """Whether it asks for approval, and tells the totals."""

    @property
    def _prints(self) -> bool:
        """Whether it prints the outcomes."""
        return True

    def _prepare(self) -> bool:
        """Check what needs no request; return whether there is any work."""
        return True

    @abc.abstractmethod
    def _plans(self, regions: scope.Regions) -> Plans:
        """Plan the changes of each region; report what was named in vain."""

    @abc.abstractmethod
    def _apply(
        self, regions: scope.Regions, key: RegionKey, todo: Any
    ) -> Iterator[Any]:
        """Apply the plan of a region; yield the outcomes."""

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

    def run(self) -> Table:
        """Plan the changes; return the plan, or the outcomes.

        :raises Failure: if nothing may be changed
        :raises CommandError: if the user does not approve, or an error occurs
        """
        with errors.translated(self._command, self._args):
            if not self._prepare():
                return self._report.headers, ()
            regions = scope.selected(self._command, self._args)
            plans = self._plans(regions)
            self._check_max_changes()
            if self._args.dry_run:
                return self._shown(regions, plans)
            if self._asks:
                self._approve(regions, plans)
            rows = self._report.rows(
                plans,
                lambda key, each: self._apply(regions, key, each),
                self._results.progress,
                shows_bar=report.shows_bar(self._args, self._stdout),
            )
            if not self._prints:
                # As other commands of OpenStackClient, it prints nothing.
                for _row in rows:
                    pass
                return (), ()
        made = self._report
        names = made.log_headers if self._for_programs else made.headers
        return self._table((*regions.headers, *names), rows)

    def _check_max_changes(self) -> None:
        """Check that the plans do not change more than is allowed.

        :raises PlanRefused: if they do
        """
        count, allowed = self._report.total, self._args.max_changes
        if allowed is not None and count > allowed:
            raise PlanRefused(
                f'Nothing was changed: the plan changes {count} '
                f'{self._report.noun}s, and {allowed} are allowed'
            )

    @property
    def _for_programs(self) -> bool:
        return self._args.formatter in _FOR_PROGRAMS

    def _shown(self, regions: scope.Regions, plans: Plans) -> Table:
        headers = (*regions.headers, *self._report.plan_headers)
        return self._table(headers, self._report.plan_rows(plans))

    def _table(
        self, headers: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> Table:
        field.check_requested(headers, self._args)
        rows = (row[: len(headers)] for row in rows)
        return headers, report.cells(self._stdout, self._args.formatter, rows)

    def _approve(self, regions: scope.Regions, plans: Plans) -> None:
        """Ask for approval, if anything would be changed.

        :raises CommandError: if the user does not approve
        :raises PlanRefused: if that took long, and the plan does not hold
        """
        if not self._report.count(plans) or self._args.auto_approve:
            return
        began = time.monotonic()
        approval.ask(
            self._report, self._verb, regions.headers, plans, self._args
        )
        if time.monotonic() - began > _FRESH:
            current = self._plans(regions)
            approval.check_holds(self._report, plans, current)
