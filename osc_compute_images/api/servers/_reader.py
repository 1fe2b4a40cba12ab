# SPDX-License-Identifier: Apache-2.0

"""Servers (instances), and the images that they use.

Nova leaves the servers of a cell that does not respond out of its lists, with
a 200. From microversion 2.69 it lists them with the status UNKNOWN, but only
in a request without any parameter for paging
(https://docs.openstack.org/api-guide/compute/down_cells.html). So the first
page is requested without a limit.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.api import _limits
from osc_compute_images.api.http import Client
from osc_compute_images.api.http import path_to
from osc_compute_images.api.listing import _decode
from osc_compute_images.api.listing._pager import Pager
from osc_compute_images.api.listing._query import Query
from osc_compute_images.api.records import _ids
from osc_compute_images.api.records._server import Server
from osc_compute_images.api.records._server import ServerList

#: Since it, Nova reports the servers of cells that do not respond.
_DOWN_CELLS = '2.69'


#: Since it, the response of createImage has the ID of the image.
_IMAGE_ID = '2.45'


class ServerReader:
    """Reads servers: all that are visible, or one. Snapshots them.

    :param client: of the Compute service
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._microversion: str | None = _DOWN_CELLS

    def list(
        self, *, all_projects: bool = False, own_project: bool = False
    ) -> ServerList:
        """List the servers of all projects, or else of the own project.

        :param all_projects: fail rather than list those of the own project
        :param own_project: list only those of the own project
        :raises Forbidden: if the user may not list all projects
        :raises ImagesError: if the list cannot be completed
        """
        try:
            return self._list_visible(all_projects, own_project)
        except _errors.NotAcceptable:
            if self._microversion is None:
                raise
            self._microversion = None
            return self._list_visible(all_projects, own_project)

    def get(self, server_id: str) -> Server | None:
        """Return a server, or None if there is none with this ID.

        Nova answers with an error, and not with a 404, for a server of a cell
        that does not respond.

        :raises ImagesError: if it cannot be read
        """
        if server_id in _ids.RESERVED:
            return None
        path = path_to('servers', server_id)
        try:
            try:
                body = self._client.get(
                    path, microversion=self._microversion
                ).body
            except _errors.NotAcceptable:
                self._microversion = None
                body = self._client.get(path).body
        except _errors.NotFound:
            return None
        record = _server(_decode.member(body, 'server', dict))
        if record is None or record.id.lower() != server_id.lower():
            raise _errors.InvalidResponse(
                f'The server sent another server instead of {server_id}'
            )
        return record

    def create_image(
        self, server_id: str, name: str, metadata: Mapping[str, str]
    ) -> str:
        """Create a snapshot of a server; return the ID of the image.

        :raises ServerNotFound: if there is no such server
        :raises Conflict: if the server is busy, or its state does not allow it
        :raises ImagesError: if it is unknown whether it was created
        """
        if server_id in _ids.RESERVED:
            raise _errors.ServerNotFound(f'No server has the ID {server_id!r}')
        sent = {'createImage': {'name': name, 'metadata': dict(metadata)}}
        path = path_to('servers', server_id, 'action')
        try:
            body = self._client.send(
                'POST', path, sent, microversion=_IMAGE_ID
            )
        except _errors.NotFound as e:
            raise _errors.ServerNotFound(
                f'No server has the ID {server_id}: {e.message}',
                **_errors.origin(e),
            ) from e
        image_id: str = _decode.member(body, 'image_id', str)
        if not _ids.is_addressable(image_id):
            raise _errors.InvalidResponse(
                'The server sent an invalid ID of the new image'
            )
        return image_id

    def _list_visible(
        self, all_projects: bool, own_project: bool
    ) -> ServerList:
        reading = _Reading(self._client, self._microversion)
        try:
            if not own_project:
                return reading.all_projects()
        except _errors.Forbidden:
            # NOTE: an error after the first page is a ListingInterrupted.
            if all_projects:
                raise
        return _Reading(self._client, self._microversion).own_project()


