# SPDX-License-Identifier: Apache-2.0

"""Plans and their outcomes: rows on stdout, failures and totals on stderr."""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import logging
from typing import Any
from typing import TextIO

from osc_lib import utils

from osc_compute_images import base
from osc_compute_images import errors
from osc_compute_images.api.changes.plan import Action
from osc_compute_images.api.changes.plan import Outcome
from osc_compute_images.api.changes.plan import Plan
from osc_compute_images.api.changes.plan import Result
from osc_compute_images.api.changes.plan import Step
from osc_compute_images.changes.interruption import Interruption
from osc_compute_images.changes.interruption import Stopped
from osc_compute_images.output import bounds
from osc_compute_images.output import escaping
from osc_compute_images.output import progress_bar
from osc_compute_images.targets import results
from osc_compute_images.targets.scope import RegionKey
from osc_compute_images.text import printable

PLAN_HEADERS = ('Action', 'ID', 'Name', 'Reason')
HEADERS = ('Action', 'ID', 'Name', 'Result', 'Reason')
#: Those of formatters for programs: an audit log.
LOG_HEADERS = (*HEADERS, 'Time', 'Request ID')

#: Added to the number of a signal, as a shell does.
_SIGNAL_EXIT = 128

Plans = Mapping[RegionKey, Plan]


