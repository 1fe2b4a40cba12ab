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

import requests

from osc_compute_images.api import _errors
from osc_compute_images.api import _limits
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._client import path_to
from osc_compute_images.api.listing import _decode
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
        found = self._read('/servers/detail', query)
        is_old = self._microversion is None
        if all_projects and not found.shows_down_cells and not is_old:
            gaps = self._down_cells()
            if gaps is not None:
                missing = found.missing + gaps
                return ServerList(found.servers, True, missing)
        return found

    def named(self, name: str, **query: int) -> dict[str, Server]:
        """Return the servers with a name, by ID; only these are known."""
        # Nova interprets the name as a regular expression.
        pattern = f'^{re.escape(name)}$'
        found = self._read('/servers', {'name': pattern, **query})
        return {s.id: s for s in found.servers if s.name == name}

    def show(self, server_id: str) -> Server:
        """Return the server that Compute shows, which may have another ID.

        Nova answers with an error, and not with a 404, for a server of a cell
        that does not respond.

        :raises NotFound: if there is none
        """
        body = self._get(path_of(server_id)).content
        record = decoded(_decode.member(body, 'server', dict))
        if record is None:
            raise _errors.InvalidResponse(
                f'The server sent no server instead of {server_id}'
            )
        return record

    def _get(
        self, path: str, query: Mapping[str, Any] | None = None
    ) -> requests.Response:
        wanted = self._microversion
        try:
            return self._client.request(
                path, query, microversion=wanted, fresh=True
            )
        except _errors.NotAcceptable:
            if wanted is None:
                raise
            self._microversion = None
            return self._get(path, query)

    def _read(self, path: str, query: Mapping[str, Any]) -> ServerList:
        servers: list[Server] = []
        shown = []

        def fetch(parameters: Mapping[str, Any]) -> bytes:
            if 'marker' not in parameters:
                parameters = {**parameters, 'limit': None}
            response = self._get(path, parameters)
            shown.append(_shows_down_cells(response))
            return response.content

        def read(entries: Sequence[Any]) -> list[Server]:
            # NOTE: the listing drops duplicates; here each record counts.
            page = [*filter(None, map(decoded, entries))]
            servers.extend(page)
            return page

        listing = Pager(
            fetch,
            lambda body: _decode.read_page(body, 'servers', read),
            Query(query),
            'servers',
        )
        invalid = 0
        for page in listing.pages():
            invalid += page.unreadable
            if len(servers) + invalid > _limits.MAX_SERVERS:
                raise _errors.InvalidResponse(
                    f'There are more than {_limits.MAX_SERVERS:,} servers'
                )
        gap = f'{invalid} servers are invalid in the list'
        missing = (gap,) if invalid else ()
        is_all = 'all_tenants' in query
        # NOTE: a full first page has no room for servers of other cells.
        return ServerList(tuple(servers), is_all, missing, shown == [True])

    def _down_cells(self) -> tuple[str, ...] | None:
        """Return what is missing of cells; None if it is unknown."""
        try:
            response = self._get('/os-services')
            services = _decode.member(response.content, 'services', list)
        except _errors.ImagesError:
            return None
        if not _shows_down_cells(response):
            return None
        down = sorted(
            str(service.get('host'))
            for service in services
            if isinstance(service, dict) and service.get('status') == 'UNKNOWN'
        )
        gap = f'the cells of these hosts do not respond: {_ids.joined(down)}'
        return (gap,) if down else ()


def _shows_down_cells(response: requests.Response) -> bool:
    # NOTE: a server without microversions ignores the one it is asked for.
    version = response.headers.get('openstack-api-version')
    return version == f'compute {_DOWN_CELLS}'


def path_of(server_id: str, *more: str) -> str:
    """Return the path of a server, or below it.

    :raises ServerNotFound: for what would address another resource
    """
    if server_id in _ids.RESERVED:
        raise _errors.ServerNotFound(f'No server has the ID {server_id!r}')
    return path_to('servers', server_id, *more)
