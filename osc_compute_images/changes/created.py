# SPDX-License-Identifier: Apache-2.0

"""The report of snapshots: what was created, begun and skipped."""

import logging
from typing import Any

from osc_compute_images.api import Image
from osc_compute_images.api.changes.plan import Result
from osc_compute_images.api.snapshots import plan
from osc_compute_images.changes import report
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
        # By the ID of the server; the ID of the image once it is known.
        self._begun: dict[str, tuple[plan.Step, str | None]] = {}

    def label(self, step: plan.Step) -> str:
        server = step.server
        name = f'{server.name} ({server.id})' if server.name else server.id
        return printable(name)

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

    def tell_skipped(self, step: plan.Step, *, named: bool) -> None:
        """Report a server that has no snapshot because of its state.

        :param named: whether it was named: then any reason is told
        """
        if step.is_missed:
            self._ids[Result.SKIPPED].add(step.server.id)
        if step.is_missed or (named and not self.is_change(step)):
            reason = printable(step.reason)
            self._log.warning(
                'Server %s is skipped: %s', self.label(step), reason
            )

    def begin(self, step: plan.Step, image_id: str | None = None) -> None:
        """Note a snapshot that is requested, or its image, in any thread."""
        self._begun[step.server.id] = (step, image_id)

    def poll(self, step: plan.Step, image: Image) -> None:
        """Show the progress of an image, in any thread."""
        percent = f', {image.progress} %' if image.progress else ''
        status = f'{step.server.name}: {image.status}{percent}'
        self.progress.describe(status)

    def interrupt(self, step: plan.Step | None) -> None:
        del step
        for begun, image_id in [*self._begun.values()]:
            name, server = printable(begun.name), self.label(begun)
            if image_id is None:
                self._log.error(
                    'Interrupted: a snapshot %r of server %s may have been '
                    'begun, as the response to the request was not awaited',
                    *(name, server),
                )
            else:
                self._log.error(
                    'Interrupted: image %s, the snapshot %r of server %s, was '
                    'begun and not awaited',
                    *(printable(image_id), name, server),
                )

    def _left(self, skipped: set[str]) -> dict[str, set[str]]:
        return {'skipped': self._kept | skipped}
