# SPDX-License-Identifier: Apache-2.0

"""The images API itself."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
from typing import Any
from typing import NoReturn

from keystoneauth1 import adapter as ksa_adapter

from osc_compute_images.api import _decode
from osc_compute_images.api import _errors
from osc_compute_images.api import _lookup
from osc_compute_images.api import _wait
from osc_compute_images.api import filters
from osc_compute_images.api._image import Image
from osc_compute_images.api._options import ListOptsBuilder
from osc_compute_images.api._pager import Pager
from osc_compute_images.api.http import Client
from osc_compute_images.api.http import path_to


class ImagesAPI:
    """Images, through the Compute service.

    :param adapter: a keystoneauth1 adapter of the Compute service; the
        ``compute`` of an openstacksdk connection is one. Whatever
        microversion it asks for by default, images are asked for at 2.1.
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._http = Client(adapter)

    def server(self) -> str:
        """Return the host and port of the endpoint, such as ``nova:8774``.

        :raises EndpointNotFound: if there is none
        """
        return self._http.server()

    def list_detail(
        self,
        opts: ListOptsBuilder | None = None,
        *,
        first: int | None = None,
    ) -> Pager:
        """List images with all their fields, the newest first.

        https://docs.openstack.org/api-ref/compute/#list-images-with-details

        :param opts: what to list; everything that may be seen by default
        :param first: images on the first page, if less than the limit of the
            options: the pages grow up to that as long as the server takes
            long for them. Where several listings run at the same time, small
            pages save memory
        """
        return self._list('images', 'detail', opts=opts, first=first)

    def list(self, opts: ListOptsBuilder | None = None) -> Pager:
        """List images by ID and name only.

        It saves bytes, not the server's time: Nova itself reads the images
        in full from Glance (it answers 1.2 times as fast, as measured).

        https://docs.openstack.org/api-ref/compute/#list-images
        """
        return self._list('images', opts=opts)

    def _list(
        self,
        *path: str,
        opts: ListOptsBuilder | None,
        first: int | None = None,
    ) -> Pager:
        def fetch(query: Mapping[str, Any]) -> bytes:
            try:
                return self._http.get(path_to(*path), query)
            except _errors.HTTPError as e:
                if e.status in (404, 406):
                    self._refuse_not_served(e)
                raise

        return Pager(fetch, opts, first)

    def get(self, image_id: str) -> Image:
        """Get an image by its ID.

        https://docs.openstack.org/api-ref/compute/#show-image-details

        :raises ImageNotFound: if there is none, or it may not be seen
        :raises ImagesNotServed: if Compute serves no images
        """
        image = _decode.decode_image(self._of_image('GET', image_id))
        if image.id != image_id:
            raise _errors.InvalidResponse(
                f'The server was asked for image {image_id}, and sent '
                f'{image.id or "one without an ID"}'
            )
        return image

    def find(self, name_or_id: str) -> Image:
        """Find the one image that has this ID, or else this exact name.

        :raises ImageNotFound: if no image has
        :raises AmbiguousName: if several images have this name
        """
        found = {image.id: image for image in self.find_all(name_or_id)}
        image_id = _lookup.only_one(
            'image', name_or_id, found, _errors.ImageNotFound
        )
        return found[image_id]

    def find_all(self, name_or_id: str) -> Sequence[Image]:
        """Find the image that has this ID, or else all of this exact name."""
        if _lookup.looks_like_id(name_or_id):
            # It might be the name of another image.
            with contextlib.suppress(_errors.ImageNotFound):
                # Nova knows an ID in lower case only.
                return [self.get(name_or_id.lower())]
        chosen = filters.name(name_or_id)
        return [*chosen.select(self.list_detail(chosen.narrow()))]

    def delete(self, image_id: str) -> None:
        """Delete an image.

        https://docs.openstack.org/api-ref/compute/#delete-image

        :raises ImageNotFound: if there is none, or it may not be seen
        :raises Forbidden: if it may not be deleted: it is protected, or
            another project's, or the role does not allow it
        """
        self._of_image('DELETE', image_id)

    def get_metadata(self, image_id: str) -> dict[str, Any]:
        """Get the properties of an image.

        https://docs.openstack.org/api-ref/compute/#list-image-metadata
        """
        return self._metadata('GET', image_id)

    def update_metadata(
        self, image_id: str, metadata: Mapping[str, str]
    ) -> dict[str, Any]:
        """Set some properties of an image; the others stay.

        https://docs.openstack.org/api-ref/compute/#create-image-metadata

        :param metadata: keys and values of 255 characters at most
        :returns: all properties as they are now
        :raises BadRequest: for a key or a value that Compute does not take
        :raises Forbidden: if the quota is reached, or it may not be changed
        """
        return self._metadata('POST', image_id, metadata)

    def replace_metadata(
        self, image_id: str, metadata: Mapping[str, str]
    ) -> dict[str, Any]:
        """Set the properties of an image; those not named are removed.

        https://docs.openstack.org/api-ref/compute/#update-image-metadata

        The arguments, the result and the errors are those of
        :meth:`update_metadata`.
        """
        return self._metadata('PUT', image_id, metadata)

    def get_metadata_item(self, image_id: str, key: str) -> Any:
        """Get one property of an image.

        https://docs.openstack.org/api-ref/compute/#show-image-metadata-item

        :raises NotFound: if the image does not have it
        """
        return self._metadata_item('GET', image_id, key)

    def set_metadata_item(self, image_id: str, key: str, value: str) -> None:
        """Set one property of an image.

        https://docs.openstack.org/api-ref/compute/#create-or-update-image-metadata-item

        The errors are those of :meth:`update_metadata`.
        """
        self._metadata_item('PUT', image_id, key, {'meta': {key: value}})

    def delete_metadata_item(self, image_id: str, key: str) -> None:
        """Remove one property of an image.

        https://docs.openstack.org/api-ref/compute/#delete-image-metadata-item

        :raises NotFound: if the image does not have it
        """
        self._metadata_item('DELETE', image_id, key)

    def wait_for(
        self,
        image: Image | str,
        status: str = 'ACTIVE',
        *,
        timeout: float | None = None,
        on_look: Callable[[Image], object] | None = None,
    ) -> Image:
        """Wait until an image has a status, and return the image.

        A passing fault of the server does not end the wait.

        :param image: the image, or its ID
        :param timeout: seconds; without one the wait lasts as long as the
            image goes on
        :param on_look: called with the image each time it has been looked at
        :raises ImageFailed: if the image is in ERROR or DELETED instead
        :raises ImageVanished: if the image is no longer there
        :raises WaitTimedOut: if the time is over
        """
        seen = image if isinstance(image, Image) else None
        image_id = image.id if isinstance(image, Image) else image
        return _wait.wait_for(
            lambda: self.get(image_id), seen, status, timeout, on_look
        )

    def find_server_id(self, name_id_or_url: str) -> str:
        """Find the ID of a server, for filtering images by it.

        An ID is taken as it is, as is one at the end of a URL: the snapshots
        of a server outlive it. A name is looked up in Compute.

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

    def _metadata(
        self,
        method: str,
        image_id: str,
        metadata: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        sent = None if metadata is None else {'metadata': dict(metadata)}
        body = self._of_image(method, image_id, 'metadata', json=sent)
        items: dict[str, Any] = _decode.member(body, 'metadata', dict)
        return items

    def _metadata_item(
        self, method: str, image_id: str, key: str, sent: object = None
    ) -> Any:
        if key in ('', '.', '..'):
            raise _errors.NotFound(f'No property has the key {key!r}')
        try:
            body = self._of_image(method, image_id, 'metadata', key, json=sent)
        except _errors.ImageNotFound:
            raise
        except _errors.NotFound as e:
            raise _errors.NotFound(
                f'Image {image_id} has no property {key!r}',
                status=e.status,
                request_id=e.request_id,
            ) from e
        if method != 'GET':
            return None
        item = _decode.member(body, 'meta', dict)
        return next(iter(item.values()), None)

    def _of_image(
        self, method: str, image_id: str, *path: str, json: object = None
    ) -> bytes:
        """Send a request about one image."""
        if image_id in ('', '.', '..'):
            # It would lead to another resource.
            raise _errors.ImageNotFound(f'No image has the ID {image_id!r}')
        url = path_to('images', image_id, *path)
        try:
            if method == 'GET':
                return self._http.get(url)
            return self._http.send(method, url, json)
        except _errors.HTTPError as e:
            if e.status == 404 and e.message == 'Image not found.':
                raise _errors.ImageNotFound(
                    e.message, status=e.status, request_id=e.request_id
                ) from e
            if e.status in (404, 406) and len(path) < 2:
                self._refuse_not_served(e)
            raise

    def _refuse_not_served(self, e: _errors.HTTPError) -> NoReturn:
        """Tell that there is no images API, and which versions there are.

        At microversions above 2.35, and wherever else it has no such route,
        Nova answers 404 as it does for an image that does not exist.
        """
        versions = self._http.served_versions()
        served = (
            f'microversions {versions[0]} to {versions[1]}'
            if versions
            else 'microversions that it does not tell'
        )
        raise _errors.ImagesNotServed(
            f'The Compute service does not serve images here: it serves '
            f'{served}, and answers: {e.message}',
            versions=versions,
            status=e.status,
            request_id=e.request_id,
        ) from e
