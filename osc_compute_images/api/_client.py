# SPDX-License-Identifier: Apache-2.0

"""The images API itself."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import functools
from typing import Literal
from typing import overload

from keystoneauth1 import adapter as ksa_adapter

from osc_compute_images.api import _apply
from osc_compute_images.api import _changes
from osc_compute_images.api import _decode
from osc_compute_images.api import _errors
from osc_compute_images.api import _ids
from osc_compute_images.api import _lookup
from osc_compute_images.api import _routes
from osc_compute_images.api import _servers
from osc_compute_images.api import _visibility
from osc_compute_images.api import _wait
from osc_compute_images.api import filters
from osc_compute_images.api import plan
from osc_compute_images.api import usage
from osc_compute_images.api._image import id_of
from osc_compute_images.api._image import Image
from osc_compute_images.api._image import ImageID
from osc_compute_images.api._image import ImageRef
from osc_compute_images.api._metadata import MetadataAPI
from osc_compute_images.api._options import ListOptsBuilder
from osc_compute_images.api._pager import Pager
from osc_compute_images.api._selection import Selection
from osc_compute_images.api.filters._filter import checked
from osc_compute_images.api.http import Client


class ImagesAPI(MetadataAPI):
    """Images, through the Compute service.

    :param adapter: a keystoneauth1 adapter of the Compute service; the
        ``compute`` of an openstacksdk connection is one. Whatever
        microversion it asks for by default, images are asked for at 2.1.
    :ivar adapter: the same
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        if not isinstance(adapter, ksa_adapter.Adapter):
            raise TypeError(
                f'ImagesAPI takes an adapter of the Compute service, not '
                f'{type(adapter).__name__}: keystoneauth1.adapter.Adapter('
                f"session, service_type='compute'), or the attribute compute "
                f'of an openstacksdk connection'
            )
        self.adapter = adapter
        self._http = Client(adapter)
        self._routes = _routes.Routes(self._http)

    def __repr__(self) -> str:
        where = self.adapter.endpoint_override or self.adapter.region_name
        return f'<ImagesAPI in {where}>' if where else '<ImagesAPI>'

    def list_detail(
        self,
        opts: ListOptsBuilder | Mapping[str, str | int] | None = None,
        *,
        where: filters.Filter | None = None,
        first_page_size: int | None = None,
        max_items: int | None = None,
    ) -> Pager[Image]:
        """List images with all their fields, the newest first.

        https://docs.openstack.org/api-ref/compute/#list-images-with-details

        :param opts: query parameters for Nova, which mean what Nova takes
            them for; all that may be seen is listed by default
        :param where: the images to list, by what they are
        :param first_page_size: images on the first page, if less than the
            limit of the options: the pages grow up to that as long as the
            server takes long for them. Where several listings run at the same
            time, small pages save memory
        :param max_items: the number of images to list at most; then no more
            of them are asked for than it takes
        :raises TypeError: for an argument in the wrong place
        :raises ValueError: for a number below 1
        """
        selection = Selection(Image, opts, where, first_page_size, max_items)
        return Pager(
            functools.partial(self._routes.page, ('detail',)),
            _decode.decode_page,
            selection,
        )

    def list(
        self,
        opts: ListOptsBuilder | Mapping[str, str | int] | None = None,
        *,
        where: filters.Filter | None = None,
        max_items: int | None = None,
    ) -> Pager[ImageRef]:
        """List images by ID and name only.

        It saves bytes, not the server's time: Nova itself reads the images
        in full from Glance (it answers 1.2 times as fast, as measured).

        https://docs.openstack.org/api-ref/compute/#list-images

        The arguments are those of :meth:`list_detail`.

        :raises TypeError: for a filter that needs more than ID and name
        """
        selection = Selection(ImageRef, opts, where, None, max_items)
        return Pager(
            functools.partial(self._routes.page, ()),
            _decode.decode_brief_page,
            selection,
        )

    def get(self, image: ImageID) -> Image:
        """Get an image by its ID, as it is now.

        https://docs.openstack.org/api-ref/compute/#show-image-details

        :raises ImageNotFound: if there is none, or it may not be seen
        :raises ImagesNotServed: if Compute serves no images
        """
        return self._get(id_of(image))

    def _get(self, image_id: str, deadline: float | None = None) -> Image:
        body = self._routes.image('GET', image_id, deadline=deadline)
        got = _decode.decode_image(body)
        if got.id != image_id:
            raise _errors.InvalidResponse(
                f'The server was asked for image {image_id}, and sent '
                f'{got.id or "one without an ID"}'
            )
        return got

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
        """Find the one image that has this ID, or else this exact name.

        :param where: the images that it may be, others do not count
        :param ignore_missing: return None if there is none. Other than in
            openstacksdk, that is not the default
        :raises ImageNotFound: if no image has
        :raises AmbiguousName: if several images have this name
        """
        text = id_of(name_or_id)
        found = {i.id: i for i in self.find_all(name_or_id, where=where)}
        if not found and _ids.may_be_id(text):
            # Of a form that is not known.
            found = {
                i.id: i for i in self._with_id(text, checked(where)) or ()
            }
        if ignore_missing and not found:
            return None
        image_id = _lookup.only_one(
            'image', text, found, _errors.ImageNotFound
        )
        return found[image_id]

    def find_all(
        self, name_or_id: ImageID, *, where: filters.Filter | None = None
    ) -> Sequence[Image]:
        """Find the image that has this ID, or else all of this exact name.

        What has the form of an ID (a UUID, 32 hexadecimal digits, a number)
        is looked for as it is given, then in lower case if it is a UUID, and
        then as a name.

        :param where: the images that it may be, others do not count
        """
        text = id_of(name_or_id)
        chosen = checked(where)
        is_id = not isinstance(name_or_id, str)
        for image_id in (text,) if is_id else _ids.spellings(text):
            if (found := self._with_id(image_id, chosen)) is not None:
                return found
        if is_id:
            return []
        return [*self.list_detail(where=filters.name(text) & chosen)]

    def _with_id(
        self, image_id: str, chosen: filters.Filter
    ) -> Sequence[Image] | None:
        """Return the image that has an ID, if it is chosen.

        :returns: None if there is none: the ID may be a name
        """
        try:
            image = self._get(image_id)
        except (_errors.ImageNotFound, _errors.BadRequest):
            return None
        return [image] if chosen.matches(image) else []

    def delete(self, image: ImageID, *, ignore_missing: bool = False) -> None:
        """Delete an image.

        https://docs.openstack.org/api-ref/compute/#delete-image

        Where the answer is lost, the image is looked at: one that is gone has
        been deleted.

        :param ignore_missing: do nothing if there is none. Other than in
            openstacksdk, that is not the default
        :raises ImageNotFound: if there is none, or it may not be seen
        :raises Forbidden: if it may not be deleted: it is protected, or
            another project's, or the role does not allow it
        """
        image_id = id_of(image)
        try:
            self._routes.image('DELETE', image_id)
        except _errors.ImageNotFound:
            if not ignore_missing:
                raise
        except _changes.ANSWER_LOST:
            if not _changes.is_known_gone(self, image_id):
                raise

    def find_made_private(
        self, images: Iterable[ImageID]
    ) -> dict[str, str] | None:
        """Find out which images a write of properties would make private.

        It does for many images what :meth:`find_visibility` does for one, by
        a listing of the shared and one of the community images.

        :returns: ``shared`` or ``community``, by the IDs of those images;
            None where the server cannot tell
        :raises ImagesError: if a listing does not come whole
        """
        return _visibility.find_made_private(
            lambda visibility: self.list({'property-visibility': visibility}),
            self.find_visibility,
            map(id_of, images),
        )

    def wait_for(
        self,
        image: ImageID,
        status: str = 'ACTIVE',
        *,
        timeout: float | None = None,
        on_look: Callable[[Image], object] | None = None,
    ) -> Image:
        """Wait until an image has a status, and return the image.

        Transient errors of the server do not end the wait, once the image
        has been seen.

        :param status: ACTIVE, SAVING, ERROR, DELETED or UNKNOWN, in any case
        :param timeout: seconds, which bound each request, too; without one
            the wait lasts as long as the image goes on
        :param on_look: called with the image each time it has been looked at
        :raises ImageFailed: if the image is in ERROR or DELETED instead
        :raises ImageVanished: if the image is no longer there
        :raises WaitTimedOut: if the time is over
        :raises ValueError: if there is no such status
        """
        image_id = id_of(image)
        return _wait.wait_for(
            functools.partial(self._get, image_id),
            image if isinstance(image, Image) else None,
            status,
            timeout,
            on_look,
        )

    def find_server_id(self, name_id_or_url: str) -> str:
        """Find the ID of a server, for filtering images by it.

        A UUID is taken as it is, as is one at the end of a URL: the snapshots
        of a server outlive it. In capitals, and in other forms, it is looked
        up in Compute, as is a name.

        :raises ServerNotFound: if no server has this name
        :raises AmbiguousName: if several servers have it
        """
        return _lookup.find_server_id(self._http, name_id_or_url)

    def find_flavor(self, name_or_id: str) -> _lookup.Flavor:
        """Find the flavor that has this ID, or else this name.

        :raises FlavorNotFound: if no flavor has
        :raises AmbiguousName: if several flavors have this name
        """
        return _lookup.find_flavor(self._http, name_or_id)

    def servers(self) -> _servers.ServerList:
        """List the servers that can be seen, page by page, to the end.

        An administrator sees those of all projects.

        https://docs.openstack.org/api-ref/compute/#list-servers-detailed

        :raises ImagesError: if any page does not come
        """
        return _servers.list_servers(self._http)

    def usage(self) -> usage.Usage:
        """Find out which images are in use, and by what.

        All servers and all images are listed for that. What is kept is all
        servers, and of the images the few that matter.

        :raises ImagesError: if either list does not come whole
        """
        listed = self.servers()
        return usage.Usage(
            listed.servers,
            self.list_detail(),
            all_projects=listed.all_projects,
        )

    def apply(self, todo: plan.Plan) -> Iterator[plan.Outcome]:
        """Do what a plan says, and tell what became of each image.

        One image is changed after the other, while the outcomes are iterated
        over: stop, and the rest stays as it is. Each image is looked at right
        before it is changed. One whose status, name or time of change is
        another than in the plan is left alone. An image is deleted only if
        the plan's protection does not speak for it, given the servers of the
        last second (or four times as long as it takes to read them), and
        while the newer image that was to stay in its place is there. One
        that the protection knows to be named by ID is deleted in any case.

        What fails for one image is told in its outcome, and the others go on.
        The same plan may be applied again.

        :param todo: made by :mod:`.plan`
        :returns: an outcome for each step, in the same order
        """
        return _apply.apply(self, todo)
