# SPDX-License-Identifier: Apache-2.0

"""The steps of a plan, and their outcomes."""

from collections.abc import Mapping
import dataclasses
import datetime
import enum

from osc_compute_images.api import _errors
from osc_compute_images.api.records import _ids
from osc_compute_images.api.records._image import Image


class Action(enum.StrEnum):
    """The action of a step."""

    #: The image is deleted.
    DELETE = 'delete'
    #: Properties are added, or replace all.
    SET = 'set'
    #: Properties are removed.
    UNSET = 'unset'
    #: Nothing is done.
    KEEP = 'keep'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """A step of a plan: the action for one image.

    :param image: the image as it was when the plan was made
    :param reason: why it is changed or kept
    :param is_refused: whether it is kept although a change was asked for and
        is possible
    :param properties: properties to set, for :attr:`Action.SET`
    :param replaces: whether they replace all others
    :param keys: properties to remove, for :attr:`Action.UNSET`
    :param successor: ID of a newer image of the group that is kept, for
        :attr:`Action.DELETE`. The image is deleted only if its successor
        is still ACTIVE, so that the group keeps a good image
    """

    image: Image
    action: Action
    reason: str
    is_refused: bool = False
    properties: Mapping[str, str] = dataclasses.field(
        default_factory=dict, hash=False
    )
    replaces: bool = False
    keys: tuple[str, ...] = ()
    successor: str | None = None


class Result(enum.StrEnum):
    """The result of a step."""

    #: The image was changed.
    DONE = 'done'
    #: The image no longer existed.
    GONE = 'gone'
    #: The plan kept the image.
    KEPT = 'kept'
    #: The image, or its use, has changed since the plan was made.
    SKIPPED = 'skipped'
    #: There was an error.
    FAILED = 'failed'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a step of a plan.

    :param reason: why it was kept or skipped, what failed, or a note
    :param error: for :attr:`Result.FAILED`
    :param request_id: of the change, in the logs of Compute, if it has one
    :param time: when it was known, UTC
    """

    step: Step
    result: Result
    reason: str = ''
    error: _errors.ImagesError | None = None
    request_id: str | None = dataclasses.field(default=None, compare=False)
    time: datetime.datetime = dataclasses.field(
        default_factory=lambda: datetime.datetime.now(datetime.UTC),
        compare=False,
    )


def kept(image: Image, reason: str) -> Step:
    """Return the step of an image that is kept."""
    return Step(image=image, action=Action.KEEP, reason=reason)


def unless_kept(step: Step, why_kept: str | None) -> Step:
    """Return the step of a change, unless something keeps the image."""
    if why_kept is None and not _ids.is_addressable(step.image.id):
        why_kept = 'its ID is invalid'
    if why_kept is None:
        return step
    return dataclasses.replace(kept(step.image, why_kept), is_refused=True)


def difference(planned: Image, image: Image) -> str | None:
    """Return how an image differs from the one of a plan, or None."""
    for field in ('state', 'name', 'updated', 'size'):
        before, now = getattr(planned, field), getattr(image, field)
        if before != now:
            name = 'status' if field == 'state' else field
            return f'its {name} changed from {before!r} to {now!r}'
    return None
