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
import sys
from typing import Any
from typing import TextIO

from osc_lib import utils

from osc_compute_images import base
from osc_compute_images import errors
from osc_compute_images.api import ImagesNotServed
from osc_compute_images.api.changes.plan import Action
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

#: What is done, of the verbs that have another form for it.
_PAST = {'delete': 'deleted', 'snapshot': 'snapshotted'}

#: Plans have ``steps``, of images or servers.
Plans = Mapping[RegionKey, Any]


def cells(
    stdout: TextIO, formatter: str, rows: Iterable[Sequence[Any]]
) -> Iterator[tuple[Any, ...]]:
    """Escape the cells of rows for an output."""
    escape = escaping.cell_escaper(stdout, formatter)
    return (escape(map(escaping.text_cell, row)) for row in rows)


class Report:
    """Reports what was not changed, and counts it.

    :param log: reports each failure immediately
    :param verb: what is done to an image
    :cvar noun: what steps are about
    """

    noun = 'image'
    plan_headers: tuple[str, ...] = PLAN_HEADERS
    headers: tuple[str, ...] = HEADERS
    log_headers: tuple[str, ...] = LOG_HEADERS
    again = 'run the same command again to continue'

    def __init__(self, log: logging.Logger, verb: str) -> None:
        self._log = log
        self._verb = verb
        self._total = 0
        self._planned: dict[str, Any] = {}
        self._kept: set[str] = set()
        # Once for each, even if the plan is made again.
        self._missing: set[str] = set()
        self._refused: set[str] = set()
        # IDs. Regions that share an Image service list an image
        # more than once; it counts once.
        self._done: set[str] = set()
        self._changed: set[str] = set()
        self._failed: set[str] = set()
        self._skipped: set[str] = set()
        self._interruption = Interruption()

    def subject(self, step: Any) -> Any:
        """Return what a step is about, which has an ID and a name."""
        return step.image

    def is_change(self, step: Any) -> bool:
        """Return whether a step changes anything."""
        return step.action is not Action.KEEP

    def label(self, step: Any) -> str:
        """Return how messages call what a step is about."""
        return printable(step.image.id)

    def plan_cells(self, step: Any) -> tuple[str | None, ...]:
        """Return the cells of a step, without its reason."""
        return step.action.value, step.image.id, step.image.name

    def outcome_cells(self, outcome: Any) -> tuple[str | None, ...]:
        """Return the cells below :attr:`log_headers`."""
        return (
            *self.plan_cells(outcome.step),
            outcome.result.value,
            outcome.reason or outcome.step.reason,
            outcome.time.isoformat(timespec='seconds'),
            outcome.request_id,
        )

    def plan_rows(self, plans: Plans) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of plans: region, then :attr:`plan_headers`."""
        for region, plan in plans.items():
            for step in plan.steps:
                yield (*region, *self.plan_cells(step), step.reason)

    def some(self, count: int) -> str:
        """Return a number of images, with the noun."""
        return f'{count} {self.noun}{"" if count == 1 else "s"}'

    def exit_code(self, code: int) -> int:
        """Report the totals; return the exit code.

        :param code: of the output
        """
        unplanned = len(self._missing) + len(self._refused)
        failed = len(self._failed) + unplanned
        if failed:
            self._log.error(
                '%(failed)d of %(total)d %(noun)ss failed to %(verb)s.',
                {
                    'noun': self.noun,
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
        """Report what was named, and was not found."""
        if name not in self._missing:
            self._missing.add(name)
            self._fail(name, reason)

    def _fail(self, name: str, reason: str, prefix: str = '') -> None:
        self._log.error(
            '%(prefix)sFailed to %(verb)s %(noun)s %(image)r: %(error)s',
            {
                'noun': self.noun,
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
        steps = [step for plan in plans.values() for step in plan.steps]
        self._planned = {
            self.subject(s).id: s for s in steps if self.is_change(s)
        }
        self._kept = {self.subject(s).id for s in steps} - self._planned.keys()
        self._total = len(self._planned)
        return self._total

    def summarize(self, *, dry_run: bool) -> None:
        """Report how many are changed and kept, and what it frees."""
        if not self._planned and not self._kept:
            return
        ids = self._planned.keys() if dry_run else self._changed
        frees = sum(
            step.image.size or 0
            for image_id, step in self._planned.items()
            if image_id in ids and step.action is Action.DELETE
        )
        count = self.some(len(ids))
        past = _PAST.get(self._verb, self._verb)
        parts = [f'{count} to {self._verb}' if dry_run else f'{count} {past}']
        if frees:
            parts[0] += f' ({utils.format_size(frees)})'
        gone = self._done - self._changed - self._skipped - self._failed
        others = {**self._others(), 'gone': gone, 'failed': self._failed}
        parts += [
            f'{len(ids)} {what}'
            for what, ids in others.items()
            if ids or what == 'kept'
        ]
        self._log.warning('%s', ', '.join(parts))

    def _others(self) -> dict[str, set[str]]:
        """Return the IDs of what is not changed, by a word for it."""
        return {'kept': self._kept, 'skipped': self._skipped}

    def rows(
        self,
        plans: Plans,
        apply: Callable[[RegionKey, Any], Iterator[Any]],
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
            self._bar = bar
            for region, plan in plans.items():
                outcomes = apply(region, plan)
                for step in plan.steps:
                    try:
                        outcome = self._interruption.step(outcomes.__next__)
                    except Stopped:
                        self._stopped()
                        return
                    except KeyboardInterrupt:
                        self._interrupted(step)
                        return
                    self._note(region, outcome, bar)
                    yield (*region, *self.outcome_cells(outcome))

    def _note(
        self, region: RegionKey, outcome: Any, bar: progress_bar.Changes
    ) -> None:
        step = outcome.step
        if not self.is_change(step):
            return
        subject = self.subject(step)
        is_new = subject.id not in self._done
        self._done.add(subject.id)
        if outcome.result is Result.DONE:
            self._changed.add(subject.id)
        if outcome.result in (Result.FAILED, Result.SKIPPED):
            where = results.describe_region(region) if region else ''
            with bar.hidden():
                self._note_failure(f'{where}: ' if where else '', outcome)
        elif outcome.reason:
            with bar.hidden():
                self._log.warning(
                    '%(noun)s %(image)s: %(reason)s',
                    {
                        'noun': self.noun.capitalize(),
                        'image': self.label(step),
                        'reason': printable(outcome.reason),
                    },
                )
        if is_new:
            bar.advance(
                subject.id if subject.name is None else subject.name,
                failed=len(self._failed | self._skipped),
            )

    def _note_failure(self, prefix: str, outcome: Any) -> None:
        label = self.label(outcome.step)
        subject_id = self.subject(outcome.step).id
        if outcome.error is not None:
            self._failed.add(subject_id)
            error = errors.describe_change(
                outcome.error, self._verb, subject_id
            )
            self._fail(label, error, prefix)
            return
        self._skipped.add(subject_id)
        self._log.warning(
            '%(prefix)s%(noun)s %(image)s was not changed: %(reason)s',
            {
                'prefix': prefix,
                'noun': self.noun.capitalize(),
                'image': label,
                'reason': printable(outcome.reason),
            },
        )

    def _stopped(self) -> None:
        """Report what is in progress between two outcomes."""

    def _interrupted(self, step: Any) -> None:
        if self.is_change(step):
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
            # NOTE: to run it again would not help.
            is_served = not isinstance(sys.exception(), ImagesNotServed)
            if len(self._done) < self._total and is_served:
                self._log.error(
                    'Stopped after %(done)d of %(total)d %(noun)ss; %(again)s',
                    {
                        'done': len(self._done),
                        'total': self._total,
                        'noun': self.noun,
                        'again': self.again,
                    },
                )


def shows_bar(parsed_args: argparse.Namespace, stdout: TextIO) -> bool:
    """Return whether a bar can be shown: it would garble streamed rows."""
    is_streamed = parsed_args.formatter in bounds.STREAMING
    return not (is_streamed and stdout.isatty())
