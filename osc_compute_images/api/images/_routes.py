# SPDX-License-Identifier: Apache-2.0

"""Requests to the routes of the images API, and their errors.

Nova passes the query parameter ``property-X`` to Glance as a property X, and
Glance interprets some of these as filters of its own. That is undocumented,
and a server that ignores the parameter would list other images. It would
ignore an invalid value, too, which is therefore sent first.
"""

from collections.abc import Mapping
import functools
import math
from typing import Any
from typing import NoReturn

from osc_compute_images.api import _errors
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._client import path_to
from osc_compute_images.api.listing import _options
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

#: Values that a server which filters rejects.
_INVALID = {
    _options.VISIBILITY: 'no-such-visibility',
    _options.CREATED_AT: 'lt:no-such-time',
    _options.SIZE_MIN: 'no-such-size',
}


class Routes:
    """Sends requests to the routes of the images API."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._supported: dict[str, bool] = {}

    def page(
        self, path: str, hints: Mapping[str, Any], query: Mapping[str, Any]
    ) -> bytes:
        """Request a page, by parameters that the server supports.

        :param hints: parameters with which the server excludes only images
            that are not wanted. They are sent if the server supports them, and
            not for the first page, which may be the only one
        :raises InvalidResponse: if the visibility is given, which Compute does
            not show, and the server does not filter by it
        :raises ImagesNotServed: if Compute does not serve images
        """
        supports = functools.partial(self._supports, path)
        visibility = _options.VISIBILITY
        try:
            if visibility in query and not supports(visibility):
                raise _errors.InvalidResponse(
                    'The server does not filter images by visibility: it '
                    'accepts an invalid value'
                )
            if hints and 'marker' in query:
                known = {name: hints[name] for name in filter(supports, hints)}
                query = {**known, **query}
            return self._client.request(path, query).content
        except _errors.HTTPError as e:
            if e.http_status == 403 and not e.message.startswith(_OF_GLANCE):
                _raise_forbidden(e)
            if e.http_status in _NO_ROUTE:
                self._raise_not_served(e)
            raise

    def _supports(self, path: str, name: str) -> bool:
        """Return whether the server rejects an invalid value."""
        if name not in self._supported:
            is_rejected = False
            try:
                query = {name: _INVALID[name], 'limit': 1}
                self._client.request(path, query)
            except _errors.BadRequest:
                is_rejected = True
            except _errors.ImagesError:
                if name == _options.VISIBILITY:
                    raise
            self._supported[name] = is_rejected
        return self._supported[name]

    def image(
        self,
        method: str,
        image_id: str,
        *path: str,
        json: object = None,
        deadline: float = math.inf,
        fresh: bool = False,
    ) -> bytes:
        """Send a request for one image.

        :param path: below the image
        :param deadline: a time of ``time.monotonic()``
        :param fresh: use no cache
        :raises ImageNotFound: if it does not exist, or is not visible
        :raises ImagesNotServed: if Compute does not serve images
        """
        if not _ids.is_addressable(image_id):
            raise _errors.ImageNotFound(f'No image has the ID {image_id!r}')
        url = path_to('images', image_id, *path)
        try:
            return self._client.request(
                url, method=method, json=json, deadline=deadline, fresh=fresh
            ).content
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
                is_read = method == 'GET' and not path
                if e.http_status == 404 and (
                    is_read or self._is_missing(image_id)
                ):
                    raise _errors.ImageNotFound(
                        f'No image has the ID {image_id!r}: {e.message}',
                        **_errors.origin(e),
                    ) from e
            raise

    def _is_missing(self, image_id: str) -> bool:
        # NOTE: a gateway may have no route for a change.
        try:
            self.image('GET', image_id, fresh=True)
        except _errors.ImagesError as e:
            return isinstance(e, _errors.ImageNotFound)
        return False

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
            self._client.request(BRIEF, {'limit': 1}, fresh=True)
        except _errors.ImagesError as e:
            return e.http_status
        return None

    def _raise_not_served(self, e: _errors.HTTPError) -> NoReturn:
        versions = self._client.served_versions()
        served = 'unknown microversions'
        if versions:
            served = f'microversions {versions[0]} to {versions[1]}'
        raise _errors.ImagesNotServed(
            f'The Compute service does not serve images: it serves {served}, '
            f'and responds: {e.message}',
            versions=versions,
            **_errors.origin(e),
        ) from e


def _raise_forbidden(e: _errors.HTTPError) -> NoReturn:
    raise _errors.ImagesForbidden(e.message, **_errors.origin(e)) from e
