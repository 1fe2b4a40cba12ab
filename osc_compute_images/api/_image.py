# SPDX-License-Identifier: Apache-2.0

"""The image record."""

from typing import Any

import msgspec


# NOTE: gc=False takes the records out of the garbage collector's rounds.
# What they hold comes from JSON, which cannot form a cycle.
class ServerRef(msgspec.Struct, frozen=True, gc=False):
    """The server that an image was taken from.

    :param id: the server's ID; the server itself may be gone
    """

    id: str


class Image(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An image, as Compute describes it.

    The fields are those of
    https://docs.openstack.org/api-ref/compute/#show-image-details under
    Python's names; links are not kept. Whatever a server leaves out or sends
    as null is None. A listing by :meth:`ImagesAPI.list` fills ``id`` and
    ``name`` only.

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

    id: str
    name: str | None = None
    status: str | None = None
    progress: int | None = None
    min_disk: int | None = msgspec.field(default=None, name='minDisk')
    min_ram: int | None = msgspec.field(default=None, name='minRam')
    created: str | None = None
    updated: str | None = None
    size: int | None = msgspec.field(default=None, name='OS-EXT-IMG-SIZE:size')
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    server: ServerRef | None = None
    disk_config: str | None = msgspec.field(
        default=None, name='OS-DCF:diskConfig'
    )

    @property
    def server_id(self) -> str | None:
        """ID of the server that the image was taken from, or None."""
        return None if self.server is None else self.server.id
