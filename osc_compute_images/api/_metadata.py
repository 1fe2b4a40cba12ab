# SPDX-License-Identifier: Apache-2.0

"""The properties of an image, which the API calls its metadata."""

from collections.abc import Iterable
from collections.abc import Mapping
import functools
from typing import Any

from osc_compute_images.api import _decode
from osc_compute_images.api import _routes
from osc_compute_images.api import _visibility
from osc_compute_images.api import properties
from osc_compute_images.api._image import id_of
from osc_compute_images.api._image import ImageID


class MetadataAPI:
    """What :class:`osc_compute_images.api.ImagesAPI` does with properties."""

    _routes: _routes.Routes

    def find_visibility(self, image: ImageID) -> str | None:
        """Find out the visibility of an image: it decides about a write.

        Compute does not show it. **Any write of properties through Compute
        makes a shared or community image private**; private and public ones
        stay as they are (:data:`.properties.MADE_PRIVATE`). Glance's own API
        leaves the visibility alone.

        :returns: ``private``, ``public``, ``shared`` or ``community``; None
            where the server cannot tell, as for a hidden image
        """
        return _visibility.find_visibility(
            functools.partial(self._routes.page, ()), id_of(image)
        )

    def get_metadata(self, image: ImageID) -> dict[str, Any]:
        """Get the properties of an image.

        https://docs.openstack.org/api-ref/compute/#list-image-metadata
        """
        return self._metadata('GET', id_of(image))

    def update_metadata(
        self, image: ImageID, metadata: Mapping[str, str]
    ) -> dict[str, Any]:
        """Set some properties of an image; the others stay.

        https://docs.openstack.org/api-ref/compute/#create-image-metadata

        See :meth:`find_visibility` for what else this changes.

        :param metadata: keys and values of 255 characters at most
        :returns: all properties as they are now
        :raises InvalidProperty: for what Compute is known not to store, before
            anything is sent
        :raises PropertiesNotStored: if what came back is something else
        :raises BadRequest: for a key or a value that Compute does not accept
        :raises Forbidden: if the quota is reached, or it may not be changed
        """
        properties.check_properties(metadata)
        stored = self._metadata('POST', id_of(image), metadata)
        properties.check_stored(metadata, stored)
        return stored

    def replace_metadata(
        self, image: ImageID, metadata: Mapping[str, str]
    ) -> dict[str, Any]:
        """Set the properties of an image; those not named are removed.

        https://docs.openstack.org/api-ref/compute/#update-image-metadata

        The arguments, the result and the errors are those of
        :meth:`update_metadata`.
        """
        properties.check_properties(metadata)
        self._metadata('PUT', id_of(image), metadata)
        # Nova answers with what was sent.
        stored = self.get_metadata(image)
        properties.check_stored(metadata, stored, all_of_them=True)
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

        The errors are those of :meth:`update_metadata`.
        """
        properties.check_properties({key: value})
        item = {'meta': {key: value}}
        self._routes.property('PUT', id_of(image), key, json=item)
        # Nova answers with what was sent.
        stored = self.get_metadata(image)
        properties.check_stored({key: value}, stored)

    def delete_metadata_item(self, image: ImageID, key: str) -> None:
        """Remove one property of an image.

        https://docs.openstack.org/api-ref/compute/#delete-image-metadata-item

        See :meth:`find_visibility` for what else this changes.

        :raises NotFound: if the image does not have it
        :raises BadRequest: if Compute has no route to such a key
        """
        self._routes.property('DELETE', id_of(image), key)

    def delete_metadata_items(
        self, image: ImageID, keys: Iterable[str]
    ) -> None:
        """Remove properties of an image, each by a request of its own.

        It is not one change: where one key fails, those before and after it
        are removed. The only other way, to replace all properties by those
        that are to stay, would undo what others change between the two
        requests, and fail for images that have a property which Compute can
        read but not write (a value of more than 255 characters, null).

        :param keys: what is given twice is removed once
        :raises PropertiesNotDeleted: if some could not be removed, as where
            the image does not have them
        :raises Forbidden: if the image may not be changed
        :raises ImageNotFound: if there is none, or it may not be seen
        """
        properties.remove_each(
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
