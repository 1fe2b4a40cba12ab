# SPDX-License-Identifier: Apache-2.0

"""Check that servers have good snapshots, and say so as a monitoring plugin.

What could not be read is UNKNOWN, and never OK.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import datetime
import logging
from typing import Any

from osc_compute_images import errors
from osc_compute_images.api import ImagesError
from osc_compute_images.api.snapshots import coverage
from osc_compute_images.api.snapshots.coverage import Level
from osc_compute_images.output import escaping
from osc_compute_images.output import field
from osc_compute_images.targets import scope
from osc_compute_images.targets import servers
from osc_compute_images.text import printable
from osc_compute_images.views import view

HEADERS = (
    *('Level', 'Server ID', 'Server', 'Newest Image', 'Newest', 'Age'),
    *('Count', 'Reason'),
)


class CheckView(view.View):
    """The servers that fall short."""

    def run(self) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        self._findings: list[coverage.Finding] = []
        self._gaps = 0
        args = self._args
        rules = coverage.Rules(
            critical=args.critical,
            warning=args.warning,
            stuck_after=args.stuck_after,
            min_count=args.min_count,
        )
        rows = []
        now = datetime.datetime.now(datetime.UTC)
        with errors.translated():
            regions = scope.selected(self._command, args)
            headers = (*regions.headers, *HEADERS)
            field.check_requested(headers, args)
            found = dict(
                servers.find(
                    regions,
                    self._results,
                    args,
                    lambda api: api.list_detail(),
                    self._miss,
                )
            )
        for is_gap in servers.tell_gaps(self._command.log, found):
            self._gaps += is_gap or not args.accept_gaps
        for key, each in found.items():
            for finding in coverage.check(
                each.servers, each.images, rules, now=now
            ):
                self._findings.append(finding)
                if finding.level or args.include_ok:
                    rows.append((*key, *_cells(finding, now)))
        return headers, map(self._escaper(), rows)

    def _miss(self, name: str, error: ImagesError) -> None:
        self._gaps += 1
        self._command.log.error(
            '%s: %s', printable(name), errors.describe(error)
        )

    def exit_code(self, code: int) -> int:
        """Tell the level in one line; return it."""
        levels = [finding.level for finding in self._findings]
        counts = {level: levels.count(level) for level in Level}
        total = len(levels)
        unread = self._gaps + bool(self._results.exit_code)
        if unread or code or not total:
            levels.append(Level.UNKNOWN)
        worst = coverage.worst(levels)
        short = total - counts[Level.OK]
        parts = [
            f'{counts[level]} {level.name}'
            for level in (Level.CRITICAL, Level.UNKNOWN, Level.WARNING)
            if counts[level]
        ]
        text = f'{total} of {total} servers have good snapshots'
        if not total:
            text = 'no servers found'
        elif short:
            fall = 'falls' if short == 1 else 'fall'
            text = f'{short} of {total} servers {fall} short: '
            text += ', '.join(parts)
        if unread:
            text += '; not everything could be read'
        level = logging.ERROR if worst else logging.WARNING
        self._command.log.log(level, '%s: %s', worst.name, text)
        return int(worst)


def _cells(
    finding: coverage.Finding, now: datetime.datetime
) -> tuple[Any, ...]:
    newest = finding.newest
    age = None
    if newest is not None and newest.created_at is not None:
        past = max(now - newest.created_at, datetime.timedelta())
        age = escaping.AgeColumn(past, coverage.shown(past))
    texts = (
        *(finding.level.name, finding.server.id, finding.server.name),
        *((newest.id, newest.created) if newest else (None, None)),
    )
    return (
        *map(escaping.text_cell, texts),
        *(age, finding.count, escaping.text_cell(finding.reason)),
    )
