# SPDX-License-Identifier: Apache-2.0

"""The query parameters of a listing."""

from collections.abc import Mapping
import dataclasses
from typing import Protocol

# NOTE: documented where it is public.
MAX_PAGE_SIZE = 1000

#: Undocumented query parameters: Glance interprets them as its own filters.
VISIBILITY = 'property-visibility'
CREATED_AT = 'property-created_at'
SIZE_MIN = 'property-size_min'

#: Nova's name of a parameter, by its name in Python. Nova ignores unknown
#: parameters.
NAMES = {
    'changes_since': 'changes-since',
    'min_disk': 'minDisk',
    'min_ram': 'minRam',
    'visibility': VISIBILITY,
}

#: The values of the visibility.
VISIBILITIES = ('private', 'public', 'shared', 'community')


class ListOptsBuilder(Protocol):
    """Anything that returns the query parameters of a listing.

    Implement it to pass parameters that :class:`ListOpts` lacks::

        class OnDisk(typing.NamedTuple):
            bus: str

            def to_image_list_query(self):
                return {'property-hw_disk_bus': self.bus}

        api.list_detail(OnDisk('virtio'))
    """

    def to_image_list_query(self) -> Mapping[str, str | int]:
        """Return the query parameters, not URL-encoded."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class ListOpts:
    """Query parameters, with Nova's own meaning.

    The parameters are those of
    https://docs.openstack.org/api-ref/compute/#list-images. Several of
    Nova's filters do not select what their names suggest; use the functions
    in :mod:`osc_compute_images.api.filters` instead.

    :param changes_since: ISO 8601 time: images updated then or later; a time
        without a zone is UTC
    :param limit: page size, 1 to 1,000; a larger one is sent as 1,000. It
        does not limit the number of images: see ``max_items`` of a listing
    :param marker: ID of the image after which the listing begins
    :param name: exact name; escaped, as Glance interprets the text before a
        colon as an operator
    :param server: ID or URL of the server that the image was taken from
    :param status: Glance's status (``queued``, not SAVING), in any case, or
        several: ``in:queued,saving``
    :param type: exact value of the property ``image_type``, such as
        ``snapshot``
    :param min_disk: exact value of the image's minimum disk (GB)
    :param min_ram: exact value of the image's minimum memory (MB)
    :param visibility: ``public``, ``private``, ``shared`` or ``community``
        (also of other projects), which Compute does not show: no filter can
        check it. It is not documented that Nova filters by it. A listing
        raises :class:`InvalidResponse` if it does not
    :raises ValueError: if the limit is less than 1, or the visibility unknown
    """

    changes_since: str | None = None
    limit: int | None = None
    marker: str | None = None
    name: str | None = None
    server: str | None = None
    status: str | None = None
    type: str | None = None
    min_disk: int | None = None
    min_ram: int | None = None
    visibility: str | None = None

    def __post_init__(self) -> None:
        check_count('limit', self.limit)
        if self.visibility not in (None, *VISIBILITIES):
            raise ValueError(
                f'visibility must be one of {", ".join(VISIBILITIES)}, not '
                f'{self.visibility!r}'
            )

    def to_image_list_query(self) -> dict[str, str | int]:
        """Return the query parameters that are set."""
        fields = dataclasses.asdict(self)
        if ':' in (self.name or ''):
            fields['name'] = f'eq:{self.name}'
        return {
            NAMES.get(field, field): value
            for field, value in fields.items()
            if value is not None
        }


def check_count(name: str, count: int | None) -> None:
    """Check that a count is None or a positive int.

    :raises TypeError: if it is not an int
    :raises ValueError: if it is less than 1
    """
    if count is None:
        return
    if not isinstance(count, int) or isinstance(count, bool):
        raise TypeError(f'{name} must be an int, not {type(count).__name__}')
    if count < 1:
        raise ValueError(f'{name} must be 1 or more, not {count}')
