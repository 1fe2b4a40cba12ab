# SPDX-License-Identifier: Apache-2.0

"""Plans and their outcomes, as rows and as messages."""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import logging
from typing import Any
from typing import TextIO
from typing import TYPE_CHECKING

from osc_lib.i18n import _

from osc_compute_images.commands import _columns
from osc_compute_images.commands import _connect
from osc_compute_images.commands import _gathering
from osc_compute_images.commands import _progress
from osc_compute_images.commands import _regions
from osc_compute_images.commands import _results
from osc_compute_images.text import printable

if TYPE_CHECKING:
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.plan import Outcome
    from osc_compute_images.api.plan import Plan
    from osc_compute_images.api.plan import Step

PLAN_HEADERS = ('Action', 'ID', 'Name', 'Reason')
HEADERS = ('Action', 'ID', 'Name', 'Result', 'Reason')


def plan_rows(
    plans: 'Mapping[_regions.RegionKey, Plan]',
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of plans: region, then :data:`PLAN_HEADERS`."""
    for region, plan in plans.items():
        for step in plan.steps:
            yield (*region, *_step_cells(step), step.reason)


def cells(
    stdout: TextIO, formatter: str, rows: Iterable[Sequence[Any]]
) -> Iterator[tuple[Any, ...]]:
    """Escape the cells of rows for an output."""
    escape = _columns.cell_escaper(stdout, formatter)
    return (escape(map(_columns.text_cell, row)) for row in rows)


def _step_cells(step: 'Step') -> tuple[str | None, ...]:
    return step.action.value, step.image.id, step.image.name


class Outcomes:
    """Applies plans, and reports the outcomes.

    :param log: reports failures immediately
    :param verb: what is done to an image
    """

    def __init__(self, log: logging.Logger, verb: str) -> None:
        self._log = log
        self._verb = verb
        self._total = 0
        self._failed = 0
        self._has_skipped = False

    def exit_code(self) -> int:
        """Return 1 if any image failed or had changed."""
        return int(self._failed > 0 or self._has_skipped)

    def rows(
        self,
        stdout: TextIO,
        progress: _progress.Progress,
        apis: 'Mapping[_regions.RegionKey, ImagesAPI]',
        plans: 'Mapping[_regions.RegionKey, Plan]',
        parsed_args: argparse.Namespace,
    ) -> Iterator[tuple[Any, ...]]:
        """Apply plans, lazily: each step as its row is consumed."""
        self._total = sum(len(plan.changes) for plan in plans.values())
        done = 0
        # A bar would garble rows that are printed one by one.
        is_streamed = parsed_args.formatter in _gathering.STREAMING
        show = self._total and not (is_streamed and stdout.isatty())
        try:
            with progress.changing(self._total if show else 0) as bar:
                for region, plan in plans.items():
                    for outcome in apis[region].apply(plan):
                        if outcome.step.action != 'keep':
                            done += 1
                            self._report(region, outcome, bar)
                        yield (
                            *region,
                            *_step_cells(outcome.step),
                            outcome.result.value,
                            outcome.reason or outcome.step.reason,
                        )
        finally:
            self._report_totals(done)

    def _report(
        self,
        region: _regions.RegionKey,
        outcome: 'Outcome',
        bar: _progress.Changes,
    ) -> None:
        image = outcome.step.image
        name = image.id if image.name is None else image.name
        if outcome.result in ('failed', 'changed'):
            where = _results.describe_region(region) if region else ''
            prefix = f'{where}: ' if where else ''
            with bar.failing():
                self._report_failure(prefix, outcome)
        bar.advance(name)

    def _report_failure(self, prefix: str, outcome: 'Outcome') -> None:
        if outcome.error is not None:
            self._failed += 1
            self._log.error(
                _('%(prefix)sFailed to %(verb)s image %(image)s: %(error)s'),
                {
                    'prefix': prefix,
                    'verb': self._verb,
                    'image': printable(outcome.step.image.id),
                    'error': _connect.describe_error(outcome.error),
                },
            )
        else:
            self._has_skipped = True
            self._log.warning(
                _('%(prefix)sImage %(image)s was not changed: %(reason)s'),
                {
                    'prefix': prefix,
                    'image': printable(outcome.step.image.id),
                    'reason': printable(outcome.reason),
                },
            )

    def _report_totals(self, done: int) -> None:
        if done < self._total:
            self._log.error(
                _(
                    'Stopped after %(done)d of %(total)d images; run the '
                    'same command again to continue'
                ),
                {'done': done, 'total': self._total},
            )
        if self._failed:
            self._log.error(
                _('%(failed)d of %(total)d images failed to %(verb)s.'),
                {
                    'failed': self._failed,
                    'total': self._total,
                    'verb': self._verb,
                },
            )
