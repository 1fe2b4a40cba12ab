# SPDX-License-Identifier: Apache-2.0

"""Requests to the routes of the images API, and their errors."""

from collections.abc import Mapping
import math
from typing import Any
from typing import NoReturn

from osc_compute_images.api import _errors
from osc_compute_images.api.changes import properties
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._client import path_to
from osc_compute_images.api.records import _ids

#: The routes of lists, with all fields and with only the ID and the name.
DETAIL, BRIEF = '/images/detail', '/images'

#: Nova's message for a missing image only. Microversions above 2.35 have no
#: such routes, and return 404 with another message.
_NO_SUCH_IMAGE = 'Image not found.'

#: Statuses of a missing route.
_NO_ROUTE = (404, 406, 410)

#: How Nova begins its message if its policy forbids a request, and if the
#: Image service does.
_POLICY = "Policy doesn't allow"
_OF_GLANCE = ('HTTP 403', 'Not authorized for image')


class Routes:
    """Sends requests to the routes of the images API."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def page(self, path: str, query: Mapping[str, Any]) -> bytes:
        """Request a page of images.

        :raises ImagesNotServed: if Compute does not serve images
        """
        try:
            return self._client.get(path, query).body
        except _errors.HTTPError as e:
            if e.http_status == 403 and not e.message.startswith(_OF_GLANCE):
                _raise_forbidden(e)
            if e.http_status in _NO_ROUTE:
                self._raise_not_served(e)
            raise

    def image(
        self,
        method: str,
        image_id: str,
        *path: str,
        json: object = None,
        deadline: float = math.inf,
    ) -> bytes:
        """Send a request for one image.

        :param path: below the image
        :param deadline: a time of ``time.monotonic()``
        :raises ImageNotFound: if it does not exist, or is not visible
        :raises ImagesNotServed: if Compute does not serve images
        """
        if image_id in _ids.RESERVED:
            raise _errors.ImageNotFound(f'No image has the ID {image_id!r}')
        url = path_to('images', image_id, *path)
        try:
            if method == 'GET':
                return self._client.get(url, deadline=deadline).body
            return self._client.send(method, url, json)
        except _errors.HTTPError as e:
            if e.http_status == 403 and self._is_forbidden(method, e):
                _raise_forbidden(e)
            if e.http_status == 404 and e.message == _NO_SUCH_IMAGE:
                raise _errors.ImageNotFound(
                    e.message, **_errors.origin(e)
                ) from e
            # A missing property has the same error as a missing route.
            if e.http_status in _NO_ROUTE and len(path) < 2:
                if self._status_of_list() in _NO_ROUTE:
                    self._raise_not_served(e)
                if e.http_status == 404:
                    raise _errors.ImageNotFound(
                        f'No image has the ID {image_id!r}: {e.message}',
                        **_errors.origin(e),
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
        """Send a request for one property of an image.

        :raises BadRequest: if Compute has no route for the key
        :raises NotFound: if the image does not have the property
        :raises ImageNotFound: if there is no such image
        """
        if not is_addressable(key):
            raise _errors.BadRequest(
                f'Compute accepts only letters, digits, spaces and "-_:." in '
                f'the key of a property, not {key!r}. Use "openstack image '
                f'set" or "openstack image unset"'
            )
        try:
            return self.image(method, image_id, 'metadata', key, json=json)
        except _errors.ImageNotFound:
            raise
        except _errors.NotFound as e:
            raise no_property(image_id, key, e) from e

    def _is_forbidden(self, method: str, e: _errors.HTTPError) -> bool:
        """Return whether Compute forbids a request also for other images."""
        # NOTE: gateways have messages of their own, but then forbid reads.
        return e.message.startswith(_POLICY) or (
            method == 'GET'
            and not e.message.startswith(_OF_GLANCE)
            and self._status_of_list() == 403
        )

    def _status_of_list(self) -> int | None:
        """Return the error status of a list of images, or None without one."""
        try:
            self._client.get(BRIEF, {'limit': 1})
        except _errors.ImagesError as e:
            return e.http_status
        return None

    def _raise_not_served(self, e: _errors.HTTPError) -> NoReturn:
        versions = self._client.served_versions()
        served = (
            f'microversions {versions[0]} to {versions[1]}'
            if versions
            else 'unknown microversions'
        )
        raise _errors.ImagesNotServed(
            f'The Compute service does not serve images: it serves {served}, '
            f'and responds: {e.message}',
            versions=versions,
            **_errors.origin(e),
        ) from e


def _raise_forbidden(e: _errors.HTTPError) -> NoReturn:
    raise _errors.ImagesForbidden(e.message, **_errors.origin(e)) from e


def is_addressable(key: str) -> bool:
    """Return whether Compute has a route for the key of a property."""
    return key not in ('.', '..') and properties.is_key(key)


def no_property(
    image_id: str, key: str, e: _errors.HTTPError | None = None
) -> _errors.NotFound:
    """Return the error for an image that does not have a property."""
    return _errors.NotFound(
        f'Image {image_id} has no property {key!r}', **_errors.origin(e)
    )
