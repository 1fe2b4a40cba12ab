# SPDX-License-Identifier: Apache-2.0

"""Decode the body of a response.

A page that matches the schema is decoded in one pass. Otherwise, as much as
possible is decoded: one malformed image must not hide the 999 others of its
page. Each value that is dropped or converted is logged as a warning.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import itertools
import json
import logging
from typing import Annotated
from typing import Any
from typing import TypeVar

import msgspec

from osc_compute_images.api import _limits
from osc_compute_images.api.listing import _json
from osc_compute_images.api.listing._page import ImagePage
from osc_compute_images.api.records import _image
from osc_compute_images.api.records._image import Image
from osc_compute_images.text import printable
from osc_compute_images.text import shortened

LOG = logging.getLogger('osc_compute_images')

_Item = TypeVar('_Item')


class _PageBody(msgspec.Struct, frozen=True, gc=False):
    images: Annotated[
        list[Image], msgspec.Meta(max_length=_limits.MAX_ENTRIES)
    ]
    images_links: Any = None


_PAGE = msgspec.json.Decoder(_PageBody)

# What msgspec raises for a body that does not match the schema, is not UTF-8
# or is nested too deeply.
_DECODE_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

# NOTE: slow; computed once.
_FIELDS = msgspec.structs.fields(Image)

#: The expected value of a field, by its type, for messages.
_EXPECTED = {
    str | None: 'a string',
    int | None: 'an integer',
    _image.ServerRef | None: 'an object with a server ID',
    Mapping[str, Any]: 'an object',
    _image.ID: f'a string of 1 to {_limits.MAX_ID_LENGTH} characters',
}


def decode_page(body: bytes) -> ImagePage[Image]:
    """Decode a page of images.

    :raises InvalidResponse: if it has no list of images
    """
    _json.check_size(body)
    try:
        page = _PAGE.decode(body)
        _check_depth(page.images)
    except _DECODE_ERRORS:
        return read_page(body, 'images', _salvage)
    return ImagePage(page.images, page.images_links, len(page.images))


def decode_brief_page(body: bytes) -> ImagePage[_image.ImageRef]:
    """Decode a page of images that has only IDs and names.

    :raises InvalidResponse: if it has no list of images
    """
    page: ImagePage[Any] = decode_page(body)
    page.images = [_image.ImageRef(i.id, i.name) for i in page.images]
    return page


def read_page(
    body: bytes, kind: str, read: Callable[[Sequence[Any]], list[_Item]]
) -> ImagePage[_Item]:
    """Decode a page of any collection of Compute.

    :param kind: name of the collection, such as ``flavors``
    :param read: converts the entries of the page to records
    :raises InvalidResponse: if it has no such list
    """
    document = _json.load(body, kind, list)
    entries = document[kind]
    if len(entries) > _limits.MAX_ENTRIES:
        _json.raise_invalid(
            f'a page has more than {_limits.MAX_ENTRIES:,} entries'
        )
    return ImagePage(
        read(entries), document.get(f'{kind}_links'), len(entries)
    )


def decode_image(body: bytes) -> Image:
    """Decode a single image.

    :raises InvalidResponse: if it has no image
    """
    (image,) = _salvage([member(body, 'image', dict)])
    return image


def member(body: bytes, key: str, kind: type) -> Any:
    """Return a member of a JSON object.

    :param kind: its type: dict, list or str
    :raises InvalidResponse: if there is no member of this type
    """
    return _json.load(body, key, kind)[key]


def _check_depth(images: Sequence[Image]) -> None:
    """Raise RecursionError if properties may be nested too deeply.

    A property that is decoded from JSON is as deep as any user likes, and
    msgspec reads more levels than Python can write.
    """
    for image in images:
        for value in image.metadata.values():
            # NOTE: fast; almost every value is a string.
            if type(value) is not str:
                text = repr(value)
                # The value is on the fifth level.
                if text.count('[') + text.count('{') > _limits.MAX_DEPTH - 4:
                    raise RecursionError


def _salvage(entries: Sequence[Any]) -> list[Image]:
    """Decode images as far as possible, and log invalid values."""
    problems = itertools.count(1)
    images = []
    for number, entry in enumerate(entries):
        if isinstance(entry, dict):
            images.append(_salvaged(entry, problems))
        else:
            where = f'Entry {number} of the page'
            _warn(next(problems), where, entry, 'an image')
    if (rest := next(problems) - 1 - _limits.MAX_WARNINGS) > 0:
        LOG.warning('... and %d more', rest)
    return images


def _salvaged(entry: dict[str, Any], problems: Iterator[int]) -> Image:
    fields: dict[str, Any] = {'id': ''}
    for field in _FIELDS:
        key = field.encode_name
        value = entry.get(key)
        if value is None and key != 'id':
            continue
        try:
            fields[field.name] = msgspec.convert(
                value, field.type, strict=False
            )
        except msgspec.ValidationError:
            where = f'Image {fields["id"] or "without an ID"}: field {key!r}'
            _warn(next(problems), where, value, _EXPECTED[field.type])
    if entry.get('server') is not None and 'server' not in fields:
        # NOTE: any server may be stored in it.
        known = fields.get('metadata', {})
        fields['metadata'] = _image.UnknownProperties(known)
    return Image(**fields)


def _warn(number: int, where: str, value: Any, expected: str) -> None:
    """Log an invalid value, if it is one of the first of a response."""
    length = _limits.MAX_VALUE_SHOWN
    if number <= _limits.MAX_WARNINGS:
        # NOTE: faster than to encode all of a text.
        part = value[:length] if isinstance(value, str) else value
        shown = shortened(json.dumps(part, ensure_ascii=False), length)
        LOG.warning('%s', printable(f'{where} is {shown}, not {expected}'))
