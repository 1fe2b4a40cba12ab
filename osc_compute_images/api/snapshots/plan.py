# SPDX-License-Identifier: Apache-2.0

"""Plan snapshots of many servers.

A server that is busy is skipped, as Compute refuses its snapshot, and so is
one that has a recent snapshot: a plan that is made again the same night
creates nothing.
"""

from collections import Counter
from collections.abc import Iterable
import dataclasses
import datetime
import enum
import re

from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._server import Server

__all__ = ['NAME', 'Action', 'Step', 'create']

#: The default template of names.
NAME = '{server}-{date}'

#: Statuses in which Nova makes a snapshot of a server.
_READY = ('ACTIVE', 'SHUTOFF', 'PAUSED', 'SUSPENDED')

#: Statuses of servers that do not change, and are stored in an image or going
#: to be deleted: they need no snapshot.
_AT_REST = ('SHELVED', 'SHELVED_OFFLOADED', 'SOFT_DELETED', 'DELETED')

_FIELD = re.compile(r'\{(.*?)\}')

#: Maximum characters of the name of an image.
_MAX_NAME = 255


class Action(enum.StrEnum):
    """The action of a step."""

    #: A snapshot is created.
    CREATE = 'create'
    #: Nothing is done.
    SKIP = 'skip'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """A step of a plan: the action for one server.

    :param server: the server as it was when the plan was made
    :param name: of the new image
    :param reason: why the server is chosen or skipped
    :param is_missed: whether it is skipped, and so has no new snapshot,
        because of its state: it should be tried again
    """

    server: Server
    action: Action
    name: str
    reason: str
    is_missed: bool = False


def create(
    servers: Iterable[Server],
    images: Iterable[Image],
    name: str = NAME,
    *,
    not_within: datetime.timedelta | None = None,
    include_volumes: bool = False,
    now: datetime.datetime | None = None,
) -> tuple[Step, ...]:
    """Plan a snapshot of each server.

    :param images: all that were taken from the servers
    :param name: template of the names, with ``{server}`` (the name of the
        server), ``{date}`` and ``{time}``, UTC. Where several names would be
        equal, the ID of the server is added
    :param not_within: skip a server with an ACTIVE snapshot that is younger
    :param include_volumes: also for servers that were booted from a volume,
        whose data the Block Storage service keeps. Deleting such an image does
        not delete the snapshots of the volumes
    :param now: the current time, by default
    :raises ValueError: for an unknown field of the template
    """
    now = now or datetime.datetime.now(datetime.UTC)
    distinct = [*{server.id: server for server in servers}.values()]
    names = _names(distinct, name, now)
    recent = _recent(images, not_within, now)
    steps = []
    for server in distinct:
        name, is_missed = names[server.id], False
        reason = recent.get(server.id.lower())
        if reason is None and server.is_volume_backed and not include_volumes:
            reason = 'it was booted from a volume'
        elif reason is None and (reason := _problem(server, name)):
            is_missed = server.status.upper() not in _AT_REST
        steps.append(
            Step(
                server=server,
                action=Action.SKIP if reason else Action.CREATE,
                name=name,
                reason=reason or 'selected',
                is_missed=is_missed,
            )
        )
    return tuple(steps)


def _problem(server: Server, name: str) -> str | None:
    """Return why the state of a server allows no snapshot, or None."""
    if server.may_use_any_image:
        return 'Compute does not tell its state, as for a cell that is down'
    if server.task_state is not None:
        return f'it is busy: {server.task_state}'
    if server.status.upper() not in _READY:
        return f'it is {server.status or "without a status"}'
    if len(name) > _MAX_NAME:
        return f'the name would have more than {_MAX_NAME} characters'
    return None


def _names(
    servers: Iterable[Server], template: str, now: datetime.datetime
) -> dict[str, str]:
    """Return the name of the image of each server, by its ID."""
    utc = now.astimezone(datetime.UTC)
    fields = {'server': '', 'date': f'{utc:%Y-%m-%d}', 'time': f'{utc:%H%M%S}'}
    unknown = {*_FIELD.findall(template)} - fields.keys()
    if unknown:
        raise ValueError(
            f'{{{min(unknown)}}} is not a field of a name; choose from '
            f'{{server}}, {{date}} and {{time}}'
        )
    names = {}
    for server in servers:
        fields['server'] = server.name or server.id
        names[server.id] = _FIELD.sub(lambda field: fields[field[1]], template)
    long = {server_id: f'{n}-{server_id}' for server_id, n in names.items()}
    counts = Counter(names.values())
    unique = {k: long[k] if counts[n] > 1 else n for k, n in names.items()}
    # NOTE: a server may be named as another one with its ID.
    return unique if len({*unique.values()}) == len(unique) else long


def _recent(
    images: Iterable[Image],
    not_within: datetime.timedelta | None,
    now: datetime.datetime,
) -> dict[str, str]:
    """Return why a server is skipped for a recent snapshot, by its ID."""
    if not_within is None:
        return {}
    return {
        image.server_id.lower(): f'it has a recent snapshot: {image.id}'
        for image in images
        if image.server_id is not None
        and image.state == 'ACTIVE'
        and (created := image.created_at) is not None
        # NOTE: also in the future, as clocks differ.
        and abs(now - created) < not_within
    }
