# SPDX-License-Identifier: Apache-2.0

"""Find the visibility of images, which Compute does not show.

That a server filters by it is undocumented (see :mod:`._routes`), and cannot
be checked: results are used only if the server has been seen to filter.
"""

from collections.abc import Iterable

from osc_compute_images.api import _errors
from osc_compute_images.api.changes import properties
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.images._reading import ReadingAPI
from osc_compute_images.api.images._routes import BRIEF
from osc_compute_images.api.listing import _decode
from osc_compute_images.api.listing import _options
from osc_compute_images.api.records._image import id_of
from osc_compute_images.api.records._image import ImageID

#: Errors of a server that does not support the filter.
_UNSUPPORTED = (
    _errors.BadRequest,
    _errors.Forbidden,
    _errors.ImagesNotServed,
    _errors.InvalidResponse,
    _errors.NotAcceptable,
    _errors.NotFound,
)


class VisibilityAPI(ReadingAPI):
    """The methods of :class:`.ImagesAPI` for the visibility of images."""

    _http: Client

    def find_visibility(self, image: ImageID) -> str | None:
        """Find the visibility of an image, which Compute does not show.

        **Any change of properties through Compute makes a shared or community
        image private** (:data:`.properties.MADE_PRIVATE`); private and public
        images keep their visibility. Glance's own API does not change it.

        :returns: ``private``, ``public``, ``shared`` or ``community``; None
            if it cannot be determined, as for a hidden image
        """
        # NOTE: used only if the filter includes the image for one visibility,
        # and excludes it for another.
        image_id = id_of(image)
        found: dict[bool, str] = {}
        for visibility in _options.VISIBILITIES:
            query = {
                'property-id': f'in:{image_id}',
                _options.VISIBILITY: visibility,
                'limit': 1,
            }
            try:
                body = self._http.request(BRIEF, query).content
                listed = _decode.decode_page(body).images
            except _UNSUPPORTED:
                return None
            is_listed = any(other.id == image_id for other in listed)
            if is_listed and True in found:
                return None
            found[is_listed] = visibility
            if len(found) == 2:
                return found[True]
        return None

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
        wanted = {*map(id_of, images)}
        if not wanted:
            return {}
        found: dict[str, str] = {}
        try:
            for visibility in sorted(properties.MADE_PRIVATE):
                opts = _options.ListOpts(visibility=visibility)
                for image in self.list(opts):
                    if found.setdefault(image.id, visibility) != visibility:
                        return None
        except _UNSUPPORTED:
            return None
        for image_id in sorted(wanted):
            known = self.find_visibility(image_id)
            if known is None:
                # It may have been deleted, or be hidden.
                continue
            # One image is enough to verify the lists.
            made_private = known if known in properties.MADE_PRIVATE else None
            if found.get(image_id) != made_private:
                return None
            return {k: v for k, v in found.items() if k in wanted}
        return None
