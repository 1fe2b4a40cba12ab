# SPDX-License-Identifier: Apache-2.0

"""The options of a listing, and the protocol that they implement."""

from collections.abc import Mapping
import dataclasses
from typing import Protocol

#: The largest page that is asked for: Nova's default ``[api] max_limit``.
#: Nova does not cap a larger limit, but then leaves out the link to the next
#: page, so that a listing would end early without a word.
MAX_PAGE_SIZE = 1000


class ListOptsBuilder(Protocol):
    """Anything that can tell the query parameters of a listing.

    Implement it to pass parameters that :class:`ListOpts` does not know::

        class OnDisk(typing.NamedTuple):
            bus: str

            def to_image_list_query(self):
                return {'property-hw_disk_bus': self.bus}

        api.list_detail(OnDisk('virtio'))
    """

    def to_image_list_query(self) -> Mapping[str, str | int]:
        """Return query parameters, not yet URL-encoded, by their names."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class ListOpts:
    """What to ask of the server: its own filters, with its own meaning.

    The parameters are those of
    https://docs.openstack.org/api-ref/compute/#list-images. Several of
    Nova's filters select something else than their names promise; the
    functions in :mod:`osc_compute_images.api.filters` correct that.

    :param changes_since: ISO 8601 time: images updated then or later; a time
        without a zone is UTC
    :param limit: images on a page, 1 to 1,000; a larger one is sent as 1,000.
        Not the number of images in all: cut the iteration for that, with
        :func:`itertools.islice`
    :param marker: ID of the image after which the listing begins
    :param name: exact name; sent so that Glance, behind Nova, does not take
        what stands before a colon for an operator
    :param server: ID or URL of the server that the image was taken from
    :param status: Glance's word for the status (``queued``, not SAVING), in
        any case, or several as ``in:queued,saving``
    :param type: exact value of the property ``image_type``, such as
        ``snapshot``
    :param min_disk: exact value of the image's minimum disk (GB)
    :param min_ram: exact value of the image's minimum memory (MB)
    :raises ValueError: if the limit is less than 1
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

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ValueError(f'limit must be 1 or more, not {self.limit}')

    def to_image_list_query(self) -> dict[str, str | int]:
        """Return the query parameters: only those that are set."""
        name = self.name
        if name is not None and ':' in name:
            name = f'eq:{name}'
        parameters = {
            'changes-since': self.changes_since,
            'limit': self.limit,
            'marker': self.marker,
            'name': name,
            'server': self.server,
            'status': self.status,
            'type': self.type,
            'minDisk': self.min_disk,
            'minRam': self.min_ram,
        }
        return {k: v for k, v in parameters.items() if v is not None}
