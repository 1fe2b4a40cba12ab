# SPDX-License-Identifier: Apache-2.0

"""Query parameters that reach the Image service by accident.

Nova passes ``property-X`` to Glance as a property X, and Glance interprets
some of these as filters of its own. That is undocumented, and a server that
ignores the parameter would list other images. It would ignore an invalid
value, too, which is therefore sent first.
"""

from collections.abc import Mapping
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.api.images._routes import Routes
from osc_compute_images.api.listing import _options
from osc_compute_images.api.listing._query import NO_HINTS

#: Values that a server which filters rejects.
_INVALID = {
    _options.VISIBILITY: 'no-such-visibility',
    _options.CREATED_AT: 'lt:no-such-time',
    _options.SIZE_MIN: 'no-such-size',
}


class Probe:
    """Requests lists of images, by parameters that the server supports.

    :param path: the route of the list
    """

    def __init__(self, routes: Routes, path: str) -> None:
        self._routes = routes
        self._path = path
        self._supported: dict[str, bool] = {}

    def fetch(
        self, query: Mapping[str, Any], hints: Mapping[str, Any] = NO_HINTS
    ) -> bytes:
        """Request a list.

        :param hints: parameters with which the server excludes only images
            that are not wanted. They are sent if the server supports them, and
            not for the first page, which may be the only one
        :raises InvalidResponse: if the visibility is given, which Compute does
            not show, and the server does not filter by it
        """
        if _options.VISIBILITY in query and not self._supports(
            _options.VISIBILITY
        ):
            raise _errors.InvalidResponse(
                'The server does not filter images by visibility: it accepts '
                'an invalid value'
            )
        if hints and 'marker' in query:
            supported = filter(self._supports, hints)
            query = {**{name: hints[name] for name in supported}, **query}
        return self._routes.page(self._path, query)

    def _supports(self, name: str) -> bool:
        """Return whether the server rejects an invalid value."""
        if name not in self._supported:
            try:
                invalid = {name: _INVALID[name], 'limit': 1}
                self._routes.page(self._path, invalid)
            except _errors.BadRequest:
                self._supported[name] = True
            except _errors.ImagesError:
                if name == _options.VISIBILITY:
                    raise
                self._supported[name] = False
            else:
                self._supported[name] = False
        return self._supported[name]
