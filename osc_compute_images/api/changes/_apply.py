# SPDX-License-Identifier: Apache-2.0

"""Apply a plan, image by image.

Right before an image is deleted, everything that the plan rests on is read
again: the servers of all regions that share the Image service, the server that
the image was taken from, the image that is kept instead, and the image itself.
A race remains between two requests, and for as long as a list of servers is
used: see :meth:`.Fleet.refresh`. The images that need a kernel are not listed
again.
"""

from collections.abc import Iterator
import dataclasses
from typing import TYPE_CHECKING

from osc_compute_images.api import _errors
from osc_compute_images.api.changes import _stored
from osc_compute_images.api.changes._links import is_named_as_stored
from osc_compute_images.api.changes._plan import Plan
from osc_compute_images.api.changes._steps import Action
from osc_compute_images.api.changes._steps import difference
from osc_compute_images.api.changes._steps import Outcome
from osc_compute_images.api.changes._steps import Result
from osc_compute_images.api.changes._steps import Step
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._server import ServerList
from osc_compute_images.api.servers.fleet import Fleet

if TYPE_CHECKING:
    from osc_compute_images.api.images._api import ImagesAPI

#: Stop after this many failed connections in a row.
_MAX_FAILED_CONNECTIONS = 3

#: Errors that are not specific to an image.
_FATAL = (
    _errors.EndpointNotFound,
    _errors.ImagesNotServed,
    _errors.Unauthorized,
)


def apply(api: 'ImagesAPI', plan: Plan, fleet: Fleet) -> Iterator[Outcome]:
    """Apply a plan, a step for each outcome that is taken.

    :param fleet: the servers that may use the images
    :raises ValueError: for a plan that was read from a document
    """
    if plan.reviewed:
        raise ValueError(
            'A plan from a document is not applied as it is: make the plan '
            'again, and apply plan.only(reviewed)'
        )
    check = _DeletionCheck(api, plan.protection, fleet, plan.named)
    failed_connections = 0
    fatal: _errors.ImagesError | None = None
    for step in plan.steps:
        if step.action is Action.KEEP:
            yield Outcome(step=step, result=Result.KEPT, reason=step.reason)
        elif fatal is not None:
            yield _failure(step, fatal)
        else:
            outcome = _apply_step(api, step, plan, check)
            if isinstance(outcome.error, _errors.ConnectionFailed):
                failed_connections += 1
            else:
                failed_connections = 0
            if (
                isinstance(outcome.error, _FATAL)
                or failed_connections == _MAX_FAILED_CONNECTIONS
            ):
                fatal = outcome.error
            yield outcome


def _failure(step: Step, e: _errors.ImagesError) -> Outcome:
    return Outcome(
        step=step,
        result=Result.FAILED,
        reason=str(e),
        error=e,
        request_id=e.request_id,
    )


def _apply_step(
    api: 'ImagesAPI', step: Step, plan: Plan, check: '_DeletionCheck'
) -> Outcome:
    """Change an image if nothing speaks against it."""
    image = step.image
    try:
        # NOTE: the image is read last: the check may take longer.
        deletes = step.action is Action.DELETE
        objection = check.objection(step) if deletes else None
        if not plan.named:
            image = api.get(image.id)
            if image.state == 'DELETED':
                return Outcome(step=step, result=Result.GONE)
            objection = objection or difference(step.image, image)
        if objection is not None:
            return Outcome(step=step, result=Result.SKIPPED, reason=objection)
        note = _change(api, step, image)
    except _errors.ImageNotFound:
        return Outcome(step=step, result=Result.GONE)
    except _errors.ImagesError as e:
        return _failure(step, e)
    return Outcome(
        step=step,
        result=Result.DONE,
        reason=note,
        request_id=api.last_request_id,
    )


def _change(api: 'ImagesAPI', step: Step, image: Image) -> str:
    """Make a change; return a note for the user, which may be empty.

    If the response is lost, the image is read again: if it has changed as
    intended, the change has succeeded.
    """
    if step.action is Action.DELETE:
        api.delete(step.image.id)
        return ''
    try:
        return _stored.edit(api, step, image)
    except _errors.RESPONSE_LOST:
        if _stored.is_edited(api, step):
            return ''
        raise


@dataclasses.dataclass
class _DeletionCheck:
    """Tells why images must not be deleted, from what is true now.

    :param protection: of the plan, later with the current servers
    :param fleet: the servers that may use the images
    :param named: whether the images were named
    """

    api: 'ImagesAPI'
    protection: Protection | None
    fleet: Fleet
    named: bool
    servers: ServerList | None = None
    is_first: bool = True

    def objection(self, step: Step) -> str | None:
        """Return why an image must not be deleted, or None."""
        # NOTE: the servers of named images have just been read, but earlier
        # deletions take time.
        just_read, self.is_first = self.named and self.is_first, False
        reason = None
        if self.protection is not None and not just_read:
            check = self._server if self._is_enough(step.image) else self._use
            reason = check(step.image, self.protection)
        return reason or self._loss(step.successor)

    def _is_enough(self, image: Image) -> bool:
        """Return whether only the server of an image matters."""
        return self.named and not is_named_as_stored(image)

    def _use(self, image: Image, protection: Protection) -> str | None:
        self.fleet.refresh()
        servers = self.fleet.servers(self.api)
        if servers is not self.servers:
            protection = protection.with_servers(servers)
            self.servers, self.protection = servers, protection
        try:
            protection.usage.check_gaps()
        except _errors.GapsFound as e:
            return e.message
        return protection.reason(image) or self._server(image, protection)

    def _server(self, image: Image, protection: Protection) -> str | None:
        """Check the server of an image by its ID.

        A list may lack the servers of a cell that does not respond; this
        request fails then, or tells that the status is unknown.
        """
        if image.server_id is None:
            return None
        servers = (*self.fleet.server(self.api, image.server_id),)
        if servers and protection.usage.server_of(image) is None:
            return f'server {image.server_id} exists, and is not listed'
        return protection.with_servers(ServerList(servers)).reason(image)

    def _loss(self, successor: str | None) -> str | None:
        """Check the image that is kept instead."""
        if successor is None:
            return None
        try:
            state = self.api.get(successor).state
        except _errors.ImageNotFound:
            state = 'DELETED'
        if state == 'ACTIVE':
            return None
        return (
            f'image {successor}, which was to be kept instead, is '
            f'{state or "without a status"}'
        )
