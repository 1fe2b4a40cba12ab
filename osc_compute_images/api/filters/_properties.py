# SPDX-License-Identifier: Apache-2.0

"""Filters by the properties of images."""

import re

from osc_compute_images.api._image import Image
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.text import property_text

# Properties that Nova and Glance compare as they stand. Of other keys Nova
# cuts off every leading letter of "property-", and Glance takes some for its
# own parameters (a range, where they end in _min or _max).
_COMPARED_BY_NOVA = re.compile(
    r'(hw_|img_)\w*(?<!_min)(?<!_max)'
    r'|architecture|base_image_ref|image_type|instance_uuid|vm_mode'
)


def has_property(key: str) -> Filter:
    """Choose images that have a property, whatever its value."""
    return Filter(
        lambda image: key in image.metadata, label=f'has_property({key!r})'
    )


def property_is(key: str, value: str) -> Filter:
    """Choose images by the value of a property.

    ``~property_is(key, value)`` chooses those that have another value, and
    those that do not have the property.

    :param value: the value as it is shown: a string as it is, another value
        as Python writes it
    """

    def matches(image: Image) -> bool:
        return key in image.metadata and (
            property_text(image.metadata[key]) == value
        )

    query = {}
    if value and _COMPARED_BY_NOVA.fullmatch(key):
        query[f'property-{key}'] = value
    return Filter(matches, query, label=f'property_is({key!r}, {value!r})')
