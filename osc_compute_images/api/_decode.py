# SPDX-License-Identifier: Apache-2.0

"""From the bytes of an answer to records.

An answer of the expected shape is decoded and checked in one pass, by type.
Where that fails, :mod:`._salvage` reads what can be read: one odd image must
not cost the user the 999 others of its page.
"""

from collections.abc import Iterable
from typing import Any
from typing import Generic
from typing import NamedTuple
from typing import TypeVar

import msgspec

from osc_compute_images.api import _json
from osc_compute_images.api import _salvage
from osc_compute_images.api._image import Image
from osc_compute_images.api._image import ImageRef

_Item = TypeVar('_Item')


class _Link(msgspec.Struct, frozen=True, gc=False):
    rel: str | None = None
    href: str | None = None


class _PageBody(msgspec.Struct, frozen=True, gc=False):
    images: list[Image]
    images_links: list[_Link] | None = None


class _ImageBody(msgspec.Struct, frozen=True, gc=False):
    image: Image


class Page(NamedTuple, Generic[_Item]):
    """What a page of a collection says.

    :param items: all that could be read
    :param entries: how many there were, unreadable ones among them
    :param next_url: the link to the next page, if there is one
    """

    items: list[_Item]
    entries: int
    next_url: str | None


_PAGE = msgspec.json.Decoder(_PageBody)
_IMAGE = msgspec.json.Decoder(_ImageBody)

# What msgspec raises for a body that is not as expected: its own errors,
# invalid UTF-8 and too deep a nesting.
_NOT_AS_EXPECTED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode_page(body: bytes) -> Page[Image]:
    """Read a page of images.

    :raises InvalidResponse: if there is no list of images in it
    """
    _json.check_size(body)
    try:
        page = _PAGE.decode(body)
    except _NOT_AS_EXPECTED:
        return read_page(body, 'images', _salvage.images)
    _json.check_entries(page.images)
    return Page(
        page.images, len(page.images), _next_url(page.images_links or ())
    )


def decode_brief_page(body: bytes) -> Page[ImageRef]:
    """Read a page of images of which no more than ID and name is told.

    :raises InvalidResponse: if there is no list of images in it
    """
    page = decode_page(body)
    return Page(
        [ImageRef(image.id, image.name) for image in page.items],
        page.entries,
        page.next_url,
    )


def _next_url(links: Iterable[_Link]) -> str | None:
    for link in links:
        if link.rel == 'next' and link.href:
            return link.href
    return None


def read_page(
    body: bytes, kind: str, read: _salvage.Reader[_Item]
) -> Page[_Item]:
    """Read a page of any collection of Compute.

    :param kind: the name of the collection, such as ``flavors``
    :param read: makes records of the entries of the page
    :raises InvalidResponse: if there is no such list in it
    """
    document = _json.load(body)
    entries = _json.member(document, kind, list)
    _json.check_entries(entries)
    links = _salvage.links(document.get(f'{kind}_links'))
    next_url = _next_url(_Link(*link) for link in links)
    return Page(read(entries), len(entries), next_url)


def decode_image(body: bytes) -> Image:
    """Read a single image.

    :raises InvalidResponse: if there is no image in it
    """
    _json.check_size(body)
    try:
        return _IMAGE.decode(body).image
    except _NOT_AS_EXPECTED:
        (image,) = _salvage.images([member(body, 'image', dict)])
        return image


def member(body: bytes, key: str, kind: type) -> Any:
    """Return one member of a JSON object, which must be of a JSON type.

    :param kind: dict or list
    :raises InvalidResponse: if the body is no such object
    """
    return _json.member(_json.load(body), key, kind)
