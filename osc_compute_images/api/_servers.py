# SPDX-License-Identifier: Apache-2.0

"""The servers of Compute, as far as they tell of images."""

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
    """A server (instance), as far as it tells of images.

    :param id: UUID
    :param name: any text, not unique
    :param status: such as ACTIVE, SHELVED or SHELVED_OFFLOADED
    :param image_id: the image that it was booted from, which may be gone;
        None if it was booted from a volume
    :param project_id: the project that it belongs to
    :param task_state: what Nova is doing with it: ``shelving``, or None
    """

    id: str
    name: str = ''
    status: str = ''
    image_id: str | None = None
    project_id: str | None = None
    task_state: str | None = None

    @property
    def is_shelved(self) -> bool:
        """Whether it lives in a snapshot, or is about to."""
        return self.status.startswith('SHELVED') or (
            self.task_state is not None
            and self.task_state.startswith('shelving')
        )


@dataclasses.dataclass(frozen=True)
class ServerList:
    """The servers that the user can see.

    :param servers: all of them, in the order of Nova
    :param all_projects: whether those of other projects are among them: an
        administrator sees them
    """

    servers: tuple[Server, ...]
    all_projects: bool = False


def list_servers(client: Client) -> ServerList:
    """See :meth:`osc_compute_images.api.ImagesAPI.servers`."""
    try:
        found = _read(client, {'all_tenants': 1})
    except (_errors.Forbidden, _errors.BadRequest):
        # Only an administrator may ask for the servers of all projects.
        return ServerList(_read(client, {}))
    return ServerList(found, all_projects=True)


def _read(client: Client, query: Mapping[str, Any]) -> tuple[Server, ...]:
    listing = _paging.Listing(
        'servers',
        lambda query: client.get('/servers/detail', query),
        lambda body: _decode.read_page(body, 'servers', _servers),
        {'limit': MAX_PAGE_SIZE, **query},
    )
    servers = tuple(itertools.islice(listing.items(), _limits.MAX_SERVERS + 1))
    if len(servers) > _limits.MAX_SERVERS:
        raise _errors.InvalidResponse(
            f'The server lists more than {_limits.MAX_SERVERS:,} servers'
        )
    return servers


def _servers(entries: Sequence[Any]) -> list[Server]:
    # An entry without an ID can be neither named nor joined.
    return [
        _server(entry)
        for entry in entries
        if isinstance(entry, dict) and entry.get('id')
    ]


def _server(entry: Mapping[str, Any]) -> Server:
    image = entry.get('image')
    # Nova sends an empty text for a server on a volume.
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
