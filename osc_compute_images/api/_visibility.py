# SPDX-License-Identifier: Apache-2.0

"""Finding out the visibility of an image, which Compute does not show."""

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from osc_compute_images.api import _decode
from osc_compute_images.api import _errors

#: In the order in which they are tried.
_VISIBILITIES = ('private', 'public', 'shared', 'community')

#: What means that the server does not know such a filter.
_UNKNOWN = (
    _errors.BadRequest,
    _errors.Forbidden,
    _errors.ImagesNotServed,
    _errors.InvalidResponse,
    _errors.NotFound,
)


def find_visibility(
    fetch: Callable[[Mapping[str, Any]], bytes], image_id: str
) -> str | None:
    """See :meth:`osc_compute_images.api.ImagesAPI.find_visibility`.

    Nova hands ``property-visibility`` on to Glance, which takes it for its
    own filter. As this is nowhere documented, the answer is believed only if
    the filter lets the image through for one visibility, and not for another.

    :param fetch: requests a list of images, given the query
    """
    found = None
    is_filtered = False
    for visibility in _VISIBILITIES:
        query = {
            'property-id': f'in:{image_id}',
            'property-visibility': visibility,
            'limit': 1,
        }
        try:
            page = _decode.decode_page(fetch(query))
        except _UNKNOWN:
            return None
        if all(image.id != image_id for image in page.items):
            is_filtered = True
        elif found is None:
            found = visibility
        else:
            return None
        if found is not None and is_filtered:
            return found
    return None
