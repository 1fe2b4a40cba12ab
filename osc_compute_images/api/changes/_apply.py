# SPDX-License-Identifier: Apache-2.0

"""Apply a plan, image by image.

Everything that a deletion rests on is read again right before it, but not the
images that need a kernel. A race remains between two requests, and for as long
as a list of servers is used: see :meth:`.Fleet.refresh`.
"""

from collections.abc import Iterator
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

if TYPE_CHECKING:
    from osc_compute_images.api.images._api import ImagesAPI
    from osc_compute_images.api.servers.fleet import Fleet

#: Stop after this many failed connections in a row.
_MAX_FAILED_CONNECTIONS = 3

#: Errors that are not specific to an image.
_FATAL = (
    _errors.EndpointNotFound,
    _errors.ImagesNotServed,
    _errors.Unauthorized,
)


def apply(api: 'ImagesAPI', plan: Plan, fleet: 'Fleet') -> Iterator[Outcome]:
    """Apply a plan, a step for each outcome that is taken.

    :param fleet: the servers that may use the images
    :raises ValueError: for a plan that was read from a document
    """
    if plan.reviewed:
        raise ValueError(
            'A plan from a document is not applied as it is: make the plan '
            'again, and apply plan.only(reviewed)'
        )
    check = _DeletionCheck(api, plan, fleet)
    failed_connections = 0
    fatal: _errors.ImagesError | None = None
    for step in plan.steps:
        if step.action is Action.KEEP:
            yield Outcome(step=step, result=Result.KEPT, reason=step.reason)
        elif fatal is not None:
            yield _failure(step, fatal)
        else:
            outcome = _apply_step(api, step, plan, check)
            is_lost = isinstance(outcome.error, _errors.ConnectionFailed)
            failed_connections = failed_connections + 1 if is_lost else 0
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
    image, note = step.image, ''
    deletes = step.action is Action.DELETE
    try:
        # NOTE: the image is read last: the check may take longer.
        objection = check.objection(step) if deletes else None
        if not plan.named:
            image = api._get(image.id, fresh=True)
            if image.state == 'DELETED':
                return Outcome(step=step, result=Result.GONE)
            if not deletes and _stored.is_edited(step, image):
                # NOTE: as in another region that shares the Image service.
                return Outcome(step=step, result=Result.DONE)
            objection = objection or difference(step.image, image)
        if objection is not None:
            return Outcome(step=step, result=Result.SKIPPED, reason=objection)
        if deletes:
            api.delete(image.id)
        else:
            note = _stored.edit(api, step, image)
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


class _DeletionCheck:
    """Tells why images must not be deleted, from what is true now."""

    def __init__(self, api: 'ImagesAPI', plan: Plan, fleet: 'Fleet') -> None:
        self._api = api
        self._fleet = fleet
        self._named = plan.named
        self._by_server = plan.named or plan._by_server
        #: That of the plan, later with the current servers.
        self._protection = plan.protection
        self._servers: ServerList | None = None

    def objection(self, step: Step) -> str | None:
        """Return why an image must not be deleted, or None."""
        # NOTE: the servers of named images have just been read, but earlier
        # deletions take time, also in another region, as does a review.
        fleet = self._fleet
        just_read = self._named and fleet.is_just_read
        fleet.is_just_read = False
        reason = None
        if self._protection is not None and not just_read:
            # NOTE: for a named image only its server matters.
            by_server = self._by_server and not is_named_as_stored(step.image)
            check = self._server if by_server else self._use
            reason = check(step.image, self._protection)
        return reason or self._loss(step.successor)

    def _use(self, image: Image, protection: Protection) -> str | None:
        self._fleet.refresh()
        servers = self._fleet.servers(self._api)
        if servers is not self._servers:
            protection = protection.with_servers(servers)
            self._servers, self._protection = servers, protection
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
        servers = (*self._fleet.server(self._api, image.server_id),)
        if servers and protection.usage.server_of(image) is None:
            return f'server {image.server_id} exists, and is not listed'
        all_projects = not protection.usage.unknown.other_projects
        listed = ServerList(servers, all_projects)
        return protection.with_servers(listed).reason(image)

    def _loss(self, successor: str | None) -> str | None:
        """Check the image that is kept instead."""
        if successor is None:
            return None
        try:
            state = self._api._get(successor, fresh=True).state
        except _errors.ImageNotFound:
            state = 'DELETED'
        if state == 'ACTIVE':
            return None
        return (
            f'image {successor}, which was to be kept instead, is '
            f'{state or "without a status"}'
        )
