# SPDX-License-Identifier: Apache-2.0

"""Filter by the visibility of images, and find it: Compute does not show it.

Nova passes ``property-visibility`` to Glance, which interprets it as its own
filter. This is undocumented, and what Compute does not show cannot be checked:
results are used only if the server has been seen to filter.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.api.changes import properties
from osc_compute_images.api.listing import _decode
from osc_compute_images.api.listing import _options
from osc_compute_images.api.records._image import ImageRef

#: Errors of a server that does not support the filter.
_UNSUPPORTED = (
    _errors.BadRequest,
    _errors.Forbidden,
    _errors.ImagesNotServed,
    _errors.InvalidResponse,
    _errors.NotFound,
)

_Fetch = Callable[[Mapping[str, Any]], bytes]


def find_visibility(fetch: _Fetch, image_id: str) -> str | None:
    """See :meth:`osc_compute_images.api.ImagesAPI.find_visibility`.

    The result is used only if the filter includes the image for one
    visibility, and excludes it for another.

    :param fetch: requests a list of images, given the query parameters
    """
    found = None
    is_filtered = False
    for visibility in _options.VISIBILITIES:
        query = {
            'property-id': f'in:{image_id}',
            _options.VISIBILITY: visibility,
            'limit': 1,
        }
        try:
            page = _decode.decode_page(fetch(query))
        except _UNSUPPORTED:
            return None
        if all(image.id != image_id for image in page.images):
            is_filtered = True
        elif found is None:
            found = visibility
        else:
            return None
        if found is not None and is_filtered:
            return found
    return None


def find_visibilities(
    listed: Callable[[str], Iterable[ImageRef]],
    find: Callable[[str], str | None],
    image_ids: Iterable[str],
) -> dict[str, str] | None:
    """See :meth:`osc_compute_images.api.ImagesAPI.find_visibilities`.

    :param listed: lists the images with a visibility
    :param find: finds the visibility of one image, to verify the lists
    """
    wanted = frozenset(image_ids)
    if not wanted:
        return {}
    found: dict[str, str] = {}
    try:
        for visibility in sorted(properties.MADE_PRIVATE):
            for image in listed(visibility):
                if found.setdefault(image.id, visibility) != visibility:
                    return None
    except _UNSUPPORTED:
        return None
    for image_id in sorted(wanted):
        known = find(image_id)
        if known is None:
            # It may have been deleted, or be hidden.
            continue
        listed_as = found.get(image_id)
        if known != listed_as and (
            listed_as is not None or known in properties.MADE_PRIVATE
        ):
            return None
        return {k: v for k, v in found.items() if k in wanted}
    return None
