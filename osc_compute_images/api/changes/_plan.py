# SPDX-License-Identifier: Apache-2.0

"""A plan of changes."""

import dataclasses
import json
import operator

from osc_compute_images.api import _errors
from osc_compute_images.api.changes import _document
from osc_compute_images.api.changes._steps import Action
from osc_compute_images.api.changes._steps import difference
from osc_compute_images.api.changes._steps import kept
from osc_compute_images.api.changes._steps import Step
from osc_compute_images.api.changes._steps import unless_kept
from osc_compute_images.api.changes.protection import Protection

#: What a step does to its image.
_CHANGE = operator.attrgetter('action', 'properties', 'replaces', 'keys')


@dataclasses.dataclass(frozen=True)
class Plan:
    """A plan of changes.

    :param steps: one for each image
    :param protection: checked again before each deletion, with a current list
        of servers
    :param named: whether the images were named one by one, and are changed
        even if they have changed since the plan was made
    :param reviewed: whether it was read from a document: it cannot be applied
        as it is, see :meth:`only`
    """

    steps: tuple[Step, ...]
    protection: Protection | None = dataclasses.field(
        default=None, compare=False
    )
    named: bool = False
    reviewed: bool = False
    #: Whether only the server of an image itself matters, as it was named.
    _by_server: bool = dataclasses.field(default=False, repr=False)

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change or delete an image."""
        return tuple(s for s in self.steps if s.action is not Action.KEEP)

    @property
    def kept(self) -> tuple[Step, ...]:
        """The steps that keep an image."""
        return tuple(s for s in self.steps if s.action is Action.KEEP)

    def to_json(self, origin: _document.Origin | None = None) -> str:
        """Return the plan as a document, a list with an object for each step.

        Objects may be removed from it, but not altered.

        :param origin: where the plan was made; by default, it is not recorded
        """
        rows = [_document.row(step, origin) for step in self.steps]
        return json.dumps(rows, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> 'Plan':
        """Return the plan of a document, JSON or JSON Lines, for :meth:`only`.

        :raises PlanRefused: if it is not a document of a plan, if a row was
            altered, or if it is of several origins
        """
        by_origin, _command = _document.read(text)
        steps, *others = by_origin.values() or [{}]
        if others:
            raise _errors.PlanRefused(
                'The plan was made in several regions, projects or clouds'
            )
        return cls(tuple(steps.values()), reviewed=True)

    def only(self, reviewed: 'Plan') -> 'Plan':
        """Return this plan, restricted to what was reviewed.

        It has a step for each reviewed change, which makes the change if this
        plan makes the same one and the image has not changed since. Other
        changes of this plan are left out.
        """
        current = {step.image.id: step for step in self.steps}
        steps = (_agreed(s, current.get(s.image.id)) for s in reviewed.changes)
        # NOTE: reviewed images are changed only as they were seen.
        return Plan(tuple(steps), self.protection, _by_server=self.named)


def _agreed(reviewed: Step, current: Step | None) -> Step:
    """Return the step to take for a reviewed change."""
    if current is None:
        reason = 'it no longer exists, or is not selected'
        return kept(reviewed.image, reason)
    if current.action is Action.KEEP and reviewed.action is not Action.DELETE:
        return current
    why_kept = difference(reviewed.image, current.image)
    if why_kept is None and current.action is Action.KEEP:
        why_kept = current.reason
    if why_kept is None and _CHANGE(reviewed) != _CHANGE(current):
        why_kept = 'another change is planned'
    return unless_kept(current, why_kept)
