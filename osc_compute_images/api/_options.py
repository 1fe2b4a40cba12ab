# SPDX-License-Identifier: Apache-2.0

"""The options of a listing, and the protocol that they implement."""

from collections.abc import Mapping
import dataclasses
from typing import Any
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
        Not the number of images in all: that is ``max_items`` of a listing
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
        check_count('limit', self.limit)

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


#: What some parameters are called in Python, and by Nova, which ignores
#: parameters that it does not know.
_NAMES = {
    'changes_since': 'changes-since',
    'min_disk': 'minDisk',
    'min_ram': 'minRam',
}


def query_of(
    opts: ListOptsBuilder | Mapping[str, str | int] | None,
) -> dict[str, Any]:
    """Return the query parameters that the options of a listing stand for.

    ``limit`` is among them, and never above :data:`MAX_PAGE_SIZE`.

    :raises TypeError: for what are no options
    :raises ValueError: for a limit below 1, or a name that Nova ignores
    """
    query: Any = opts
    if opts is None:
        query = {}
    elif callable(build := getattr(opts, 'to_image_list_query', None)):
        query = build()
    if not isinstance(query, Mapping):
        raise TypeError(
            f'The options of a listing are ListOpts(...) or a mapping of '
            f'query parameters, not {type(query).__name__}; a filter is '
            f'passed as where=...'
        )
    for name in query:
        if name in _NAMES:
            raise ValueError(
                f'The query parameter is {_NAMES[name]!r}, not {name!r}; '
                f"ListOpts has Python's names"
            )
    query = {name: value for name, value in query.items() if value is not None}
    limit = int(query.get('limit', MAX_PAGE_SIZE))
    check_count('limit', limit)
    return {**query, 'limit': min(limit, MAX_PAGE_SIZE)}


def check_count(name: str, count: int | None) -> None:
    """Check a number of things, of which there is at least one.

    :raises TypeError: if it is no int
    :raises ValueError: if it is less than 1
    """
    if count is None:
        return
    if not isinstance(count, int) or isinstance(count, bool):
        raise TypeError(f'{name} must be an int, not {type(count).__name__}')
    if count < 1:
        raise ValueError(f'{name} must be 1 or more, not {count}')
