# SPDX-License-Identifier: Apache-2.0

"""Filters by what an image is: its status, its type, its server."""

from collections.abc import Mapping
import functools
import operator

from osc_compute_images.api._image import ServerRef
from osc_compute_images.api.filters._filter import EVERYTHING
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.filters._properties import property_is

# The words that Compute shows for a status, and Glance's words behind them
# (Nova's filter takes Glance's); none where there is no end of those.
_BEHIND: Mapping[str, tuple[str, ...]] = {
    'ACTIVE': ('active',),
    'SAVING': ('queued', 'saving'),
    'ERROR': ('killed',),
    'DELETED': ('deleted', 'pending_delete'),
    'UNKNOWN': (),
}

#: The words that Compute shows for a status.
STATUSES: tuple[str, ...] = tuple(_BEHIND)

_STATUS_WORDS = ', '.join(STATUSES)


def status(*words: str) -> Filter:
    """Choose images by the status that is shown, in any case.

    :param words: one or several, any of which an image may have
    :raises ValueError: if a word is none of :data:`STATUSES`
    """
    shown = dict.fromkeys(_status(word) for word in words)
    if not shown:
        raise ValueError(f'status takes at least one of {_STATUS_WORDS}')
    behind = [glance for word in shown for glance in _BEHIND[word]]
    query = {}
    if all(_BEHIND[word] for word in shown):
        query['status'] = (
            behind[0] if len(behind) == 1 else f'in:{",".join(behind)}'
        )
    return Filter(
        lambda image: image.status in shown,
        query,
        label=f'status({", ".join(map(repr, shown))})',
    )


def _status(word: str) -> str:
    shown = word.upper()
    if shown not in _BEHIND:
        raise ValueError(
            f'{word!r} is not an image status; choose from {_STATUS_WORDS}'
        )
    return shown


def image_type(*kinds: str) -> Filter:
    """Choose images by how they came to be.

    :param kinds: one or several, any of which an image may be: values of the
        property ``image_type``, as Nova sets it (``snapshot``, ``backup``) or
        anybody else; or, in any case, ``volume`` for snapshots of servers on
        volumes, ``base`` for other images without that property, ``server``
        for those that were taken from a server, ``all``
    :raises ValueError: if there is no kind
    """
    if not kinds:
        raise ValueError('image_type takes at least one kind of image')
    return functools.reduce(operator.or_, map(_image_type, kinds))


def _image_type(kind: str) -> Filter:
    label = f'image_type({kind!r})'
    match kind.lower():
        case 'all':
            return EVERYTHING
        case 'base':
            return Filter(
                lambda image: (
                    'image_type' not in image.metadata
                    and not image.is_volume_backed
                ),
                label=label,
            )
        case 'server':
            return Filter(lambda image: image.server is not None, label=label)
        case 'volume':
            return Filter(lambda image: image.is_volume_backed, label=label)
    same = property_is('image_type', kind)
    return Filter(same.matches, same.query, label=label)


def server(server: ServerRef | str) -> Filter:
    """Choose the images that were taken from a server.

    :param server: its ID, or anything with an ``id``.
        :meth:`.ImagesAPI.find_server_id` finds the ID to a name
    """
    server_id = getattr(server, 'id', server)
    if not isinstance(server_id, str):
        raise TypeError(
            f'A server is given by its ID, not by {type(server).__name__}'
        )
    return Filter(
        lambda image: image.server_id == server_id,
        {'server': server_id},
        label=f'server({server_id!r})',
    )
