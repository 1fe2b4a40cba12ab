# SPDX-License-Identifier: Apache-2.0

"""Plans and what became of them, as rows, and as lines on stderr."""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
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
    """Yield the rows of plans, below the names of regions and the headers."""
    for where, plan in plans.items():
        for step in plan.steps:
            yield (*where, *_start(step), step.reason)


def cells(
    stdout: TextIO,
    parsed_args: argparse.Namespace,
    rows: Iterable[tuple[Any, ...]],
) -> Iterator[tuple[Any, ...]]:
    """Make the cells of rows, for the formatter that is to show them."""
    of_formatter = _columns.cell_escaper(stdout, parsed_args.formatter)
    return (of_formatter(map(_columns.text_cell, row)) for row in rows)


def _start(step: 'Step') -> tuple[str | None, ...]:
    return step.action.value, step.image.id, step.image.name


class Outcomes:
    """Does what plans say, and tells what became of it.

    :param log: where it is told what failed, as soon as it does
    :param verb: what is done
    """

    def __init__(self, log: logging.Logger, verb: str) -> None:
        self._log = log
        self._verb = verb
        self._total = 0
        self._failed = 0
        self._changed = 0

    def exit_code(self) -> int:
        """Return 1 if not all could be done."""
        return int(self._failed + self._changed > 0)

    def rows(
        self,
        app: Any,
        apis: 'Mapping[_regions.RegionKey, ImagesAPI]',
        plans: 'Mapping[_regions.RegionKey, Plan]',
        parsed_args: argparse.Namespace,
    ) -> Iterator[tuple[Any, ...]]:
        """Do what plans say, while the rows are asked for."""
        self._total = sum(len(plan.changes) for plan in plans.values())
        done = 0
        # A bar would be mixed with rows that come one after the other.
        is_streamed = parsed_args.formatter in _gathering.STREAMING
        show = self._total and not (is_streamed and app.stdout.isatty())
        progress = _progress.Progress(app)
        try:
            with progress.changing(self._total if show else 0) as bar:
                for where, plan in plans.items():
                    for outcome in apis[where].apply(plan):
                        if outcome.step.action != 'keep':
                            done += 1
                            self._tell(where, outcome, bar)
                        yield (
                            *where,
                            *_start(outcome.step),
                            outcome.result.value,
                            outcome.reason or outcome.step.reason,
                        )
        finally:
            self._sum_up(done)

    def _tell(
        self,
        where: _regions.RegionKey,
        outcome: 'Outcome',
        bar: _progress.Changes,
    ) -> None:
        image = outcome.step.image
        name = image.id if image.name is None else image.name
        if outcome.result in ('failed', 'changed'):
            if where:
                place = f'{_regions.describe_region(where)}: '
                place = place[:1].upper() + place[1:]
            else:
                place = ''
            with bar.failing():
                self._tell_failure(place, outcome)
        bar.advance(name)

    def _tell_failure(self, place: str, outcome: 'Outcome') -> None:
        if outcome.error is not None:
            self._failed += 1
            self._log.error(
                _('%(place)sFailed to %(verb)s image %(image)s: %(error)s'),
                {
                    'place': place,
                    'verb': self._verb,
                    'image': printable(outcome.step.image.id),
                    'error': _connect.describe_error(outcome.error),
                },
            )
        else:
            self._changed += 1
            self._log.warning(
                _('%(place)sImage %(image)s is left alone: %(reason)s'),
                {
                    'place': place,
                    'image': printable(outcome.step.image.id),
                    'reason': printable(outcome.reason),
                },
            )

    def _sum_up(self, done: int) -> None:
        if done < self._total:
            self._log.error(
                _(
                    'Stopped after %(done)d of %(total)d images; the same '
                    'command goes on from there'
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
