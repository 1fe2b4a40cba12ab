# SPDX-License-Identifier: Apache-2.0

"""Lists, gets and finds images."""

from collections.abc import Mapping
from collections.abc import Sequence
import functools
import math
from typing import Literal
from typing import overload

from osc_compute_images.api import _errors
from osc_compute_images.api import filters
from osc_compute_images.api.filters._filter import as_filter
from osc_compute_images.api.images import _routes
from osc_compute_images.api.listing import _decode
from osc_compute_images.api.listing._options import ListOptsBuilder
from osc_compute_images.api.listing._pager import Pager
from osc_compute_images.api.listing._query import Query
from osc_compute_images.api.records import _ids
from osc_compute_images.api.records._image import id_of
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._image import ImageID
from osc_compute_images.api.records._image import ImageRef


class ReadingAPI:
    """The methods of :class:`.ImagesAPI` that read images."""

    _routes: _routes.Routes

    def list_detail(
        self,
        opts: ListOptsBuilder | Mapping[str, str | int] | None = None,
        *,
        where: filters.Filter | None = None,
        max_items: int | None = None,
    ) -> Pager[Image]:
        """List images with all fields, newest first.

        https://docs.openstack.org/api-ref/compute/#list-images-with-details

        :param opts: query parameters, with Nova's meaning; by default all
            visible images are listed
        :param where: selects the images to list
        :param max_items: maximum number of images to list; no more are
            requested than needed
        :raises TypeError: for an argument of the wrong type
        :raises ValueError: for a number below 1
        """
        query = Query(opts, where, max_items)
        fetch = functools.partial(
            self._routes.page, _routes.DETAIL, query.hints
        )
        return Pager(fetch, _decode.decode_page, query)

    def list(
        self,
        opts: ListOptsBuilder | Mapping[str, str | int] | None = None,
        *,
        where: filters.Filter | None = None,
        max_items: int | None = None,
    ) -> Pager[ImageRef]:
        """List images by ID and name only.

        The responses are smaller, but Nova still reads complete images from
        Glance: it was measured to be 1.2 times as fast.

        https://docs.openstack.org/api-ref/compute/#list-images

        See :meth:`list_detail` for the arguments.

        :raises TypeError: for a filter that needs more than ID and name
        """
        query = Query(opts, where, max_items, brief=True)
        fetch = functools.partial(
            self._routes.page, _routes.BRIEF, query.hints
        )
        return Pager(fetch, _decode.decode_brief_page, query)

    def get(self, image: ImageID) -> Image:
        """Get an image by ID.

        https://docs.openstack.org/api-ref/compute/#show-image-details

        :raises ImageNotFound: if it does not exist, or is not visible
        :raises ImagesNotServed: if Compute does not serve images
        """
        return self._get(id_of(image))

    def _get(
        self, image_id: str, deadline: float = math.inf, *, fresh: bool = False
    ) -> Image:
        body = self._routes.image(
            'GET', image_id, deadline=deadline, fresh=fresh
        )
        image = _decode.decode_image(body)
        if image.id.lower() != image_id.lower():
            raise _errors.InvalidResponse(
                f'The server sent {image.id or "an image without an ID"} '
                f'instead of image {image_id}'
            )
        return image

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
        """Find the image with an ID, or else the one with an exact name.

        :param where: considers only these images
        :param ignore_missing: return None if there is none; unlike in
            openstacksdk, False by default
        :raises ImageNotFound: if there is none
        :raises AmbiguousName: if several images have this name
        """
        text = id_of(name_or_id)
        found = self.find_all(name_or_id, where=where)
        is_tried = found or _ids.candidates(text)
        if not is_tried and _ids.is_addressable(text):
            # The ID may have an unknown form.
            found = self._find_by_id(text, as_filter(where)) or ()
        if ignore_missing and not found:
            return None
        by_id = {image.id: image for image in found}
        return _ids.only_one('image', text, by_id, _errors.ImageNotFound)

    def find_all(
        self, name_or_id: ImageID, *, where: filters.Filter | None = None
    ) -> Sequence[Image]:
        """Find the image with an ID, or else all with an exact name.

        A text in the form of an ID (a UUID, 32 hexadecimal digits, a number)
        is tried as an ID, a UUID also in lower case, and then as a name.

        :param where: considers only these images
        :raises ValueError: for an empty name
        """
        text = id_of(name_or_id)
        if not text:
            # An unset variable is more likely than an image without a name.
            raise ValueError('The name or ID of an image is empty')
        match = as_filter(where)
        is_id = not isinstance(name_or_id, str)
        for image_id in (text,) if is_id else _ids.candidates(text):
            if (found := self._find_by_id(image_id, match)) is not None:
                return found
        if is_id:
            return []
        return [*self.list_detail(where=filters.name(text) & match)]

    def _find_by_id(
        self, image_id: str, match: filters.Filter
    ) -> Sequence[Image] | None:
        """Return the image with an ID, if it matches.

        :returns: None if there is none, and the text may be a name
        """
        try:
            image = self._get(image_id)
        except (_errors.ImageNotFound, _errors.BadRequest):
            return None
        return [image] if match.matches(image) else []
