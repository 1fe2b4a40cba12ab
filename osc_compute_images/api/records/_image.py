# SPDX-License-Identifier: Apache-2.0

"""Images."""

from collections.abc import Mapping
import copy
import datetime
from typing import Annotated
from typing import Any
from typing import TypeAlias
import uuid

import msgspec

from osc_compute_images.api import _limits
from osc_compute_images.api.records import _times
from osc_compute_images.text import printable
from osc_compute_images.text import shortened

ID = Annotated[
    str, msgspec.Meta(min_length=1, max_length=_limits.MAX_ID_LENGTH)
]

#: Maximum characters of a name in a repr.
_MAX_REPR_NAME = 32


# NOTE: gc=False excludes the records from garbage collection. Their values
# come from JSON, and cannot form cycles.
class ServerRef(msgspec.Struct, frozen=True, gc=False):
    """The server that an image was taken from.

    :param id: UUID of the server, which may have been deleted
    """

    id: ID


class UnknownProperties(dict[str, Any]):
    """The properties of an image for which Compute sent no valid ones."""


class Image(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An image, as Compute describes it.

    The fields are those of
    https://docs.openstack.org/api-ref/compute/#show-image-details, without
    links. Missing fields and null are None. Images are immutable, and hashable
    by ID. Their properties are a ``Mapping``: not to be changed, which a type
    checker verifies; change a copy (``{**image.metadata}``).

    :param id: UUID
    :param name: any text, not unique; may be empty or None
    :param status: ACTIVE, SAVING, ERROR, DELETED, UNKNOWN, or a status that a
        later release may add
    :param progress: percent of the upload, 0 to 100
    :param min_disk: minimum disk of a flavor, GB; 0 for none
    :param min_ram: minimum memory of a flavor, MB; 0 for none
    :param created: ISO 8601 time, UTC: ``2026-11-23T16:11:28Z``
    :param updated: likewise, of the last change
    :param size: bytes; 0 until there is data
    :param metadata: the properties; values are strings, except for a few that
        Nova decodes from JSON (``block_device_mapping``). If it was not given,
        the image is not complete
    :param server: the server that the image was taken from
    :param disk_config: AUTO, MANUAL or None
    """

    id: ID
    name: str | None = None
    status: str | None = None
    progress: int | None = None
    min_disk: int | None = msgspec.field(default=None, name='minDisk')
    min_ram: int | None = msgspec.field(default=None, name='minRam')
    created: str | None = None
    updated: str | None = None
    size: int | None = msgspec.field(default=None, name='OS-EXT-IMG-SIZE:size')
    metadata: Mapping[str, Any] = msgspec.field(
        default_factory=UnknownProperties
    )
    server: ServerRef | None = None
    disk_config: str | None = msgspec.field(
        default=None, name='OS-DCF:diskConfig'
    )

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        status = printable(self.status or 'None')
        name = self.name and shortened(self.name, _MAX_REPR_NAME)
        return f'<Image {printable(self.id)} {name!r} {status}>'

    @property
    def state(self) -> str | None:
        """The status in upper case, in which statuses are compared, or None.

        The field ``status`` is as the server sent it.
        """
        return None if self.status is None else self.status.upper()

    @property
    def created_at(self) -> datetime.datetime | None:
        """The time of the creation, or None if it cannot be read."""
        return _times.parse(self.created)

    @property
    def updated_at(self) -> datetime.datetime | None:
        """The time of the last change, or None if it cannot be read."""
        return _times.parse(self.updated)

    @property
    def is_complete(self) -> bool:
        """Whether its properties are known. If not, it may need any image."""
        return not isinstance(self.metadata, UnknownProperties)

    @property
    def server_id(self) -> str | None:
        """ID of the server that the image was taken from, or None."""
        if self.server is not None:
            return self.server.id
        # NOTE: Nova takes the field from this property.
        found = self.metadata.get('instance_uuid')
        return found if found and isinstance(found, str) else None

    @property
    def is_volume_backed(self) -> bool:
        """Whether the image is a snapshot of a volume-backed server.

        It has no data itself: its property ``block_device_mapping`` refers to
        snapshots of the volumes.
        """
        return not self.size and 'block_device_mapping' in self.metadata

    def to_dict(self) -> dict[str, Any]:
        """Return a copy of the fields, as plain types.

        It has ``server_id`` instead of ``server``.
        """
        fields = msgspec.structs.asdict(self)
        del fields['server']
        fields['metadata'] = copy.deepcopy({**self.metadata})
        return {**fields, 'server_id': self.server_id}


class ImageRef(msgspec.Struct, frozen=True, gc=False):
    """The ID and name of an image.

    :param id: UUID
    :param name: any text, not unique; may be empty or None
    """

    id: str
    name: str | None = None

    def __repr__(self) -> str:
        name = self.name and shortened(self.name, _MAX_REPR_NAME)
        return f'<ImageRef {printable(self.id)} {name!r}>'

    def to_dict(self) -> dict[str, Any]:
        """Return the fields."""
        return {'id': self.id, 'name': self.name}


#: Accepted wherever the ID of an image is.
ImageID: TypeAlias = Image | ImageRef | uuid.UUID | str


def id_of(image: ImageID) -> str:
    """Return the ID of an image.

    :raises TypeError: for another type
    """
    if isinstance(image, str | uuid.UUID):
        return str(image)
    if isinstance(image, Image | ImageRef):
        return image.id
    raise TypeError(
        f'image must be an Image, ImageRef, uuid.UUID or str, not '
        f'{type(image).__name__}'
    )
