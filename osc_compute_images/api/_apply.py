# SPDX-License-Identifier: Apache-2.0

"""Apply a plan, image by image.

Each image is read again right before it is changed, and the list of servers
before an image is deleted. A race remains between two requests, and within
the time for which the list of servers is cached.
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

#: How long the list of servers is cached: seconds, or this many times as long
#: as it took to read, if that is longer.
_CACHE_TIME = 1.0
_CACHE_FACTOR = 4

#: Stop after this many failed connections in a row.
_MAX_FAILED_CONNECTIONS = 3

#: Errors that are not specific to an image.
_FATAL = (
    _errors.EndpointNotFound,
    _errors.ImagesNotServed,
    _errors.Unauthorized,
)


def apply(api: 'ImagesAPI', plan: Plan) -> Iterator[Outcome]:
    """See :meth:`osc_compute_images.api.ImagesAPI.apply`."""
    check = _DeletionCheck(api, plan)
    failed_connections = 0
    fatal: _errors.ImagesError | None = None
    for step in plan.steps:
        if step.action is Action.KEEP:
            yield Outcome(step=step, result=Result.KEPT, reason=step.reason)
            continue
        if fatal is not None:
            yield _failure(step, fatal)
            continue
        try:
            outcome = _apply_step(api, step, check)
        except _errors.ImagesError as e:
            outcome = _failure(step, e)
            if isinstance(e, _errors.ConnectionFailed):
                failed_connections += 1
            else:
                failed_connections = 0
            if (
                isinstance(e, _FATAL)
                or failed_connections == _MAX_FAILED_CONNECTIONS
            ):
                fatal = e
        else:
            failed_connections = 0
        yield outcome


def _failure(step: Step, e: _errors.ImagesError) -> Outcome:
    return Outcome(step=step, result=Result.FAILED, reason=str(e), error=e)


def _apply_step(
    api: 'ImagesAPI', step: Step, check: '_DeletionCheck'
) -> Outcome:
    """Read the image again, and change it if it is unchanged."""
    if check.is_exempt(step):
        _changes.change(api, step, step.image)
        return Outcome(step=step, result=Result.DONE)
    objection = None
    if step.action is Action.DELETE:
        # NOTE: before the image is read: this may take longer.
        objection = check.find_objection(step)
    try:
        image = api.get(step.image.id)
    except _errors.ImageNotFound:
        return Outcome(step=step, result=Result.GONE)
    if image.status == 'DELETED':
        return Outcome(step=step, result=Result.GONE)
    objection = objection or _difference(step.image, image)
    if objection is not None:
        return Outcome(step=step, result=Result.CHANGED, reason=objection)
    note = _changes.change(api, step, image)
    return Outcome(step=step, result=Result.DONE, reason=note)


def _difference(planned: Image, image: Image) -> str | None:
    for field in ('status', 'name', 'updated'):
        before, now = getattr(planned, field), getattr(image, field)
        if before != now:
            return f'its {field} changed from {before!r} to {now!r}'
    return None


class _DeletionCheck:
    """Checks whether images may still be deleted.

    :param plan: the plan that is applied
    """

    def __init__(self, api: 'ImagesAPI', plan: Plan) -> None:
        self._api = api
        self._protection = plan.protection
        self._valid_until = 0.0
        #: The successor last checked, and until when the result is cached.
        self._existing: dict[str, float] = {}

    def is_exempt(self, step: Step) -> bool:
        """Return whether an image is deleted without any check."""
        return (
            step.action is Action.DELETE
            and self._protection is not None
            and step.image.id in self._protection.named
        )

    def find_objection(self, step: Step) -> str | None:
        """Return why an image must not be deleted, or None."""
        if step.successor is not None and not self._exists(step.successor):
            return (
                f'image {step.successor}, which was to be kept instead, no '
                f'longer exists'
            )
        if self._protection is None:
            return None
        began = time.monotonic()
        if began >= self._valid_until:
            servers = self._api.servers()
            self._protection = self._protection.with_servers(servers)
            took = time.monotonic() - began
            cached = max(_CACHE_TIME, _CACHE_FACTOR * took)
            self._valid_until = began + took + cached
        return self._protection.reason(step.image)

    def _exists(self, image_id: str) -> bool:
        now = time.monotonic()
        if now < self._existing.get(image_id, 0.0):
            return True
        if _changes.is_gone(self._api, image_id):
            return False
        self._existing = {image_id: now + _CACHE_TIME}
        return True
