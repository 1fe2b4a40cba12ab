# SPDX-License-Identifier: Apache-2.0

"""The routes of the images API, and what it means where one is refused."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NoReturn

from osc_compute_images.api import _errors
from osc_compute_images.api import _ids
from osc_compute_images.api import properties
from osc_compute_images.api.http import Client
from osc_compute_images.api.http import path_to

#: What Nova says of an image that is not there, and of nothing else. At
#: microversions above 2.35 it answers 404, too, but in other words.
_NO_SUCH_IMAGE = 'Image not found.'

#: Statuses of a route that is not there.
_NO_ROUTE = (404, 406)


class Routes:
    """Requests about images.

    :param client: sends them
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def page(self, path: Sequence[str], query: Mapping[str, Any]) -> bytes:
        """Request a page of images.

        :param path: below ``/images``
        :raises ImagesNotServed: if Compute serves no images
        """
        try:
            return self._client.get(path_to('images', *path), query)
        except _errors.HTTPError as e:
            if e.http_status in _NO_ROUTE:
                self._refuse_not_served(e)
            raise

    def image(
        self,
        method: str,
        image_id: str,
        *path: str,
        json: object = None,
        deadline: float | None = None,
    ) -> bytes:
        """Send a request about one image.

        :param path: below that of the image
        :param deadline: a time of ``time.monotonic()``
        :raises ImageNotFound: if there is none, or it may not be seen
        :raises ImagesNotServed: if Compute serves no images
        """
        if image_id in _ids.RESERVED:
            raise _errors.ImageNotFound(f'No image has the ID {image_id!r}')
        url = path_to('images', image_id, *path)
        try:
            if method == 'GET':
                return self._client.get(url, deadline=deadline)
            return self._client.send(method, url, json)
        except _errors.HTTPError as e:
            if e.http_status == 404 and e.message == _NO_SUCH_IMAGE:
                raise _image_not_found(e, e.message) from e
            # Of a property it says the same as of a route.
            if e.http_status in _NO_ROUTE and len(path) < 2:
                if not self._serves_images():
                    self._refuse_not_served(e)
                if e.http_status == 404:
                    raise _image_not_found(
                        e, f'No image has the ID {image_id!r}: {e.message}'
                    ) from e
            raise

    def property(
        self,
        method: str,
        image_id: str,
        key: str,
        *,
        json: object = None,
    ) -> bytes:
        """Send a request about one property of an image.

        :raises BadRequest: if Compute has no route to such a key
        :raises NotFound: if the image does not have it
        :raises ImageNotFound: if there is no such image
        """
        if not is_addressable(key):
            raise _errors.BadRequest(
                f'Compute cannot address the property {key!r}: it takes keys '
                f'of letters, digits, spaces and "-_:." only. Use "openstack '
                f'image set" or "openstack image unset"'
            )
        try:
            return self.image(method, image_id, 'metadata', key, json=json)
        except _errors.ImageNotFound:
            raise
        except _errors.NotFound as e:
            raise no_property(image_id, key, e) from e

    def _serves_images(self) -> bool:
        """Tell whether there is a list of images, if not this one of them."""
        try:
            self._client.get(path_to('images'), {'limit': 1})
        except _errors.HTTPError as e:
            return e.http_status not in _NO_ROUTE
        except _errors.ImagesError:
            return True
        return True

    def _refuse_not_served(self, e: _errors.HTTPError) -> NoReturn:
        versions = self._client.served_versions()
        served = (
            f'microversions {versions[0]} to {versions[1]}'
            if versions
            else 'microversions that it does not tell'
        )
        raise _errors.ImagesNotServed(
            f'The Compute service does not serve images here: it serves '
            f'{served}, and answers: {e.message}',
            versions=versions,
            http_status=e.http_status,
            request_id=e.request_id,
        ) from e


def is_addressable(key: str) -> bool:
    """Tell whether Compute has a route to a property of this key."""
    return key not in ('.', '..') and properties.is_key(key)


def no_property(
    image_id: str, key: str, e: _errors.HTTPError | None = None
) -> _errors.NotFound:
    """Make the error that an image does not have a property."""
    return _errors.NotFound(
        f'Image {image_id} has no property {key!r}',
        http_status=None if e is None else e.http_status,
        request_id=None if e is None else e.request_id,
    )


def _image_not_found(
    e: _errors.HTTPError, message: str
) -> _errors.ImageNotFound:
    return _errors.ImageNotFound(
        message, http_status=e.http_status, request_id=e.request_id
    )
