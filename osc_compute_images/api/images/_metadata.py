# SPDX-License-Identifier: Apache-2.0

"""The properties of an image, which the API calls its metadata."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.api.changes import _stored
from osc_compute_images.api.changes import properties
from osc_compute_images.api.images import _routes
from osc_compute_images.api.listing import _decode
from osc_compute_images.api.records._image import id_of
from osc_compute_images.api.records._image import ImageID

_NO_PROPERTY = 'Image {} has no property {!r}'


class MetadataAPI:
    """The methods of :class:`.ImagesAPI` for properties."""

    _routes: _routes.Routes

    def get_metadata(self, image: ImageID) -> dict[str, Any]:
        """Get the properties of an image.

        https://docs.openstack.org/api-ref/compute/#list-image-metadata
        """
        return self._metadata('GET', image)

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
        sent = {'metadata': {**metadata}}
        stored = self._metadata('POST', image, sent)
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
        self._metadata('PUT', image, {'metadata': {**metadata}})
        # NOTE: the response of Nova only echoes the request.
        stored = self.get_metadata(image)
        _stored.check_stored(metadata, stored, all_of_them=True)
        return stored

    def get_metadata_item(self, image: ImageID, key: str) -> Any:
        """Get one property of an image.

        https://docs.openstack.org/api-ref/compute/#show-image-metadata-item

        :raises NotFound: if the image does not have it
        """
        try:
            body = self._property('GET', id_of(image), key)
            items = _decode.member(body, 'meta', dict)
        except _errors.BadRequest:
            items = self.get_metadata(image)
        if key not in items:
            raise _errors.NotFound(_NO_PROPERTY.format(id_of(image), key))
        return items[key]

    def set_metadata_item(self, image: ImageID, key: str, value: str) -> None:
        """Set one property of an image.

        https://docs.openstack.org/api-ref/compute/#create-or-update-image-metadata-item

        See :meth:`update_metadata` for the errors.
        """
        properties.check_properties({key: value})
        item = {'meta': {key: value}}
        self._property('PUT', id_of(image), key, item)
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
        self._property('DELETE', id_of(image), key)

    def delete_metadata_items(
        self, image: ImageID, keys: Iterable[str]
    ) -> None:
        """Remove properties of an image, with one request for each.

        This is not atomic: if one key fails, the others are still removed. To
        replace all properties instead would undo concurrent changes by
        others, and fail for images with a property that Compute can read but
        not write (a value of more than 255 characters, null).

        :param keys: duplicates are ignored; a text alone is one key
        :raises PropertiesNotDeleted: if some could not be removed, for example
            because the image does not have them
        :raises Forbidden: if the role or project may not change the image
        :raises ImageNotFound: if it does not exist, or is not visible
        """
        wanted = [keys] if isinstance(keys, str) else [*dict.fromkeys(keys)]
        errors: dict[str, _errors.ImagesError] = {}
        for number, key in enumerate(wanted):
            try:
                self.delete_metadata_item(image, key)
            except _errors.ImagesError as e:
                if isinstance(
                    e, _errors.NotFound | _errors.BadRequest
                ) and not isinstance(e, _errors.ImageNotFound):
                    errors[key] = e
                    continue
                # Not specific to this key: all others would fail, too.
                if len(errors) == number:
                    raise
                errors |= dict.fromkeys(wanted[number:], e)
                break
        if errors:
            raise _errors.PropertiesNotDeleted(
                f'{len(errors)} of {len(wanted)} properties were not removed: '
                f'{", ".join(errors)}',
                errors=errors,
            )

    def _metadata(
        self, method: str, image: ImageID, json: object = None
    ) -> dict[str, Any]:
        # NOTE: fresh, as it may be read to check what was stored.
        fresh = method == 'GET'
        body = self._routes.image(
            method, id_of(image), 'metadata', json=json, fresh=fresh
        )
        items: dict[str, Any] = _decode.member(body, 'metadata', dict)
        return items

    def _property(
        self, method: str, image_id: str, key: str, json: object = None
    ) -> bytes:
        """Send a request for one property; name it if it is missing.

        :raises BadRequest: if Compute has no route for the key
        """
        if key in ('.', '..') or not properties.is_key(key):
            raise _errors.BadRequest(
                f'Compute accepts only letters, digits, spaces and "-_:." in '
                f'the key of a property, not {key!r}. Use "openstack image '
                f'set" or "openstack image unset"'
            )
        try:
            return self._routes.image(
                method, image_id, 'metadata', key, json=json
            )
        except _errors.ImageNotFound:
            raise
        except _errors.NotFound as e:
            raise _errors.NotFound(
                _NO_PROPERTY.format(image_id, key), **_errors.origin(e)
            ) from e
