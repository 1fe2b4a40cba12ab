# SPDX-License-Identifier: Apache-2.0

"""Applying a plan, one image after the other.

Each image is looked at again right before it is changed, and the servers
before an image is deleted. What is left to chance is what happens between two
requests, and, of the servers, within the last second.
"""

from collections.abc import Iterator
import time
from typing import TYPE_CHECKING

from osc_compute_images.api import _changes
from osc_compute_images.api import _errors
from osc_compute_images.api._image import Image
from osc_compute_images.api._steps import Action
from osc_compute_images.api._steps import Outcome
from osc_compute_images.api._steps import Plan
from osc_compute_images.api._steps import Result
from osc_compute_images.api._steps import Step

if TYPE_CHECKING:
    from osc_compute_images.api._client import ImagesAPI

#: Seconds that what was seen of servers is believed, or as many times as long
#: as it takes to read them, if that is longer.
_FRESH = 1.0
_TIMES = 4

#: After so many images in a row without an answer there is no use in asking.
_MOST_UNANSWERED = 3

#: What every image would fail with.
_ABOUT_ALL = (
    _errors.EndpointNotFound,
    _errors.ImagesNotServed,
    _errors.Unauthorized,
)


def apply(api: 'ImagesAPI', plan: Plan) -> Iterator[Outcome]:
    """See :meth:`osc_compute_images.api.ImagesAPI.apply`."""
    look = _Look(api, plan)
    unanswered = 0
    lasting: _errors.ImagesError | None = None
    for step in plan.steps:
        if step.action is Action.KEEP:
            yield Outcome(step=step, result=Result.KEPT, reason=step.reason)
            continue
        if lasting is not None:
            yield _failure(step, lasting)
            continue
        try:
            outcome = _apply_step(api, step, look)
        except _errors.ImagesError as e:
            outcome = _failure(step, e)
            is_unanswered = isinstance(e, _errors.ConnectionFailed)
            unanswered = unanswered + 1 if is_unanswered else 0
            if isinstance(e, _ABOUT_ALL) or unanswered == _MOST_UNANSWERED:
                lasting = e
        else:
            unanswered = 0
        yield outcome


def _failure(step: Step, e: _errors.ImagesError) -> Outcome:
    return Outcome(step=step, result=Result.FAILED, reason=str(e), error=e)


def _apply_step(api: 'ImagesAPI', step: Step, look: '_Look') -> Outcome:
    """Look at the image once more, and change it if it is still the same."""
    if look.is_needless(step):
        told = _changes.change(api, step, step.image)
        return Outcome(step=step, result=Result.DONE, reason=told)
    against = None
    if step.action is Action.DELETE:
        # First what may take longer, or be known already.
        against = look.reason_against(step)
    try:
        image = api.get(step.image.id)
    except _errors.ImageNotFound:
        return Outcome(step=step, result=Result.GONE)
    if image.status == 'DELETED':
        return Outcome(step=step, result=Result.GONE)
    against = against or _difference(step.image, image)
    if against is not None:
        return Outcome(step=step, result=Result.CHANGED, reason=against)
    told = _changes.change(api, step, image)
    return Outcome(step=step, result=Result.DONE, reason=told)


def _difference(planned: Image, image: Image) -> str | None:
    for field in ('status', 'name', 'updated'):
        was, now = getattr(planned, field), getattr(image, field)
        if was != now:
            return f'its {field} is {now!r} now, and was {was!r}'
    return None


class _Look:
    """What speaks against the deletion of an image, as it is by now.

    :param plan: the plan that is applied
    """

    def __init__(self, api: 'ImagesAPI', plan: Plan) -> None:
        self._api = api
        self._protection = plan.protection
        self._valid_until = 0.0
        #: Until when successors are known to be there.
        self._there: dict[str, float] = {}

    def is_needless(self, step: Step) -> bool:
        """Tell whether an image is to go, whatever has become of it."""
        return (
            step.action is Action.DELETE
            and self._protection is not None
            and step.image.id in self._protection.named
        )

    def reason_against(self, step: Step) -> str | None:
        """Return why an image must not be deleted, or None."""
        if step.successor is not None and not self._is_there(step.successor):
            return (
                f'image {step.successor}, which was to stay in its place, is '
                f'gone'
            )
        if self._protection is None:
            return None
        began = time.monotonic()
        if began >= self._valid_until:
            servers = self._api.servers()
            self._protection = self._protection.with_servers(servers)
            took = time.monotonic() - began
            self._valid_until = began + took + max(_FRESH, _TIMES * took)
        return self._protection.reason(step.image)

    def _is_there(self, image_id: str) -> bool:
        now = time.monotonic()
        if now < self._there.get(image_id, 0.0):
            return True
        if _changes.is_gone(self._api, image_id):
            return False
        self._there = {image_id: now + _FRESH}
        return True
