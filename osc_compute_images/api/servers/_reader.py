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
import re
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
from osc_compute_images.api.records._server import decoded
from osc_compute_images.api.records._server import Server
from osc_compute_images.api.records._server import ServerList

#: Since it, Nova reports the servers of cells that do not respond.
_DOWN_CELLS = '2.69'


class ServerReader:
    """Reads servers: all that are visible, or one.

    :param client: of the Compute service
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._microversion: str | None = _DOWN_CELLS

    def list(self, *, all_projects: bool) -> ServerList:
        """List the servers of all projects, or of the own one.

        :raises Forbidden: if the user may not list all projects. An error
            after the first page is a ListingInterrupted
        """
        query = {'all_tenants': 1} if all_projects else {}
        records, shows_down_cells = self._read('/servers/detail', query)
        servers = tuple(filter(None, records))
        missing = []
        invalid = len(records) - len(servers)
        if invalid:
            missing.append(f'{invalid} servers are invalid in the list')
        is_old = self._microversion is None
        if all_projects and not shows_down_cells and not is_old:
            down = self._down_hosts()
            shows_down_cells = down is not None
            if down:
                missing.append(
                    f'the cells of these hosts do not respond: '
                    f'{_ids.joined(down)}'
                )
        return ServerList(
            servers, all_projects, tuple(missing), shows_down_cells
        )

    def named(self, name: str, **query: int) -> dict[str, Server]:
        """Return the servers with a name, by ID; only these are known."""
        # Nova interprets the name as a regular expression.
        pattern = f'^{re.escape(name)}$'
        records, _ = self._read('/servers', {'name': pattern, **query})
        return {r.id: r for r in records if r is not None and r.name == name}

    def show(self, server_id: str) -> Server:
        """Return the server that Compute shows, which may have another ID.

        Nova answers with an error, and not with a 404, for a server of a cell
        that does not respond.

        :raises NotFound: if there is none
        """
        body, _ = self._get(path_of(server_id), {})
        record = decoded(member(body, 'server', dict))
        if record is None:
            raise _errors.InvalidResponse(
                f'The server sent no server instead of {server_id}'
            )
        return record

    def _get(self, path: str, query: Mapping[str, Any]) -> tuple[bytes, bool]:
        """Return the body of a response, and whether it shows down cells."""
        try:
            response = self._client.get(
                path, query, microversion=self._microversion, fresh=True
            )
        except _errors.NotAcceptable:
            if self._microversion is None:
                raise
            self._microversion = None
            response = self._client.get(path, query, fresh=True)
        return response.body, response.microversion == _DOWN_CELLS

    def _read(
        self, path: str, query: Mapping[str, Any]
    ) -> tuple[Sequence[Server | None], bool]:
        """Return each record of a list, and whether it shows down cells.

        A record without a server is None.
        """
        records: list[Server | None] = []
        shown = []

        def fetch(parameters: Mapping[str, Any]) -> bytes:
            if 'marker' not in parameters:
                parameters = {
                    k: v for k, v in parameters.items() if k != 'limit'
                }
            body, shows_down_cells = self._get(path, parameters)
            shown.append(shows_down_cells)
            return body

        def read(entries: Sequence[Any]) -> list[Server]:
            # NOTE: the listing drops duplicates; here each record counts.
            page = [*map(decoded, entries)]
            records.extend(page)
            return [*filter(None, page)]

        listing = Pager(
            fetch,
            lambda body: read_page(body, 'servers', read),
            Query(query),
            'servers',
        )
        for number, page in enumerate(listing.pages()):
            if len(records) > _limits.MAX_SERVERS:
                raise _errors.InvalidResponse(
                    f'There are more than {_limits.MAX_SERVERS:,} servers'
                )
            # NOTE: a full first page has no room for servers of other cells.
            shown.append(number > 0 or page.is_last())
        return records, all(shown)

    def _down_hosts(self) -> Sequence[str] | None:
        """Return hosts of cells that are down; None if it is unknown."""
        try:
            body, shows_down_cells = self._get('/os-services', {})
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


def path_of(server_id: str, *more: str) -> str:
    """Return the path of a server, or below it.

    :raises ServerNotFound: for what would address another resource
    """
    if server_id in _ids.RESERVED:
        raise _errors.ServerNotFound(f'No server has the ID {server_id!r}')
    return path_to('servers', server_id, *more)
