# SPDX-License-Identifier: Apache-2.0

"""Decode the body of a response.

A body that matches the schema is decoded in one pass. Otherwise,
:mod:`._salvage` decodes as much as possible: one malformed image must not hide
the 999 others of its page.
"""

from collections.abc import Sequence
import itertools
from typing import Annotated
from typing import Any
from typing import TypeVar

import msgspec

from osc_compute_images.api import _limits
from osc_compute_images.api.listing import _json
from osc_compute_images.api.listing import _salvage
from osc_compute_images.api.listing._page import ImagePage
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._image import ImageRef

_Item = TypeVar('_Item')


class _PageBody(msgspec.Struct, frozen=True, gc=False):
    images: Annotated[
        list[Image], msgspec.Meta(max_length=_limits.MAX_ENTRIES)
    ]
    images_links: Any = None


class _ImageBody(msgspec.Struct, frozen=True, gc=False):
    image: Image


_PAGE = msgspec.json.Decoder(_PageBody)
_IMAGE = msgspec.json.Decoder(_ImageBody)

# What msgspec raises for a body that does not match the schema, is not UTF-8
# or is nested too deeply.
_DECODE_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode_page(body: bytes) -> ImagePage[Image]:
    """Decode a page of images.

    :raises InvalidResponse: if it has no list of images
    """
    _json.check_size(body)
    try:
        page = _PAGE.decode(body)
        _check_depth(page.images)
    except _DECODE_ERRORS:
        return read_page(body, 'images', _salvage.images)
    return ImagePage(page.images, page.images_links, len(page.images))


def decode_brief_page(body: bytes) -> ImagePage[ImageRef]:
    """Decode a page of images that has only IDs and names.

    :raises InvalidResponse: if it has no list of images
    """
    page: ImagePage[Any] = decode_page(body)
    page.images = [ImageRef(image.id, image.name) for image in page.images]
    return page


def read_page(
    body: bytes, kind: str, read: _salvage.Reader[_Item]
) -> ImagePage[_Item]:
    """Decode a page of any collection of Compute.

    :param kind: name of the collection, such as ``flavors``
    :param read: converts the entries of the page to records
    :raises InvalidResponse: if it has no such list
    """
    document = _json.load(body)
    entries = _json.member(document, kind, list)
    if len(entries) > _limits.MAX_ENTRIES:
        _json.raise_invalid(
            f'a page has more than {_limits.MAX_ENTRIES:,} entries'
        )
    links = document.get(f'{kind}_links')
    return ImagePage(read(entries), links, len(entries))


def decode_image(body: bytes) -> Image:
    """Decode a single image.

    :raises InvalidResponse: if it has no image
    """
    _json.check_size(body)
    try:
        image = _IMAGE.decode(body).image
        _check_depth([image])
    except _DECODE_ERRORS:
        (image,) = _salvage.images([member(body, 'image', dict)])
    return image


def member(body: bytes, key: str, kind: type) -> Any:
    """Return a member of a JSON object.

    :param kind: its type, dict or list
    :raises InvalidResponse: if there is no member of this type
    """
    return _json.member(_json.load(body), key, kind)


def _check_depth(images: Sequence[Image]) -> None:
    """Raise RecursionError if properties may be nested too deeply.

    A property that is decoded from JSON is as deep as any user likes, and
    msgspec reads more levels than Python can write.
    """
    properties = (image.metadata.values() for image in images)
    values = [*itertools.chain.from_iterable(properties)]
    # NOTE: fast; almost every value is a string.
    if {*map(type, values)} <= {str}:
        return
    for value in values:
        text = '' if isinstance(value, str) else repr(value)
        # The value is on the fifth level.
        if text.count('[') + text.count('{') > _limits.MAX_DEPTH - 4:
            raise RecursionError
