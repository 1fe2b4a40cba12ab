# SPDX-License-Identifier: Apache-2.0

"""Servers (instances), and the images that they use.

Nova leaves the servers of a cell that does not respond out of its lists, with
a 200. From microversion 2.69 it lists them with the status UNKNOWN, but only
in a request without any parameter for paging
(https://docs.openstack.org/api-guide/compute/down_cells.html). So the first
page is requested without a limit.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.api import _limits
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._client import path_to
from osc_compute_images.api.listing._decode import member
from osc_compute_images.api.listing._decode import read_page
from osc_compute_images.api.listing._pager import Pager
from osc_compute_images.api.listing._query import Query
from osc_compute_images.api.records import _ids
from osc_compute_images.api.records._server import Server
from osc_compute_images.api.records._server import ServerList
from osc_compute_images.api.servers import _decode

#: Since it, Nova reports the servers of cells that do not respond.
_DOWN_CELLS = '2.69'

#: Since it, the response of createImage has the ID of the image.
_IMAGE_ID = '2.45'


#: Requests a path, with a query; returns the body, and whether it tells of
#: cells that do not respond.
_Fetch = Callable[[str, Mapping[str, Any]], tuple[bytes, bool]]


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
        """See :meth:`osc_compute_images.api.ImagesAPI.servers`.

        :raises Forbidden: if the user may not list all projects
        """
        if not own_project:
            try:
                return self._list({'all_tenants': 1})
            except _errors.Forbidden:
                # NOTE: an error after the first page is a ListingInterrupted.
                if all_projects:
                    raise
        return self._list({})

    def get(self, server_id: str) -> Server | None:
        """See :meth:`osc_compute_images.api.ImagesAPI.server`.

        Nova answers with an error, and not with a 404, for a server of a cell
        that does not respond.
        """
        if server_id in _ids.RESERVED:
            return None
        try:
            body, _ = self._fetch(path_to('servers', server_id), {})
        except _errors.NotFound:
            return None
        record = _decode.server(member(body, 'server', dict))
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
        image_id: str = member(body, 'image_id', str)
        if not _ids.is_addressable(image_id):
            raise _errors.InvalidResponse(
                'The server sent an invalid ID of the new image'
            )
        return image_id

    def _fetch(
        self, path: str, query: Mapping[str, Any]
    ) -> tuple[bytes, bool]:
        try:
            response = self._client.get(
                path, query, microversion=self._microversion
            )
        except _errors.NotAcceptable:
            if self._microversion is None:
                raise
            self._microversion = None
            response = self._client.get(path, query)
        return response.body, response.microversion == _DOWN_CELLS

    def _list(self, query: Mapping[str, Any]) -> ServerList:
        """List servers; without a query, those of the own project."""
        reading = _Reading(self._fetch, query)
        missing = []
        if reading.unreadable:
            missing.append(
                f'{reading.unreadable} servers are invalid in the list'
            )
        shows_down_cells = reading.shows_down_cells
        if query and not shows_down_cells and self._microversion is not None:
            down = self._down_hosts()
            shows_down_cells = down is not None
            if down:
                missing.append(
                    f'the cells of these hosts do not respond: '
                    f'{_ids.joined(down)}'
                )
        return ServerList(
            tuple(reading.servers),
            bool(query),
            tuple(missing),
            shows_down_cells,
        )

    def _down_hosts(self) -> Sequence[str] | None:
        """Return hosts of cells that are down; None if it is unknown."""
        try:
            body, shows_down_cells = self._fetch('/os-services', {})
            services = member(body, 'services', list)
        except _errors.ImagesError:
            return None
        if not shows_down_cells:
            return None
        return sorted(
            str(service.get('host'))
            for service in services
            if isinstance(service, dict) and service.get('status') == 'UNKNOWN'
        )


class _Reading:
    """A listing of servers, which has been read.

    :ivar servers: each record of the list
    :ivar unreadable: number of records without a server
    :ivar shows_down_cells: see :class:`.ServerList`
    """

    def __init__(self, fetch: _Fetch, query: Mapping[str, Any]) -> None:
        self._fetch = fetch
        self.servers: list[Server] = []
        self.unreadable = 0
        self.shows_down_cells = True
        listing = Pager(
            self._fetch_page,
            lambda body: read_page(body, 'servers', self._collect),
            Query(query),
            'servers',
        )
        for number, page in enumerate(listing.pages()):
            if len(self.servers) > _limits.MAX_SERVERS:
                raise _errors.InvalidResponse(
                    f'There are more than {_limits.MAX_SERVERS:,} servers'
                )
            if number == 0 and not page.is_last():
                # NOTE: a full page has no room for servers of other cells.
                self.shows_down_cells = False

    def _fetch_page(self, query: Mapping[str, Any]) -> bytes:
        if 'marker' not in query:
            query = {k: v for k, v in query.items() if k != 'limit'}
        body, shows_down_cells = self._fetch('/servers/detail', query)
        self.shows_down_cells &= shows_down_cells
        return body

    def _collect(self, entries: Sequence[Any]) -> list[Server]:
        # NOTE: the listing drops duplicates; here each record counts.
        servers = _decode.servers(entries)
        self.unreadable += len(entries) - len(servers)
        self.servers += servers
        return servers
