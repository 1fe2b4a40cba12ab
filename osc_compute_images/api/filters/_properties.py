# SPDX-License-Identifier: Apache-2.0

"""Filters by the properties of images, and by type."""

from collections.abc import Callable
from collections.abc import Mapping
import functools
import operator
import re

from osc_compute_images.api.filters._filter import EVERYTHING
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.records._image import Image
from osc_compute_images.text import property_text

# Keys that Nova and Glance filter correctly. Nova strips the letters of
# "property-" from the beginning of other keys, and Glance interprets some as
# its own parameters (those that end in _min or _max as ranges).
_FILTERED_BY_NOVA = re.compile(
    r'(hw_|img_)\w*(?<!_min)(?<!_max)'
    r'|architecture|base_image_ref|image_type|instance_uuid|vm_mode'
)


def has_property(key: str) -> Filter:
    """Select images that have a property, with any value."""
    return Filter(
        lambda image: key in image.metadata, label=f'has_property({key!r})'
    )


def property_is(key: str, value: str) -> Filter:
    """Select images by the value of a property.

    ``~property_is(key, value)`` selects images with another value, and images
    without the property.

    :param value: as displayed: a string, or ``str()`` of another value
    """

    def matches(image: Image) -> bool:
        return key in image.metadata and (
            property_text(image.metadata[key]) == value
        )

    query = {}
    if value and _FILTERED_BY_NOVA.fullmatch(key):
        query[f'property-{key}'] = value
    return Filter(matches, query, label=f'property_is({key!r}, {value!r})')


def image_type(*kinds: str) -> Filter:
    """Select images by type.

    :param kinds: one or more types; an image matches any of them. A type is a
        value of the property ``image_type``, such as Nova's ``snapshot`` and
        ``backup``; or, in any case, ``volume`` for snapshots of volume-backed
        servers, ``base`` for other images without that property, ``server``
        for images taken from a server, ``all``
    :raises ValueError: if there is no type
    """
    if not kinds:
        raise ValueError('image_type takes at least one type')
    return functools.reduce(operator.or_, map(_image_type, kinds))


#: Types other than the values of the property ``image_type``.
_TYPES: Mapping[str, Callable[[Image], bool]] = {
    'base': lambda image: (
        'image_type' not in image.metadata and not image.is_volume_backed
    ),
    'server': lambda image: image.server is not None,
    'volume': lambda image: image.is_volume_backed,
}


def _image_type(kind: str) -> Filter:
    if kind.lower() == 'all':
        return EVERYTHING
    label = f'image_type({kind!r})'
    if kind.lower() in _TYPES:
        return Filter(_TYPES[kind.lower()], label=label)
    same = property_is('image_type', kind)
    return Filter(same.matches, same.query, label=label)
