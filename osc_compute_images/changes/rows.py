# SPDX-License-Identifier: Apache-2.0

"""The rows of plans and their outcomes."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TextIO

from osc_compute_images.output import escaping
from osc_compute_images.targets.scope import RegionKey
from osc_compute_images.text import printable

#: Actions that change nothing, of images and of servers.
_IDLE = ('keep', 'skip')

#: By region; each has ``steps``, of images or servers.
Plans = Mapping[RegionKey, Any]


def cells(
    stdout: TextIO, formatter: str, rows: Iterable[Sequence[Any]]
) -> Iterator[tuple[Any, ...]]:
    """Escape the cells of rows for an output."""
    escape = escaping.cell_escaper(stdout, formatter)
    return (escape(map(escaping.text_cell, row)) for row in rows)


class Rows:
    """The rows of steps about images.

    :cvar noun: what steps are about, and their attribute for it
    :cvar log_headers: those of formatters for programs: an audit log
    """

    noun = 'image'
    plan_headers: tuple[str, ...] = ('Action', 'ID', 'Name', 'Reason')
    headers: tuple[str, ...] = ('Action', 'ID', 'Name', 'Result', 'Reason')
    log_headers: tuple[str, ...] = (*headers, 'Time', 'Request ID')

    def subject(self, step: Any) -> Any:
        """Return what a step is about, which has an ID and a name."""
        return getattr(step, self.noun)

    def is_change(self, step: Any) -> bool:
        """Return whether a step changes anything."""
        return step.action not in _IDLE

    def label(self, step: Any) -> str:
        """Return how messages call what a step is about."""
        return printable(step.image.id)

    def some(self, count: int) -> str:
        """Return a number of images, with the noun."""
        return f'{count} {self.noun}{"" if count == 1 else "s"}'

    def plan_cells(self, step: Any) -> tuple[str | None, ...]:
        """Return the cells of a step, without its reason."""
        return step.action.value, step.image.id, step.image.name

    def plan_rows(self, plans: Plans) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of plans: region, then :attr:`plan_headers`."""
        for region, plan in plans.items():
            for step in plan.steps:
                yield (*region, *self.plan_cells(step), step.reason)

    def outcome_cells(self, outcome: Any) -> tuple[str | None, ...]:
        """Return the cells below :attr:`log_headers`."""
        return (
            *self.plan_cells(outcome.step),
            outcome.result.value,
            outcome.reason or outcome.step.reason,
            outcome.time.isoformat(timespec='seconds'),
            outcome.request_id,
        )
