# SPDX-License-Identifier: Apache-2.0

"""What a plan consists of, and what becomes of each part of it."""

from collections.abc import Mapping
import dataclasses
import enum

from osc_compute_images.api import _errors
from osc_compute_images.api._image import Image
from osc_compute_images.api.protection import Protection


class Action(enum.StrEnum):
    """What a step does to its image."""

    DELETE = 'delete'
    SET = 'set'
    UNSET = 'unset'
    KEEP = 'keep'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """What is to be done with one image.

    :param image: the image as it was when the plan was made
    :param reason: why it is changed or kept, in a few words
    :param properties: what :attr:`Action.SET` sets
    :param keys: the properties that :attr:`Action.UNSET` removes
    :param successor: the ID of a newer image of its group that stays. It must
        still be there when :attr:`Action.DELETE` is applied, or else the
        group might lose all of its images
    """

    image: Image
    action: Action
    reason: str
    properties: Mapping[str, str] = dataclasses.field(default_factory=dict)
    keys: tuple[str, ...] = ()
    successor: str | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to be done with each of some images.

    :param steps: one for each image
    :param protection: what is asked again, for servers as they are then,
        before each image is deleted
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
        """The steps that leave an image as it is."""
        return tuple(s for s in self.steps if s.action is Action.KEEP)


class Result(enum.StrEnum):
    """What became of a step."""

    DONE = 'done'
    GONE = 'gone'
    KEPT = 'kept'
    CHANGED = 'changed'
    FAILED = 'failed'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one step of a plan.

    :param result: ``gone`` means that the image was not there any more, and
        ``changed`` that it was left alone, as it, or what uses it, is not
        what it was when the plan was made
    :param reason: why it was kept or left alone, what failed, or what else
        is to be known
    :param error: for :attr:`Result.FAILED`
    """

    step: Step
    result: Result
    reason: str = ''
    error: _errors.ImagesError | None = None
