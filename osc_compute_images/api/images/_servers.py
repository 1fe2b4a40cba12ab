# SPDX-License-Identifier: Apache-2.0

"""Servers: finds, reads and snapshots them."""

from collections.abc import Mapping
import contextlib
import datetime

from osc_compute_images.api import _errors
from osc_compute_images.api import filters
from osc_compute_images.api.changes.properties import check_properties
from osc_compute_images.api.filters._attributes import HasID
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.images._reading import ReadingAPI
from osc_compute_images.api.records._server import Flavor
from osc_compute_images.api.records._server import Server
from osc_compute_images.api.records._server import ServerList
from osc_compute_images.api.servers import _lookup
from osc_compute_images.api.servers import _reader

#: How old an image may be to be the one of a lost response: a request takes at
#: most ten times the timeout of 60 seconds.
_LOST_RESPONSE = datetime.timedelta(minutes=15)


class ServersAPI(ReadingAPI):
    """The methods of :class:`.ImagesAPI` for servers and flavors."""

    _http: Client
    _servers: _reader.ServerReader

    def find_server_id(self, name_id_or_url: str) -> str:
        """Find the ID of a server, to filter images by.

        A UUID, or a URL that ends in one, needs no request: the server may
        have been deleted. Names, upper-case UUIDs and other forms of IDs are
        looked up in Compute.

        :raises ServerNotFound: if no server has this name
        :raises AmbiguousName: if several servers have this name
        """
        return _lookup.find_server_id(self._servers, name_id_or_url)

    def find_flavor(self, name_or_id: str) -> Flavor:
        """Find the flavor with an ID, or else the one with a name.

        :raises FlavorNotFound: if there is none
        :raises AmbiguousName: if several flavors have this name
        """
        return _lookup.find_flavor(self._http, name_or_id)

    def servers(
        self, *, all_projects: bool = False, own_project: bool = False
    ) -> ServerList:
        """List all servers of the region that are visible.

        https://docs.openstack.org/api-ref/compute/#list-servers-detailed

        For an administrator these are the servers of all projects.

        :param all_projects: fail rather than list those of the own project
        :param own_project: list only those of the own project
        :raises ImagesError: if the list cannot be completed
        """
        return self._servers.list(
            all_projects=all_projects, own_project=own_project
        )

    def server(self, server_id: str) -> Server | None:
        """Return the server with an ID, or None if there is none.

        https://docs.openstack.org/api-ref/compute/#show-server-details

        :raises ImagesError: if it cannot be read
        """
        return self._servers.get(server_id)

    def create_snapshot(
        self,
        server: HasID | str,
        name: str,
        *,
        properties: Mapping[str, str] | None = None,
    ) -> str:
        """Create a snapshot of a server, and return the ID of the image.

        https://docs.openstack.org/api-ref/compute/#create-image-createimage-action

        The image is SAVING first: see :meth:`wait_for`. If the response is
        lost, the image of that name and server is looked for. Of a server that
        was booted from a volume, the Block Storage service keeps the data, and
        deleting the image does not delete it.

        :param server: the server, or its ID
        :param name: of the image, 1 to 255 characters
        :param properties: of the image, in addition to those of the server's
        :raises InvalidProperty: before any request, for a property that
            Compute is known not to store
        :raises ServerNotFound: if there is no such server
        :raises Conflict: if the server is busy, or its state does not allow it
        :raises Forbidden: if a quota is reached, or the role does not allow it
        :raises NotAcceptable: if Compute is older than Pike (2.45)
        """
        server_id = getattr(server, 'id', server)
        if not isinstance(server_id, str):
            raise TypeError(f'server must be a server or an ID: {server!r}')
        wanted = dict(properties or {})
        check_properties(wanted)
        try:
            return self._servers.create_image(server_id, name, wanted)
        except _errors.RESPONSE_LOST:
            # NOTE: an older image may have the same name.
            recent = filters.created_after(_LOST_RESPONSE)
            where = filters.server(server_id) & filters.name(name) & recent
            with contextlib.suppress(_errors.ImagesError):
                for image in self.list_detail(where=where, max_items=1):
                    return image.id
            raise
