# SPDX-License-Identifier: Apache-2.0

"""From the bytes of an answer to records.

An answer of the expected shape is decoded and checked in one pass, by type.
Only when that fails is the slow way taken, which reads as much as can be
read: one odd image must not cost the user the 999 others of its page.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import json
import logging
import math
import re
from typing import Any
from typing import Generic
from typing import NamedTuple
from typing import NoReturn
from typing import TypeVar

import msgspec

from osc_compute_images.api import _errors
from osc_compute_images.api._image import Image
from osc_compute_images.api._image import ImageRef
from osc_compute_images.api._image import ServerRef
from osc_compute_images.text import printable

_Record = TypeVar('_Record', bound=Image | ImageRef)

LOG = logging.getLogger(__name__)

#: How many oddities of one answer are told one by one.
_TOLD = 5

#: How deep an answer may be nested. Python's own limit is some hundreds, and
#: depends on what has called what.
_DEEPEST = 200

# What nests in JSON, and texts, in which nothing does.
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]', re.DOTALL)

# Escapes in JSON: a backslash, a whole surrogate pair, or half of one.
_ESCAPE = re.compile(
    r'\\(?:\\|u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F]..))'
)


class _Link(msgspec.Struct, frozen=True, gc=False):
    rel: str | None = None
    href: str | None = None


class _PageBody(msgspec.Struct, frozen=True, gc=False):
    images: list[Image]
    images_links: list[_Link] | None = None


class Page(NamedTuple, Generic[_Record]):
    """What a page of a listing says.

    :param images: all that could be read
    :param entries: how many there were, those that are no images among them
    :param next_url: the link to the next page, if there is one
    """

    images: list[_Record]
    entries: int
    next_url: str | None


class _ImageBody(msgspec.Struct, frozen=True, gc=False):
    image: Image


_PAGE = msgspec.json.Decoder(_PageBody)
_IMAGE = msgspec.json.Decoder(_ImageBody)

# What msgspec raises for a body that is not as expected: its own errors,
# invalid UTF-8 and too deep a nesting.
_NOT_AS_EXPECTED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode_page(body: bytes) -> Page[Image]:
    """Read a page of images.

    :raises InvalidResponse: if there is no list of images in it
    """
    try:
        page = _PAGE.decode(body)
    except _NOT_AS_EXPECTED:
        return _salvage_page(body)
    return Page(
        page.images, len(page.images), _next_url(page.images_links or ())
    )


def decode_brief_page(body: bytes) -> Page[ImageRef]:
    """Read a page of images of which no more than ID and name is told.

    :raises InvalidResponse: if there is no list of images in it
    """
    page = decode_page(body)
    return Page(
        [ImageRef(image.id, image.name) for image in page.images],
        page.entries,
        page.next_url,
    )


def _next_url(links: Iterable[_Link]) -> str | None:
    for link in links:
        if link.rel == 'next' and link.href:
            return link.href
    return None


def decode_image(body: bytes) -> Image:
    """Read a single image.

    :raises InvalidResponse: if there is no image in it
    """
    try:
        return _IMAGE.decode(body).image
    except _NOT_AS_EXPECTED:
        oddities: list[str] = []
        image = _salvage_image(member(body, 'image', dict), oddities)
        _tell(oddities)
        return image


def member(body: bytes, key: str, kind: type) -> Any:
    """Return one member of a JSON object, which must be of a JSON type.

    :param kind: dict or list
    :raises InvalidResponse: if the body is no such object
    """
    return _member(_load(body), key, kind)


def has_next(body: bytes, kind: str) -> bool:
    """Tell whether a page of any kind has a link to the next one.

    :param kind: such as ``flavors``
    """
    links = _load(body).get(f'{kind}_links')
    return _next_url(_salvage_links(links)) is not None


def _member(document: Any, key: str, kind: type) -> Any:
    if not isinstance(document, dict) or key not in document:
        _refuse(f'it has no {key!r}')
    if not isinstance(document[key], kind):
        _refuse(f'{key!r} is not {"a list" if kind is list else "an object"}')
    return document[key]


def load(body: bytes) -> Any:
    """Parse any JSON, or return None for what is none."""
    try:
        return _load(body)
    except _errors.InvalidResponse:
        return None


def _load(body: bytes) -> Any:
    deep = _without_halves(body.decode('utf-8-sig', 'replace'))
    text = _shallow(deep)
    try:
        # NOTE: NaN, the infinities, and numbers that Python refuses to
        # convert for their length or size survive as text.
        document = json.loads(
            text,
            parse_constant=str,
            parse_float=lambda s: s if math.isinf(float(s)) else float(s),
            parse_int=lambda s: int(s) if len(s) < 4300 else s,
            # Control characters in a text are no JSON, and do no harm.
            strict=False,
        )
    except ValueError as e:
        _refuse(str(e) if text.strip() else 'it is empty')
    if text != deep:
        LOG.warning(
            'What is nested more than %d deep in the answer of the server is '
            'left out',
            _DEEPEST,
        )
    return document


def _refuse(reason: str) -> NoReturn:
    raise _errors.InvalidResponse(
        f'The answer of the server is not that of the images API: {reason}'
    )


def _without_halves(text: str) -> str:
    # Half of a surrogate pair cannot be written in any encoding.
    return _ESCAPE.sub(lambda m: r'\ufffd' if m['half'] else m[0], text)


def _shallow(text: str) -> str:
    """Put null in the place of what is nested deeper than can be handled."""
    kept = []
    begin = depth = 0
    for token in _NESTING.finditer(text):
        if token[0] in '[{':
            depth += 1
            if depth == _DEEPEST + 1:
                kept += [text[begin : token.start()], 'null']
        elif token[0] in ']}':
            depth -= 1
            if depth == _DEEPEST:
                begin = token.end()
    if depth <= _DEEPEST:
        kept.append(text[begin:])
    return ''.join(kept)


def _salvage_page(body: bytes) -> Page[Image]:
    document = _load(body)
    oddities: list[str] = []
    images = []
    entries = _member(document, 'images', list)
    for number, entry in enumerate(entries):
        if isinstance(entry, dict):
            images.append(_salvage_image(entry, oddities))
        else:
            oddities.append(f'Entry {number} of the page is no image')
    _tell(oddities)
    links = _salvage_links(document.get('images_links'))
    return Page(images, len(entries), _next_url(links))


def _salvage_links(links: Any) -> Iterator[_Link]:
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict):
            rel, href = link.get('rel'), link.get('href')
            if isinstance(rel, str) and isinstance(href, str):
                yield _Link(rel, href)


def _salvage_image(entry: dict[str, Any], oddities: list[str]) -> Image:
    fields: dict[str, Any] = {}
    image_id = _text(entry.get('id')) or ''

    def odd(key: str, value: object) -> None:
        oddities.append(
            f'Image {image_id or "without an ID"}: field {key!r} is not as '
            f'expected: {_text(value)!r:.80}'
        )

    if not image_id:
        odd('id', entry.get('id'))
    for field in msgspec.structs.fields(Image):
        key = field.encode_name
        value = entry.get(key)
        if value is None:
            # As a record has it: absent, or empty for the properties.
            continue
        try:
            fields[field.name] = msgspec.convert(value, field.type)
        except (msgspec.ValidationError, RecursionError):
            odd(key, value)
            salvaged = _salvage_value(field.type, value)
            if salvaged is not None:
                fields[field.name] = salvaged
    fields['id'] = image_id
    return Image(**fields)


def _salvage_value(kind: Any, value: Any) -> object:
    if kind == str | None:
        return _text(value)
    if kind == int | None:
        try:
            return int(value)
        except (TypeError, ValueError, OverflowError):
            return None
    if kind == ServerRef | None and isinstance(value, dict):
        server_id = _text(value.get('id'))
        return ServerRef(server_id) if server_id else None
    return None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _tell(oddities: list[str]) -> None:
    for oddity in oddities[:_TOLD]:
        LOG.warning('%s', printable(oddity))
    if len(oddities) > _TOLD:
        LOG.warning('... and %d more of this kind', len(oddities) - _TOLD)
