# SPDX-License-Identifier: Apache-2.0

"""The properties of an image, which the API calls its metadata."""

from collections.abc import Iterable
from collections.abc import Mapping
import functools
from typing import Any

from osc_compute_images.api.changes import _stored
from osc_compute_images.api.changes import properties
from osc_compute_images.api.images import _routes
from osc_compute_images.api.images import _visibility
from osc_compute_images.api.images._reading import ReadingAPI
from osc_compute_images.api.listing import _decode
from osc_compute_images.api.listing._options import ListOpts
from osc_compute_images.api.records._image import id_of
from osc_compute_images.api.records._image import ImageID


class MetadataAPI(ReadingAPI):
    """The methods of :class:`.ImagesAPI` for properties and visibility."""

    def find_visibility(self, image: ImageID) -> str | None:
        """Find the visibility of an image, which Compute does not show.

        **Any change of properties through Compute makes a shared or community
        image private** (:data:`.properties.MADE_PRIVATE`); private and public
        images keep their visibility. Glance's own API does not change it.

        :returns: ``private``, ``public``, ``shared`` or ``community``; None
            if it cannot be determined, as for a hidden image
        """
        return _visibility.find_visibility(
            functools.partial(self._routes.page, _routes.BRIEF), id_of(image)
        )

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

    def get_metadata(self, image: ImageID) -> dict[str, Any]:
        """Get the properties of an image.

        https://docs.openstack.org/api-ref/compute/#list-image-metadata
        """
        return self._metadata('GET', id_of(image))

    def update_metadata(
        self, image: ImageID, metadata: Mapping[str, str]
    ) -> dict[str, Any]:
        """Set some properties of an image, and keep the others.

        https://docs.openstack.org/api-ref/compute/#create-image-metadata

        This may change the visibility: see :meth:`find_visibility`.

        :param metadata: keys and values of 255 characters at most
        :returns: all properties after the change
        :raises InvalidProperty: before any request, for a property that
            Compute is known not to store
        :raises PropertiesNotStored: if the server stored something else
        :raises BadRequest: for a key or a value that Compute does not accept
        :raises Forbidden: if the quota is reached, or the role or project may
            not change the image
        """
        properties.check_properties(metadata)
        stored = self._metadata('POST', id_of(image), metadata)
        _stored.check_stored(metadata, stored)
        return stored

    def replace_metadata(
        self, image: ImageID, metadata: Mapping[str, str]
    ) -> dict[str, Any]:
        """Set the properties of an image, and remove all others.

        https://docs.openstack.org/api-ref/compute/#update-image-metadata

        See :meth:`update_metadata` for the arguments, result and errors.
        """
        properties.check_properties(metadata)
        self._metadata('PUT', id_of(image), metadata)
        # NOTE: the response of Nova only echoes the request.
        stored = self.get_metadata(image)
        _stored.check_stored(metadata, stored, all_of_them=True)
        return stored

    def get_metadata_item(self, image: ImageID, key: str) -> Any:
        """Get one property of an image.

        https://docs.openstack.org/api-ref/compute/#show-image-metadata-item

        :raises NotFound: if the image does not have it
        """
        if _routes.is_addressable(key):
            body = self._routes.property('GET', id_of(image), key)
            items = _decode.member(body, 'meta', dict)
        else:
            items = self.get_metadata(image)
        if key not in items:
            raise _routes.no_property(id_of(image), key)
        return items[key]

    def set_metadata_item(self, image: ImageID, key: str, value: str) -> None:
        """Set one property of an image.

        https://docs.openstack.org/api-ref/compute/#create-or-update-image-metadata-item

        See :meth:`update_metadata` for the errors.
        """
        properties.check_properties({key: value})
        item = {'meta': {key: value}}
        self._routes.property('PUT', id_of(image), key, json=item)
        # NOTE: the response of Nova only echoes the request.
        stored = self.get_metadata(image)
        _stored.check_stored({key: value}, stored)

    def delete_metadata_item(self, image: ImageID, key: str) -> None:
        """Remove one property of an image.

        https://docs.openstack.org/api-ref/compute/#delete-image-metadata-item

        This may change the visibility: see :meth:`find_visibility`.

        :raises NotFound: if the image does not have it
        :raises BadRequest: if Compute has no route for the key
        """
        self._routes.property('DELETE', id_of(image), key)

    def delete_metadata_items(
        self, image: ImageID, keys: Iterable[str]
    ) -> None:
        """Remove properties of an image, with one request for each.

        This is not atomic: if one key fails, the others are still removed. To
        replace all properties instead would undo concurrent changes by
        others, and fail for images with a property that Compute can read but
        not write (a value of more than 255 characters, null).

        :param keys: duplicates are ignored
        :raises PropertiesNotDeleted: if some could not be removed, for example
            because the image does not have them
        :raises Forbidden: if the role or project may not change the image
        :raises ImageNotFound: if it does not exist, or is not visible
        """
        _stored.remove_each(
            lambda key: self.delete_metadata_item(image, key), keys
        )

    def _metadata(
        self,
        method: str,
        image_id: str,
        metadata: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        sent = None if metadata is None else {'metadata': dict(metadata)}
        body = self._routes.image(method, image_id, 'metadata', json=sent)
        items: dict[str, Any] = _decode.member(body, 'metadata', dict)
        return items
