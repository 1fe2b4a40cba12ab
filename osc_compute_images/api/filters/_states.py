# SPDX-License-Identifier: Apache-2.0

"""Filters by status and server."""

from collections.abc import Mapping
from typing import Protocol

from osc_compute_images.api.filters._filter import Filter

# Glance's statuses, by the status that Compute shows. Nova's filter takes
# Glance's; UNKNOWN stands for any other.
_GLANCE_STATUSES: Mapping[str, tuple[str, ...]] = {
    'ACTIVE': ('active',),
    'SAVING': ('queued', 'saving'),
    'ERROR': ('killed',),
    'DELETED': ('deleted', 'pending_delete'),
    'UNKNOWN': (),
}

#: The statuses that Compute shows.
STATUSES: tuple[str, ...] = tuple(_GLANCE_STATUSES)

_CHOICES = ', '.join(STATUSES)


def status(*words: str) -> Filter:
    """Select images by the status that Compute shows, in any case.

    :param words: one or more statuses; an image matches any of them
    :raises ValueError: if a word is not one of :data:`STATUSES`
    """
    statuses = dict.fromkeys(_status(word) for word in words)
    if not statuses:
        raise ValueError(f'status takes at least one of {_CHOICES}')
    glance = [s for status in statuses for s in _GLANCE_STATUSES[status]]
    query = {}
    if all(_GLANCE_STATUSES[status] for status in statuses):
        query['status'] = (
            glance[0] if len(glance) == 1 else f'in:{",".join(glance)}'
        )
    return Filter(
        lambda image: image.state in statuses,
        query,
        label=f'status({", ".join(map(repr, statuses))})',
    )


def _status(word: str) -> str:
    upper = word.upper()
    if upper not in _GLANCE_STATUSES:
        raise ValueError(
            f'{word!r} is not an image status; choose from {_CHOICES}'
        )
    return upper


class HasID(Protocol):
    """Anything with an ID, such as a server."""

    @property
    def id(self) -> str: ...


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