def plan_rows(plans: Plans) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of plans: region, then :data:`PLAN_HEADERS`."""
    for region, plan in plans.items():
        for step in plan.steps:
            yield (*region, *_step_cells(step), step.reason)


def cells(
    stdout: TextIO, formatter: str, rows: Iterable[Sequence[Any]]
) -> Iterator[tuple[Any, ...]]:
    """Escape the cells of rows for an output."""
    escape = escaping.cell_escaper(stdout, formatter)
    return (escape(map(escaping.text_cell, row)) for row in rows)


def _step_cells(step: Step) -> tuple[str | None, ...]:
    return step.action.value, step.image.id, step.image.name


class Report:
    """Reports what was not changed, and counts it.

    :param log: reports each failure immediately
    :param verb: what is done to an image
    """

    def __init__(self, log: logging.Logger, verb: str) -> None:
        self._log = log
        self._verb = verb
        self._total = 0
        self._planned: dict[str, Step] = {}
        self._kept: set[str] = set()
        # Once for each, even if the plan is made again.
        self._missing: set[str] = set()
        self._refused: set[str] = set()
        # The IDs of images. Regions that share an Image service list an image
        # more than once; it counts once.
        self._done: set[str] = set()
        self._changed: set[str] = set()
        self._failed: set[str] = set()
        self._skipped: set[str] = set()
        self._interruption = Interruption()

    def exit_code(self, code: int) -> int:
        """Report the totals; return the exit code.

        :param code: of the output
        """
        unplanned = len(self._missing) + len(self._refused)
        failed = len(self._failed) + unplanned
        if failed:
            self._log.error(
                '%(failed)d of %(total)d images failed to %(verb)s.',
                {
                    'failed': failed,
                    'total': self._total + unplanned,
                    'verb': self._verb,
                },
            )
        if self._refused and not (self._missing or self._total):
            # Everything that was named.
            return base.EXIT_REFUSED
        if code == 0 and self._interruption.signal is not None:
            return _SIGNAL_EXIT + self._interruption.signal
        return code or int(failed + len(self._skipped) > 0)

    def miss(self, name: str, reason: str) -> None:
        """Report an image that was named, and was not found."""
        if name not in self._missing:
            self._missing.add(name)
            self._fail(name, reason)

    def _fail(self, name: str, reason: str, prefix: str = '') -> None:
        self._log.error(
            '%(prefix)sFailed to %(verb)s image %(image)r: %(error)s',
            {
                'prefix': prefix,
                'verb': self._verb,
                'image': name,
                'error': reason,
            },
        )

    def refuse(self, step: Step, advice: str) -> None:
        """Report an image that was named, and is kept."""
        if step.image.id in self._refused:
            return
        self._refused.add(step.image.id)
        self._log.error(
            'Image %(image)s is kept: %(reason)s%(advice)s',
            {
                'image': printable(step.image.id),
                'reason': printable(step.reason),
                'advice': advice,
            },
        )

    @property
    def total(self) -> int:
        """Number of planned changes."""
        return self._total

    def count(self, plans: Plans) -> int:
        """Count the images that plans change; return their number."""
        self._planned = {
            s.image.id: s for plan in plans.values() for s in plan.changes
        }
        self._kept = {
            s.image.id for plan in plans.values() for s in plan.kept
        } - self._planned.keys()
        self._total = len(self._planned)
        return self._total

    def summarize(self, *, dry_run: bool) -> None:
        """Report how many images are changed and kept, and what it frees."""
        if not self._planned and not self._kept:
            return
        ids = self._planned.keys() if dry_run else self._changed
        frees = sum(
            step.image.size or 0
            for image_id, step in self._planned.items()
            if image_id in ids and step.action is Action.DELETE
        )
        count = f'{len(ids)} image{"" if len(ids) == 1 else "s"}'
        past = 'deleted' if self._verb == 'delete' else self._verb
        parts = [f'{count} to {self._verb}' if dry_run else f'{count} {past}']
        if frees:
            parts[0] += f' ({utils.format_size(frees)})'
        parts.append(f'{len(self._kept)} kept')
        gone = self._done - self._changed - self._skipped - self._failed
        for unchanged, what in (
            (gone, 'gone'),
            (self._skipped, 'skipped'),
            (self._failed, 'failed'),
        ):
            parts += [f'{len(unchanged)} {what}'] if unchanged else []
        self._log.warning('%s', ', '.join(parts))

    def rows(
        self,
        plans: Plans,
        apply: Callable[[RegionKey, Plan], Iterator[Outcome]],
        progress: progress_bar.Progress,
        *,
        shows_bar: bool,
    ) -> Iterator[tuple[Any, ...]]:
        """Apply plans, a step for each row that is taken.

        A signal ends the rows: those of the changes that were made have been
        yielded.
        """
        self.count(plans)
        with (
            self._interruption.watched(),
            self._reported(),
            progress.changing(self._total if shows_bar else 0) as bar,
        ):
            for region, plan in plans.items():
                outcomes = apply(region, plan)
                for step in plan.steps:
                    try:
                        outcome = self._interruption.step(outcomes.__next__)
                    except Stopped:
                        return
                    except KeyboardInterrupt:
                        self._interrupted(step)
                        return
                    self._note(region, outcome, bar)
                    yield (
                        *region,
                        *_step_cells(step),
                        outcome.result.value,
                        outcome.reason or step.reason,
                        outcome.time.isoformat(timespec='seconds'),
                        outcome.request_id,
                    )

    def _note(
        self, region: RegionKey, outcome: Outcome, bar: progress_bar.Changes
    ) -> None:
        step = outcome.step
        if step.action is Action.KEEP:
            return
        is_new = step.image.id not in self._done
        self._done.add(step.image.id)
        if outcome.result is Result.DONE:
            self._changed.add(step.image.id)
        if outcome.result in (Result.FAILED, Result.SKIPPED):
            where = results.describe_region(region) if region else ''
            with bar.hidden():
                self._note_failure(f'{where}: ' if where else '', outcome)
        elif outcome.reason:
            with bar.hidden():
                self._log.warning(
                    'Image %(image)s: %(reason)s',
                    {
                        'image': printable(step.image.id),
                        'reason': printable(outcome.reason),
                    },
                )
        if is_new:
            name = step.image.name
            bar.advance(
                step.image.id if name is None else name,
                failed=len(self._failed | self._skipped),
            )

    def _note_failure(self, prefix: str, outcome: Outcome) -> None:
        image_id = printable(outcome.step.image.id)
        if outcome.error is not None:
            self._failed.add(outcome.step.image.id)
            self._fail(image_id, errors.describe(outcome.error), prefix)
            return
        self._skipped.add(outcome.step.image.id)
        self._log.warning(
            '%(prefix)sImage %(image)s was not changed: %(reason)s',
            {
                'prefix': prefix,
                'image': image_id,
                'reason': printable(outcome.reason),
            },
        )

    def _interrupted(self, step: Step) -> None:
        if step.action is not Action.KEEP:
            self._log.error(
                'Interrupted: image %s may have been changed, as the '
                'response to the last request was not awaited',
                printable(step.image.id),
            )

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        finally:
            if len(self._done) < self._total:
                self._log.error(
                    'Stopped after %(done)d of %(total)d images; run the '
                    'same command again to continue',
                    {'done': len(self._done), 'total': self._total},
                )


def shows_bar(parsed_args: argparse.Namespace, stdout: TextIO) -> bool:
    """Return whether a bar can be shown: it would garble streamed rows."""
    is_streamed = parsed_args.formatter in bounds.STREAMING
    return not (is_streamed and stdout.isatty())
