# SPDX-License-Identifier: Apache-2.0

"""Servers: finds, reads and snapshots them."""

from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import datetime
from typing import Any

import msgspec

from osc_compute_images.api import _errors
from osc_compute_images.api import filters
from osc_compute_images.api.changes.properties import check_properties
from osc_compute_images.api.filters._attributes import HasID
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._client import path_to
from osc_compute_images.api.images._reading import ReadingAPI
from osc_compute_images.api.listing import _decode
from osc_compute_images.api.listing._pager import Pager
from osc_compute_images.api.listing._query import Query
from osc_compute_images.api.records import _ids
from osc_compute_images.api.records._server import Flavor
from osc_compute_images.api.records._server import Server
from osc_compute_images.api.records._server import ServerList
from osc_compute_images.api.servers._reader import path_of
from osc_compute_images.api.servers._reader import ServerReader

#: How old an image may be to be the one of a lost response: a request takes at
#: most ten times the timeout of 60 seconds.
_LOST_RESPONSE = datetime.timedelta(minutes=15)

#: Since it, the response of createImage has the ID of the image.
_IMAGE_ID = '2.45'


class ServersAPI(ReadingAPI):
    """The methods of :class:`.ImagesAPI` for servers and flavors."""

    _http: Client
    _servers: ServerReader

    def find_server_id(self, name_id_or_url: str) -> str:
        """Find the ID of a server, to filter images by.

        A UUID, or a URL that ends in one, needs no request: the server may
        have been deleted. Names, upper-case UUIDs and other forms of IDs are
        looked up in Compute.

        :raises ServerNotFound: if no server has this name
        :raises AmbiguousName: if several servers have this name
        """
        last = name_id_or_url.rstrip('/').rpartition('/')[2]
        is_uuid = _ids.looks_like_id(last)
        if is_uuid and last == last.lower():
            return last
        candidates = _ids.candidates(last)
        for each in candidates:
            with contextlib.suppress(
                _errors.HTTPError, _errors.InvalidResponse
            ):
                return self._servers.show(each).id
        if is_uuid:
            # A deleted server has no name. Nova generates IDs in lower case.
            return last.lower()
        found = self._servers.named(name_id_or_url)
        if not found:
            with contextlib.suppress(_errors.Forbidden, _errors.BadRequest):
                # An administrator can also see those of other projects.
                found = self._servers.named(name_id_or_url, all_tenants=1)
        if not found and candidates:
            return last
        advice = '; for a deleted server, use its ID'
        return _ids.only_one(
            'server', name_id_or_url, found, _errors.ServerNotFound, advice
        ).id

    def find_flavor(self, name_or_id: str) -> Flavor:
        """Find the flavor with an ID, or else the one with a name.

        :raises FlavorNotFound: if there is none
        :raises AmbiguousName: if several flavors have this name
        """
        if name_or_id not in _ids.RESERVED:
            with contextlib.suppress(_errors.NotFound, _errors.BadRequest):
                url = path_to('flavors', name_or_id)
                body = self._http.request(url).content
                return _flavors([_decode.member(body, 'flavor', dict)])[0]
        flavors = Pager(
            lambda query: self._http.request('/flavors/detail', query).content,
            lambda body: _decode.read_page(body, 'flavors', _flavors),
            # Include private flavors for an administrator.
            Query({'is_public': 'none'}),
            'flavors',
        )
        found = {each.id: each for each in flavors if each.name == name_or_id}
        return _ids.only_one(
            'flavor', name_or_id, found, _errors.FlavorNotFound
        )

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
        if not own_project:
            try:
                return self._servers.list(all_projects=True)
            except _errors.Forbidden:
                if all_projects:
                    raise
        return self._servers.list(all_projects=False)

    def server(self, server_id: str) -> Server | None:
        """Return the server with an ID, or None if there is none.

        https://docs.openstack.org/api-ref/compute/#show-server-details

        :raises ImagesError: if it cannot be read
        """
        try:
            found = self._servers.show(server_id)
        except _errors.NotFound as e:
            if not e.http_status or f' {server_id} ' in e.message:
                return None
            # NOTE: Nova names the server. A gateway may have no route for it,
            # and name the path.
            listed = self.servers()
            if listed.missing:
                raise
            by_id = {each.id.lower(): each for each in listed.servers}
            return by_id.get(server_id.lower())
        if found.id.lower() != server_id.lower():
            raise _errors.InvalidResponse(
                f'The server sent another server instead of {server_id}'
            )
        return found

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
        path = path_of(server_id, 'action')
        sent = {'createImage': {'name': name, 'metadata': wanted}}
        try:
            body = self._http.request(
                path, method='POST', json=sent, microversion=_IMAGE_ID
            ).content
            image_id: str = _decode.member(body, 'image_id', str)
            if not _ids.is_addressable(image_id):
                raise _errors.InvalidResponse(
                    'The server sent an invalid ID of the new image'
                )
        except _errors.NotFound as e:
            # NOTE: a gateway may have no route for a snapshot.
            if self.server(server_id) is not None:
                raise
            raise _errors.ServerNotFound(
                f'No server has the ID {server_id}: {e.message}',
                **_errors.origin(e),
            ) from e
        except _errors.RESPONSE_LOST:
            # NOTE: an older image may have the same name.
            recent = filters.created_after(_LOST_RESPONSE)
            where = filters.server(server_id) & filters.name(name) & recent
            with contextlib.suppress(_errors.ImagesError):
                for image in self.list_detail(where=where, max_items=1):
                    return image.id
            raise
        return image_id


def _flavors(entries: Sequence[Any]) -> list[Flavor]:
    try:
        return msgspec.convert(entries, list[Flavor], strict=False)
    except msgspec.ValidationError as e:
        raise _errors.InvalidResponse(
            f'The server sent an invalid flavor: {e}'
        ) from e
