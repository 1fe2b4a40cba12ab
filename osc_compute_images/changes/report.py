# SPDX-License-Identifier: Apache-2.0

"""Failures and totals of plans and their outcomes, on stderr."""

from collections import defaultdict
import logging
from typing import Any

from osc_compute_images import base
from osc_compute_images import errors
from osc_compute_images.api import ImagesError
from osc_compute_images.api.changes.plan import Action
from osc_compute_images.api.changes.plan import Result
from osc_compute_images.api.changes.plan import Step
from osc_compute_images.changes import rows
from osc_compute_images.output import escaping
from osc_compute_images.output.progress_bar import Progress
from osc_compute_images.targets import results
from osc_compute_images.targets.scope import RegionKey
from osc_compute_images.text import printable

#: What is done, of the verbs that have another form for it.
_PAST = {'delete': 'deleted', 'snapshot': 'snapshotted'}


class Report(rows.Rows):
    """Reports what was not changed, and counts it.

    :param log: reports each failure immediately
    :param verb: what is done to an image
    :cvar again: how to continue after an interruption
    :ivar progress: hidden while something is logged
    """

    again = 'run the same command again to continue'
    progress: Progress

    def __init__(self, log: logging.Logger, verb: str) -> None:
        self._log = log
        self.verb = verb
        # Once for each, even if the plan is made again.
        self._missing: set[str] = set()
        self._refused: set[str] = set()
        # By ID. Regions that share an Image service list an image more than
        # once; it counts once.
        self._planned: dict[str, Any] = {}
        self._kept: set[str] = set()
        self._done: set[str] = set()
        self._ids: dict[Result, set[str]] = defaultdict(set)

    def miss(self, name: str, error: ImagesError) -> None:
        """Report what was named, and was not found."""
        if name not in self._missing:
            self._missing.add(name)
            self._fail(name, errors.describe(error))

    def _fail(self, name: str, reason: str, where: str = '') -> None:
        self._log.error(
            '%sFailed to %s %s %r: %s',
            *(where, self.verb, self.noun, name, reason),
        )

    def refuse(self, step: Step, advice: str) -> None:
        """Report an image that was named, and is kept."""
        if step.image.id not in self._refused:
            self._refused.add(step.image.id)
            reason = printable(step.reason) + advice
            self._log.error('Image %s is kept: %s', self.label(step), reason)

    def count(self, plans: rows.Plans) -> None:
        """Count what plans change."""
        steps = [step for plan in plans.values() for step in plan.steps]
        self._planned = {
            self.subject(s).id: s for s in steps if self.is_change(s)
        }
        self._kept = {self.subject(s).id for s in steps} - self._planned.keys()

    @property
    def total(self) -> int:
        """Number of planned changes."""
        return len(self._planned)

    def note(self, region: RegionKey, outcome: Any) -> None:
        """Count the outcome of a step; report what is not as planned."""
        step = outcome.step
        if not self.is_change(step):
            return
        subject, label = self.subject(step), self.label(step)
        self._done.add(subject.id)
        self._ids[outcome.result].add(subject.id)
        where = f'{results.describe_region(region)}: ' if region else ''
        if outcome.error is not None:
            error = errors.describe_change(
                outcome.error, self.verb, subject.id
            )
            with self.progress.hidden():
                self._fail(label, error, where)
        elif outcome.reason:
            text = f'{self.noun.capitalize()} {label}'
            if outcome.result is Result.SKIPPED:
                text = f'{where}{text} was not changed'
            with self.progress.hidden():
                self._log.warning('%s: %s', text, printable(outcome.reason))
        self.progress.show(
            subject.id if subject.name is None else subject.name,
            done=len(self._done),
            failed=len(self._ids[Result.FAILED] | self._ids[Result.SKIPPED]),
        )

    def interrupt(self, step: Any) -> None:
        """Report what a signal has interrupted: a step, or nothing."""
        if step is not None and self.is_change(step):
            self._log.error(
                'Interrupted: image %s may have been changed, as the '
                'response to the last request was not awaited',
                self.label(step),
            )

    def tell_unfinished(self) -> None:
        """Report that some of the planned changes were not tried, if so."""
        if len(self._done) < self.total:
            self._log.error(
                'Stopped after %d of %d %ss; %s',
                *(len(self._done), self.total, self.noun, self.again),
            )

    def summarize(self, *, dry_run: bool) -> None:
        """Report how many are changed and kept, and what it frees."""
        if not self._planned and not self._kept:
            return
        changed, failed = self._ids[Result.DONE], self._failed
        skipped = self._ids[Result.SKIPPED] - changed - failed
        ids = self._planned.keys() if dry_run else changed
        frees = sum(
            step.image.size or 0
            for image_id, step in self._planned.items()
            if image_id in ids and step.action is Action.DELETE
        )
        past = _PAST.get(self.verb, self.verb)
        text = self.some(len(ids))
        text += f' to {self.verb}' if dry_run else f' {past}'
        if frees:
            text += f' ({escaping.human_size(frees)})'
        others = {
            **self._left(skipped),
            'gone': self._done - changed - skipped - failed,
            'failed': failed,
        }
        for what, ids in others.items():
            if ids or what == 'kept':
                text += f', {len(ids)} {what}'
        self._log.warning('%s', text)

    def _left(self, skipped: set[str]) -> dict[str, set[str]]:
        """Return the IDs of what is left as it is, by a word for it."""
        return {'kept': self._kept, 'skipped': skipped}

    @property
    def _failed(self) -> set[str]:
        # NOTE: what another region has changed counts there.
        return self._ids[Result.FAILED] - self._ids[Result.DONE]

    def exit_code(self) -> int:
        """Report how many failed; return the exit code."""
        unplanned = len(self._missing) + len(self._refused)
        failed = len(self._failed) + unplanned
        if failed:
            self._log.error(
                '%d of %d %ss failed to %s.',
                *(failed, self.total + unplanned, self.noun, self.verb),
            )
        if self._refused and not (self._missing or self.total):
            # Everything that was named.
            return base.EXIT_REFUSED
        bad = self._ids[Result.FAILED] | self._ids[Result.SKIPPED]
        return int(bool(unplanned or bad))
