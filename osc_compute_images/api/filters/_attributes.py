# SPDX-License-Identifier: Apache-2.0

"""Filters by status, server, flavor, type, and other properties."""

from collections.abc import Callable
from collections.abc import Mapping
import functools
import operator
import re
from typing import Protocol

from osc_compute_images.api.filters._filter import EVERYTHING
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._server import Flavor

_GIB = 1024**3

# Glance's statuses, by the status that Compute shows. Nova's filter takes
# Glance's; UNKNOWN stands for any other.
_GLANCE_STATUSES: Mapping[str, tuple[str, ...]] = {
    'ACTIVE': ('active',),
    'SAVING': ('queued', 'saving'),
    'ERROR': ('killed',),
    'DELETED': ('deleted', 'pending_delete'),
    'UNKNOWN': (),
}

STATUSES = tuple(_GLANCE_STATUSES)

# Keys that Nova and Glance filter correctly. Nova strips the letters of
# "property-" from the beginning of other keys, and Glance interprets some as
# its own parameters (those that end in _min or _max as ranges).
_FILTERED_BY_NOVA = re.compile(
    r'(hw_|img_)\w*(?<!_min)(?<!_max)'
    r'|architecture|base_image_ref|image_type|instance_uuid|vm_mode'
)

#: Types other than the values of the property ``image_type``.
_TYPES: Mapping[str, Callable[[Image], bool]] = {
    'base': lambda image: (
        'image_type' not in image.metadata and not image.is_volume_backed
    ),
    'server': lambda image: image.server_id is not None,
    'volume': lambda image: image.is_volume_backed,
}


class HasID(Protocol):
    """Anything with an ID, such as a server."""

    @property
    def id(self) -> str: ...


def status(*words: str) -> Filter:
    """Select images by the status that Compute shows, in any case.

    :param words: one or more statuses; an image matches any of them
    :raises ValueError: if a word is not one of :data:`STATUSES`
    """
    chosen = dict.fromkeys(map(str.upper, words))
    if not chosen or not chosen.keys() <= _GLANCE_STATUSES.keys():
        raise ValueError(
            f'status takes one or more of {", ".join(STATUSES)}, not '
            f'{", ".join(map(repr, words)) or "none"}'
        )
    query = {}
    if 'UNKNOWN' not in chosen:
        values = [value for word in chosen for value in _GLANCE_STATUSES[word]]
        alone = len(values) == 1
        query['status'] = values[0] if alone else f'in:{",".join(values)}'
    return Filter(
        lambda image: image.state in chosen,
        query,
        label=f'status({", ".join(map(repr, chosen))})',
    )


def server(server: HasID | str) -> Filter:
    """Select images that were taken from a server.

    :param server: its ID, or any object with an ``id``. To find the ID of a
        name, use :meth:`.ImagesAPI.find_server_id`
    """
    server_id = getattr(server, 'id', server)
    if not isinstance(server_id, str):
        raise TypeError(f'server takes an ID, not {type(server).__name__}')
    return Filter(
        lambda image: image.server_id == server_id,
        {'server': server_id},
        label=f'server({server_id!r})',
    )


def boots_on(flavor: Flavor) -> Filter:
    """Select the images that a server of a flavor can boot.

    As Nova checks: the image is ACTIVE, and the flavor has its minimum memory
    and disk, and disk for its size. The disk is not checked for servers that
    boot from a volume: those of flavors without a disk, and of snapshots of
    volume-backed servers.
    """
    if not isinstance(flavor, Flavor):
        raise TypeError(
            f'boots_on takes a Flavor, not {type(flavor).__name__}: use '
            f'ImagesAPI.find_flavor()'
        )

    def matches(image: Image) -> bool:
        if image.state != 'ACTIVE' or (image.min_ram or 0) > flavor.ram:
            return False
        if flavor.disk == 0 or image.is_volume_backed:
            return True
        return (image.min_disk or 0) <= flavor.disk and (
            (image.size or 0) <= flavor.disk * _GIB
        )

    return Filter(
        matches, {'status': 'active'}, label=f'boots_on({flavor.name!r})'
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
    :raises TypeError: if it is not a string
    """
    if not isinstance(value, str):
        raise TypeError(
            f'property_is takes a str as value, not {type(value).__name__}'
        )

    def matches(image: Image) -> bool:
        return key in image.metadata and str(image.metadata[key]) == value

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


def _image_type(kind: str) -> Filter:
    if kind.lower() == 'all':
        return EVERYTHING
    label = f'image_type({kind!r})'
    if kind.lower() in _TYPES:
        return Filter(_TYPES[kind.lower()], label=label)
    same = property_is('image_type', kind)
    return Filter(same.matches, same.query, label=label)
