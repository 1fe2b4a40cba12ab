# SPDX-License-Identifier: Apache-2.0

"""Servers (instances), and the images that they use."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import itertools
from typing import Any

from osc_compute_images.api import _decode
from osc_compute_images.api import _errors
from osc_compute_images.api import _limits
from osc_compute_images.api import _paging
from osc_compute_images.api._options import MAX_PAGE_SIZE
from osc_compute_images.api.http import Client


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """A server (instance).

    :param id: UUID
    :param name: any text, not unique
    :param status: such as ACTIVE, SHELVED or SHELVED_OFFLOADED
    :param image_id: the image that it was booted from, which may have been
        deleted; None if it was booted from a volume
    :param project_id: its project
    :param task_state: its current task, such as ``shelving``, or None
    """

    id: str
    name: str = ''
    status: str = ''
    image_id: str | None = None
    project_id: str | None = None
    task_state: str | None = None

    @property
    def is_shelved(self) -> bool:
        """Whether it is stored in a snapshot, or will be."""
        return self.status.startswith('SHELVED') or (
            self.task_state is not None
            and self.task_state.startswith('shelving')
        )


@dataclasses.dataclass(frozen=True)
class ServerList:
    """The servers that are visible to the user.

    :param servers: all of them, in Nova's order
    :param all_projects: whether they are those of all projects, as for an
        administrator
    """

    servers: tuple[Server, ...]
    all_projects: bool = False


def list_servers(client: Client) -> ServerList:
    """See :meth:`osc_compute_images.api.ImagesAPI.servers`."""
    try:
        servers = _list(client, {'all_tenants': 1})
    except (_errors.Forbidden, _errors.BadRequest):
        # Only an administrator may list the servers of all projects.
        return ServerList(_list(client, {}))
    return ServerList(servers, all_projects=True)


def _list(client: Client, query: Mapping[str, Any]) -> tuple[Server, ...]:
    listing = _paging.Listing(
        'servers',
        lambda query: client.get('/servers/detail', query),
        lambda body: _decode.read_page(body, 'servers', _servers),
        {'limit': MAX_PAGE_SIZE, **query},
    )
    servers = tuple(itertools.islice(listing.items(), _limits.MAX_SERVERS + 1))
    if len(servers) > _limits.MAX_SERVERS:
        raise _errors.InvalidResponse(
            f'There are more than {_limits.MAX_SERVERS:,} servers'
        )
    return servers


def _servers(entries: Sequence[Any]) -> list[Server]:
    # An entry without an ID cannot be related to images.
    return [
        _server(entry)
        for entry in entries
        if isinstance(entry, dict) and entry.get('id')
    ]


def _server(entry: Mapping[str, Any]) -> Server:
    image = entry.get('image')
    # Nova sends '' for a server that was booted from a volume.
    image_id = image.get('id') if isinstance(image, dict) else None
    return Server(
        id=str(entry['id']),
        name=_text(entry.get('name')) or '',
        status=(_text(entry.get('status')) or '').upper(),
        image_id=_text(image_id),
        project_id=_text(entry.get('tenant_id')),
        task_state=_text(entry.get('OS-EXT-STS:task_state')),
    )


def _text(value: object) -> str | None:
    return None if value is None or value == '' else str(value)
