# SPDX-License-Identifier: Apache-2.0

"""The records of images."""

from collections.abc import Mapping
from typing import Annotated
from typing import Any
from typing import TypeAlias
import uuid

import msgspec
from msgspec.structs import force_setattr

from osc_compute_images.api import _limits
from osc_compute_images.frozen import freeze_dict
from osc_compute_images.frozen import thaw
from osc_compute_images.text import printable

_ID = Annotated[str, msgspec.Meta(max_length=_limits.MAX_ID_LENGTH)]

#: Characters of a name that the repr of a record shows.
_NAME_SHOWN = 32


# NOTE: gc=False takes the records out of the garbage collector's rounds.
# What they hold comes from JSON, which cannot form a cycle.
class ServerRef(msgspec.Struct, frozen=True, gc=False):
    """The server that an image was taken from.

    :param id: the server's ID; the server itself may be gone
    """

    id: _ID


class Image(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An image, as Compute describes it.

    The fields are those of
    https://docs.openstack.org/api-ref/compute/#show-image-details under
    Python's names; links are not kept. Whatever a server leaves out or sends
    as null is None. An image cannot be changed, nor can its properties; it
    may be put in a set or a dict, where its ID counts.

    :param id: UUID
    :param name: any text, not unique; may be empty or None
    :param status: ACTIVE, SAVING, ERROR, DELETED, UNKNOWN, or a word that a
        later release may add
    :param progress: percent, 0 to 100: of the upload, while SAVING
    :param min_disk: disk that a flavor must have, GB; 0 if any will do
    :param min_ram: memory that a flavor must have, MB; 0 if any will do
    :param created: ISO 8601 time, UTC: ``2026-11-23T16:11:28Z``
    :param updated: likewise, of the last change
    :param size: bytes; 0 as long as there is no data
    :param metadata: the image's own properties; values are strings, save for
        a few that Nova decodes from JSON (``block_device_mapping``)
    :param server: the server that the image is a snapshot of
    :param disk_config: AUTO or MANUAL, where the image says so
    """

    id: _ID
    name: str | None = None
    status: str | None = None
    progress: int | None = None
    min_disk: int | None = msgspec.field(default=None, name='minDisk')
    min_ram: int | None = msgspec.field(default=None, name='minRam')
    created: str | None = None
    updated: str | None = None
    size: int | None = msgspec.field(default=None, name='OS-EXT-IMG-SIZE:size')
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)
    server: ServerRef | None = None
    disk_config: str | None = msgspec.field(
        default=None, name='OS-DCF:diskConfig'
    )

    def __post_init__(self) -> None:
        force_setattr(self, 'metadata', freeze_dict(self.metadata))

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        status = printable(self.status or 'None')
        return f'<Image {printable(self.id)} {_shown(self.name)} {status}>'

    @property
    def server_id(self) -> str | None:
        """ID of the server that the image was taken from, or None."""
        return None if self.server is None else self.server.id

    @property
    def is_volume_backed(self) -> bool:
        """Whether the image is a snapshot of a server on volumes.

        It has no data of its own: its property ``block_device_mapping`` names
        the snapshots of the volumes.
        """
        return not self.size and 'block_device_mapping' in self.metadata

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by their names here, as plain types.

        In the place of ``server`` there is ``server_id``. What is returned is
        a copy.
        """
        fields = {
            name: getattr(self, name)
            for name in self.__struct_fields__
            if name != 'server'
        }
        metadata = thaw(self.metadata)
        return {**fields, 'metadata': metadata, 'server_id': self.server_id}


class ImageRef(msgspec.Struct, frozen=True, gc=False):
    """An image by its ID and name only, as a brief listing has it.

    :param id: UUID
    :param name: any text, not unique; may be empty or None
    """

    id: str
    name: str | None = None

    def __repr__(self) -> str:
        return f'<ImageRef {printable(self.id)} {_shown(self.name)}>'

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by their names."""
        return {'id': self.id, 'name': self.name}


def _shown(name: str | None) -> str:
    # NOTE: repr() escapes what would act on a terminal.
    if name is None or len(name) <= _NAME_SHOWN:
        return repr(name)
    return f'{name[: _NAME_SHOWN - 3]!r}...'


#: What is taken wherever an ID of an image is.
ImageID: TypeAlias = Image | ImageRef | uuid.UUID | str


def id_of(image: ImageID) -> str:
    """Return the ID of what stands for an image.

    :raises TypeError: for anything else
    """
    if isinstance(image, str):
        return image
    if isinstance(image, uuid.UUID):
        return str(image)
    if isinstance(image, Image | ImageRef):
        return image.id
    raise TypeError(
        f'An image is given by its ID, as an Image, ImageRef, uuid.UUID or '
        f'str, not as {type(image).__name__}'
    )
