# SPDX-License-Identifier: Apache-2.0

"""Filters by status."""

from collections.abc import Mapping

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
