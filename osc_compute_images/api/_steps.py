# SPDX-License-Identifier: Apache-2.0

"""The steps of a plan, and their outcomes."""

from collections.abc import Mapping
import dataclasses
import enum

from osc_compute_images.api import _errors
from osc_compute_images.api._image import Image
from osc_compute_images.api.protection import Protection


class Action(enum.StrEnum):
    """The action of a step."""

    DELETE = 'delete'
    SET = 'set'
    UNSET = 'unset'
    KEEP = 'keep'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """A step of a plan: the action for one image.

    :param image: the image as it was when the plan was made
    :param reason: why it is changed or kept
    :param properties: properties to set, for :attr:`Action.SET`
    :param keys: properties to remove, for :attr:`Action.UNSET`
    :param successor: ID of a newer image of the group that is kept, for
        :attr:`Action.DELETE`. The image is deleted only if its successor
        still exists, so that the group keeps an image
    """

    image: Image
    action: Action
    reason: str
    properties: Mapping[str, str] = dataclasses.field(default_factory=dict)
    keys: tuple[str, ...] = ()
    successor: str | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """A plan of changes.

    :param steps: one for each image
    :param protection: checked again before each deletion, with a current list
        of servers
    """

    steps: tuple[Step, ...]
    protection: Protection | None = dataclasses.field(
        default=None, compare=False
    )

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change or delete an image."""
        return tuple(s for s in self.steps if s.action is not Action.KEEP)

    @property
    def kept(self) -> tuple[Step, ...]:
        """The steps that keep an image."""
        return tuple(s for s in self.steps if s.action is Action.KEEP)


class Result(enum.StrEnum):
    """The result of a step."""

    DONE = 'done'
    GONE = 'gone'
    KEPT = 'kept'
    CHANGED = 'changed'
    FAILED = 'failed'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a step of a plan.

    :param result: ``gone`` if the image no longer existed; ``changed`` if it
        was skipped, because it or its use has changed since the plan was made
    :param reason: why it was kept or skipped, what failed, or a note
    :param error: for :attr:`Result.FAILED`
    """

    step: Step
    result: Result
    reason: str = ''
    error: _errors.ImagesError | None = None
