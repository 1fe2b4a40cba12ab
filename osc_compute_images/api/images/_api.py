# SPDX-License-Identifier: Apache-2.0

"""The images API: lists, finds, waits for, changes and deletes images."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import datetime
import functools
from typing import Literal
from typing import overload

from keystoneauth1 import adapter as ksa_adapter

from osc_compute_images.api import _errors
from osc_compute_images.api import filters
from osc_compute_images.api.changes import _apply
from osc_compute_images.api.changes import usage
from osc_compute_images.api.changes._plan import Plan
from osc_compute_images.api.changes._steps import Outcome
from osc_compute_images.api.changes.properties import check_properties
from osc_compute_images.api.filters._filter import as_filter
from osc_compute_images.api.filters._servers import HasID
from osc_compute_images.api.http import Client
from osc_compute_images.api.images import _probe
from osc_compute_images.api.images import _routes
from osc_compute_images.api.images import _visibility
from osc_compute_images.api.images import _wait
from osc_compute_images.api.images._metadata import MetadataAPI
from osc_compute_images.api.listing import _decode
from osc_compute_images.api.listing._options import ListOpts
from osc_compute_images.api.listing._options import ListOptsBuilder
from osc_compute_images.api.listing._pager import Pager
from osc_compute_images.api.listing._query import Query
from osc_compute_images.api.records import _ids
from osc_compute_images.api.records._image import id_of
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._image import ImageID
from osc_compute_images.api.records._image import ImageRef
from osc_compute_images.api.records._server import Flavor
from osc_compute_images.api.records._server import Server
from osc_compute_images.api.records._server import ServerList
from osc_compute_images.api.servers import _lookup
from osc_compute_images.api.servers import _reader
from osc_compute_images.api.servers import fleet
from osc_compute_images.text import without_credentials

#: How old an image may be to be the one of a lost response: a request takes at
#: most ten times the timeout of 60 seconds.
_LOST_RESPONSE = datetime.timedelta(minutes=15)


class ImagesAPI(MetadataAPI):
    """The images API of the Compute service.

    :param adapter: a keystoneauth1 adapter of the Compute service, such as
        the ``compute`` of an openstacksdk connection. Its default
        microversion is ignored: requests for images use 2.1
    :ivar adapter: the adapter
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        if not isinstance(adapter, ksa_adapter.Adapter):
            raise TypeError(
                f'ImagesAPI takes an adapter of the Compute service, not '
                f'{type(adapter).__name__}: use keystoneauth1.adapter.Adapter('
                f"session, service_type='compute'), or the compute attribute "
                f'of an openstacksdk connection'
            )
        self.adapter = adapter
        self._http = Client(adapter)
        self._routes = _routes.Routes(self._http)
        self._servers = _reader.ServerReader(self._http)
        self._page, self._brief_page = (
            _probe.Probe(functools.partial(self._routes.page, path)).fetch
            for path in (('detail',), ())
        )

    def __repr__(self) -> str:
        where = self.adapter.endpoint_override or self.adapter.region_name
        shown = without_credentials(where or '')
        return f'<ImagesAPI in {shown}>' if shown else '<ImagesAPI>'

    @property
    def last_request_id(self) -> str | None:
        """ID of the last change, in the logs of Compute, if it succeeded."""
        return self._http.request_id

    def list_detail(
        self,
        opts: ListOptsBuilder | Mapping[str, str | int] | None = None,
        *,
        where: filters.Filter | None = None,
        max_items: int | None = None,
    ) -> Pager[Image]:
        """List images with all fields, newest first.

        https://docs.openstack.org/api-ref/compute/#list-images-with-details

        :param opts: query parameters, with Nova's meaning; by default all
            visible images are listed
        :param where: selects the images to list
        :param max_items: maximum number of images to list; no more are
            requested than needed
        :raises TypeError: for an argument of the wrong type
        :raises ValueError: for a number below 1
        """
        query = Query(opts, where, max_items)
        fetch = functools.partial(self._page, hints=query.hints)
        return Pager(fetch, _decode.decode_page, query)

    def list(
        self,
        opts: ListOptsBuilder | Mapping[str, str | int] | None = None,
        *,
        where: filters.Filter | None = None,
        max_items: int | None = None,
    ) -> Pager[ImageRef]:
        """List images by ID and name only.

        The responses are smaller, but Nova still reads complete images from
        Glance: it was measured to be 1.2 times as fast.

        https://docs.openstack.org/api-ref/compute/#list-images

        See :meth:`list_detail` for the arguments.

        :raises TypeError: for a filter that needs more than ID and name
        """
        query = Query(opts, where, max_items, brief=True)
        return Pager(self._brief_page, _decode.decode_brief_page, query)

    def get(self, image: ImageID) -> Image:
        """Get an image by ID.

        https://docs.openstack.org/api-ref/compute/#show-image-details

        :raises ImageNotFound: if it does not exist, or is not visible
        :raises ImagesNotServed: if Compute does not serve images
        """
        return self._get(id_of(image))

    def _get(self, image_id: str, deadline: float | None = None) -> Image:
        body = self._routes.image('GET', image_id, deadline=deadline)
        image = _decode.decode_image(body)
        if image.id.lower() != image_id.lower():
            raise _errors.InvalidResponse(
                f'The server sent {image.id or "an image without an ID"} '
                f'instead of image {image_id}'
            )
        return image

    @overload
    def find(
        self,
        name_or_id: ImageID,
        *,
        where: filters.Filter | None = None,
        ignore_missing: Literal[False] = False,
    ) -> Image: ...

    @overload
    def find(
        self,
        name_or_id: ImageID,
        *,
        where: filters.Filter | None = None,
        ignore_missing: bool,
    ) -> Image | None: ...

    def find(
        self,
        name_or_id: ImageID,
        *,
        where: filters.Filter | None = None,
        ignore_missing: bool = False,
    ) -> Image | None:
        """Find the image with an ID, or else the one with an exact name.

        :param where: considers only these images
        :param ignore_missing: return None if there is none; unlike in
            openstacksdk, False by default
        :raises ImageNotFound: if there is none
        :raises AmbiguousName: if several images have this name
        """
        text = id_of(name_or_id)
        found = {i.id: i for i in self.find_all(name_or_id, where=where)}
        if not found and _ids.may_be_id(text):
            # The ID may have an unknown form.
            found = {
                i.id: i for i in self._find_by_id(text, as_filter(where)) or ()
            }
        if ignore_missing and not found:
            return None
        return _lookup.only_one('image', text, found, _errors.ImageNotFound)

    def find_all(
        self, name_or_id: ImageID, *, where: filters.Filter | None = None
    ) -> Sequence[Image]:
        """Find the image with an ID, or else all with an exact name.

        A text in the form of an ID (a UUID, 32 hexadecimal digits, a number)
        is tried as an ID, a UUID also in lower case, and then as a name.

        :param where: considers only these images
        :raises ValueError: for an empty name
        """
        text = id_of(name_or_id)
        if not text:
            # An unset variable is more likely than an image without a name.
            raise ValueError('The name or ID of an image is empty')
        match = as_filter(where)
        is_id = not isinstance(name_or_id, str)
        for image_id in (text,) if is_id else _ids.candidates(text):
            if (found := self._find_by_id(image_id, match)) is not None:
                return found
        if is_id:
            return []
        return [*self.list_detail(where=filters.name(text) & match)]

    def _find_by_id(
        self, image_id: str, match: filters.Filter
    ) -> Sequence[Image] | None:
        """Return the image with an ID, if it matches.

        :returns: None if there is none, and the text may be a name
        """
        try:
            image = self._get(image_id)
        except (_errors.ImageNotFound, _errors.BadRequest):
            return None
        return [image] if match.matches(image) else []

    def delete(self, image: ImageID, *, ignore_missing: bool = False) -> None:
        """Delete an image.

        https://docs.openstack.org/api-ref/compute/#delete-image

        If the response is lost, the image is read again: if it is gone, it has
        been deleted.

        :param ignore_missing: do nothing if there is none; unlike in
            openstacksdk, False by default
        :raises ImageNotFound: if it does not exist, or is not visible
        :raises Forbidden: if it is protected or of another project, or the
            role does not allow it
        """
        image_id = id_of(image)
        try:
            self._routes.image('DELETE', image_id)
        except _errors.ImageNotFound:
            if not ignore_missing:
                raise
        except _apply.RESPONSE_LOST:
            if not _apply.is_known_gone(self, image_id):
                raise

    def find_visibilities(
        self, images: Iterable[ImageID]
    ) -> dict[str, str] | None:
        """Find the images that a change of properties would make private.

        Does for many images what :meth:`find_visibility` does for one, with
        one listing of the shared and one of the community images.

        :returns: ``shared`` or ``community``, by image ID; None if the server
            does not support this
        :raises ImagesError: if a listing fails
        """
        return _visibility.find_visibilities(
            lambda visibility: self.list(ListOpts(visibility=visibility)),
            self.find_visibility,
            map(id_of, images),
        )

    def wait_for(
        self,
        image: ImageID,
        status: str = 'ACTIVE',
        *,
        timeout: float | None = None,
        on_poll: Callable[[Image], object] | None = None,
    ) -> Image:
        """Poll an image until it has a status, and return it.

        Transient errors are retried, once the image has been seen.

        :param status: ACTIVE, SAVING, ERROR, DELETED or UNKNOWN, in any case.
            An image that has been seen, and no longer exists, is DELETED
        :param timeout: seconds, also for each request and login; no timeout by
            default
        :param on_poll: called with the image after each poll
        :raises ImageFailed: if the status is ERROR or DELETED instead
        :raises ImageVanished: if the image no longer exists
        :raises WaitTimedOut: if the timeout expires
        :raises ValueError: if the status is unknown
        """
        image_id = id_of(image)
        return _wait.wait_for(
            functools.partial(self._get, image_id),
            image if isinstance(image, Image) else None,
            status,
            timeout,
            on_poll,
        )

    def find_server_id(self, name_id_or_url: str) -> str:
        """Find the ID of a server, to filter images by.

        A UUID, or a URL that ends in one, needs no request: the server may
        have been deleted. Names, upper-case UUIDs and other forms of IDs are
        looked up in Compute.

        :raises ServerNotFound: if no server has this name
        :raises AmbiguousName: if several servers have this name
        """
        return _lookup.find_server_id(self._http, name_id_or_url)

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
        except _apply.RESPONSE_LOST:
            # NOTE: an older image may have the same name.
            recent = filters.created_after(_LOST_RESPONSE)
            where = filters.server(server_id) & filters.name(name) & recent
            with contextlib.suppress(_errors.ImagesError):
                for image in self.list_detail(where=where, max_items=1):
                    return image.id
            raise

    def usage(
        self,
        images: Iterable[Image] | None = None,
        *,
        accept_gaps: bool = False,
    ) -> usage.Usage:
        """Determine which images are in use, and by what.

        Lists all images, and the servers of all regions that share the Image
        service. All servers are held in memory, but not the images.

        :param images: all that can be seen, if they have been listed
        :param accept_gaps: see :class:`.Usage`
        :raises ImagesError: if a listing cannot be completed
        """
        # NOTE: images before servers, so that an image that a server is
        # booted from in between is used.
        of_images = usage.Usage(
            ServerList(()),
            self.list_detail() if images is None else images,
            accept_gaps=accept_gaps,
        )
        servers = fleet.Fleet([self])
        servers.refresh()
        return of_images.with_servers(servers.servers(self))

    def apply(
        self,
        plan: Plan,
        *,
        on_outcome: Callable[[Outcome], object] | None = None,
    ) -> Sequence[Outcome]:
        """Apply a plan, and return the outcome for each image.

        Each image is read again before it is changed, and skipped if its
        status, name, size or update time differs from the plan. It is deleted
        only if the plan still does not protect it, given the current servers
        (see :meth:`.Fleet.refresh` for their age), and if the image that is
        kept instead is ACTIVE. Images that were named are changed without
        these requests.

        An error for one image is reported in its outcome, and the next image
        follows. A plan can be applied again.

        :param plan: made by :mod:`.changes.plan`
        :param on_outcome: called with each outcome, as soon as it is known: if
            the call is interrupted, it has been told what was done
        :returns: the outcomes, in the order of the steps
        """
        protection = plan.protection
        servers = fleet.Fleet(
            [self],
            all_projects=protection is not None
            and not protection.usage.unknown.other_projects,
        )
        outcomes = []
        for outcome in _apply.apply(self, plan, servers):
            outcomes.append(outcome)
            if on_outcome is not None:
                on_outcome(outcome)
        return outcomes