class _Reading:
    """A listing of servers."""

    def __init__(self, client: Client, microversion: str | None) -> None:
        self._client = client
        self._microversion = microversion
        self._records: list[Server] = []
        self._unreadable = 0
        self._shows_down_cells = microversion is not None

    def all_projects(self) -> ServerList:
        self._read({'all_tenants': 1})
        missing = [] if self._shows_down_cells else self._down_services()
        return self._result(missing, all_projects=True)

    def own_project(self) -> ServerList:
        self._read({})
        return self._result([], all_projects=False)

    def _result(
        self, missing: Sequence[str], *, all_projects: bool
    ) -> ServerList:
        if self._unreadable:
            invalid = f'{self._unreadable} servers are invalid in the list'
            missing = [invalid, *missing]
        return ServerList(
            tuple(self._records),
            all_projects,
            tuple(missing),
            self._shows_down_cells,
        )

    def _read(self, query: Mapping[str, str | int]) -> None:
        servers = Pager(
            self._fetch,
            lambda body: _decode.read_page(body, 'servers', self._collect),
            Query(query),
            'servers',
        )
        for number, page in enumerate(servers.pages()):
            if len(self._records) > _limits.MAX_SERVERS:
                raise _errors.InvalidResponse(
                    f'There are more than {_limits.MAX_SERVERS:,} servers'
                )
            if number == 0 and not page.is_last():
                # NOTE: a full page has no room for servers of other cells.
                self._shows_down_cells = False

    def _fetch(self, query: Mapping[str, Any]) -> bytes:
        if 'marker' not in query and self._microversion is not None:
            query = {k: v for k, v in query.items() if k != 'limit'}
        response = self._client.get(
            '/servers/detail', query, microversion=self._microversion
        )
        if response.microversion != self._microversion:
            self._shows_down_cells = False
        return response.body

    def _collect(self, entries: Sequence[Any]) -> list[Server]:
        # NOTE: the listing drops duplicates; here each record counts.
        records = [*map(_server, entries)]
        servers = [record for record in records if record is not None]
        self._unreadable += len(records) - len(servers)
        self._records += servers
        return servers

    def _down_services(self) -> list[str]:
        """Return which cells are down, as far as an administrator sees it."""
        if self._microversion is None:
            return []
        try:
            response = self._client.get(
                '/os-services', microversion=self._microversion
            )
            services = _decode.member(response.body, 'services', list)
        except _errors.ImagesError:
            return []
        if response.microversion != self._microversion:
            return []
        self._shows_down_cells = True
        down = sorted(
            str(service.get('host'))
            for service in services
            if isinstance(service, dict) and service.get('status') == 'UNKNOWN'
        )
        if not down:
            return []
        shown = ', '.join(down[: _limits.MAX_IDS_SHOWN])
        return [f'the cells of these hosts do not respond: {shown}']


def _server(entry: Any) -> Server | None:
    """Return the server of an entry, or None if it has no ID."""
    if not isinstance(entry, dict) or not _is_id(entry.get('id')):
        return None
    image = entry.get('image')
    image_id = image.get('id') if isinstance(image, dict) else None
    status = (_text(entry.get('status')) or '').upper()
    return Server(
        id=str(entry['id']),
        name=_text(entry.get('name')) or '',
        status=status,
        image_id=str(image_id) if _is_id(image_id) else None,
        project_id=_text(entry.get('tenant_id')),
        task_state=_text(entry.get('OS-EXT-STS:task_state')),
        # NOTE: '' means that it was booted from a volume.
        may_use_any_image=status == 'UNKNOWN'
        or not (image == '' or _is_id(image_id)),
        metadata=_metadata(entry.get('metadata')),
    )


def _metadata(value: Any) -> Mapping[str, str]:
    items = value.items() if isinstance(value, dict) else ()
    return {key: text for key, text in items if isinstance(text, str)}


def _is_id(value: object) -> bool:
    return bool(value) and type(value) in (str, int)


def _text(value: object) -> str | None:
    return None if value is None or value == '' else str(value)
