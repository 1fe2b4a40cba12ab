# SPDX-License-Identifier: Apache-2.0

"""The report of snapshots: what was created, begun and skipped."""

from collections.abc import Mapping
import logging
from typing import Any

from osc_compute_images.api import Image
from osc_compute_images.api import Server
from osc_compute_images.api.snapshots import plan
from osc_compute_images.changes import report
from osc_compute_images.targets import servers
from osc_compute_images.targets.scope import RegionKey
from osc_compute_images.text import printable


class Report(report.Report):
    """Reports snapshots of servers."""

    noun = 'server'
    plan_headers = ('Action', 'Server ID', 'Server', 'Image Name', 'Reason')
    headers = (*plan_headers[:-1], 'Image ID', 'Result', 'Reason')
    log_headers = (*headers, 'Time')
    again = 'run the same command again with --not-within to continue'

    def __init__(self, log: logging.Logger) -> None:
        super().__init__(log, 'snapshot')
        self._has_gaps = False
        # By the ID of the server; the ID of the image once it is known.
        self._begun: dict[str, tuple[plan.Step, str | None]] = {}

    def subject(self, step: plan.Step) -> Server:
        return step.server

    def is_change(self, step: plan.Step) -> bool:
        return step.action is plan.Action.CREATE

    def label(self, step: plan.Step) -> str:
        return _label(step.server)

    def plan_cells(self, step: plan.Step) -> tuple[str | None, ...]:
        server = step.server
        return step.action.value, server.id, server.name, step.name

    def outcome_cells(self, outcome: Any) -> tuple[str | None, ...]:
        self._begun.pop(outcome.step.server.id, None)
        return (
            *self.plan_cells(outcome.step),
            outcome.image_id,
            outcome.result.value,
            outcome.reason or outcome.step.reason,
            outcome.time.isoformat(timespec='seconds'),
        )

    def tell_gaps(self, found: Mapping[RegionKey, servers.Found]) -> None:
        """Report servers that could not be read: they have no snapshot."""
        for text, is_gap in servers.gaps(found):
            self._has_gaps |= is_gap
            level = logging.ERROR if is_gap else logging.WARNING
            self._log.log(level, '%s', text)

    def tell_skipped(self, step: plan.Step, *, named: bool) -> None:
        """Report a server that has no snapshot because of its state.

        :param named: whether it was named: then any reason is told
        """
        if self.is_change(step) or not (named or step.is_missed):
            return
        if step.is_missed:
            self._skipped.add(step.server.id)
        self._log.warning(
            'Server %(server)s is skipped: %(reason)s',
            {'server': self.label(step), 'reason': printable(step.reason)},
        )

    def begin(self, step: plan.Step) -> None:
        """Note that a snapshot is requested, in any thread."""
        self._begun[step.server.id] = (step, None)

    def create(self, step: plan.Step, image_id: str) -> None:
        """Note a new image, in any thread."""
        self._begun[step.server.id] = (step, image_id)

    def poll(self, step: plan.Step, image: Image) -> None:
        """Show the progress of an image, in any thread."""
        percent = f', {image.progress} %' if image.progress else ''
        status = f'{step.server.name}: {image.status}{percent}'
        self._bar.describe(status)

    def exit_code(self, code: int) -> int:
        return super().exit_code(code) or int(self._has_gaps)

    def _others(self) -> list[str]:
        skipped = len(self._kept | self._skipped)
        return [f'{skipped} skipped'] if skipped else []

    def _interrupted(self, step: plan.Step) -> None:
        del step
        self._stopped()

    def _stopped(self) -> None:
        for step, image_id in [*self._begun.values()]:
            where = {'server': self.label(step), 'name': printable(step.name)}
            if image_id is None:
                self._log.error(
                    'Interrupted: a snapshot %(name)r of server %(server)s '
                    'may have been begun, as the response to the request was '
                    'not awaited',
                    where,
                )
            else:
                self._log.error(
                    'Interrupted: image %(image)s, the snapshot %(name)r of '
                    'server %(server)s, was begun and not awaited',
                    {**where, 'image': printable(image_id)},
                )


def _label(server: Server) -> str:
    name = f'{server.name} ({server.id})' if server.name else server.id
    return printable(name)
