# SPDX-License-Identifier: Apache-2.0

"""Servers (instances), and their flavors."""

from collections.abc import Mapping
import dataclasses
from typing import Any

from osc_compute_images.api.records import _ids

_KERNELS = ('OS-EXT-SRV-ATTR:kernel_id', 'OS-EXT-SRV-ATTR:ramdisk_id')

#: Statuses in which a server may be stored in one of its snapshots, or may
#: need one of them to start again. Nova does not tell which one.
_UNSETTLED = frozenset({
    '', 'ERROR', 'RESCUE', 'RESIZE', 'REVERT_RESIZE', 'SHELVED',
    'SHELVED_OFFLOADED', 'UNKNOWN', 'VERIFY_RESIZE',
})  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """A server (instance).

    :param id: UUID
    :param name: any text, not unique
    :param status: such as ACTIVE, SHELVED or SHELVED_OFFLOADED; UNKNOWN if its
        cell does not respond
    :param image_id: the image that it was booted from, which may have been
        deleted; None if it was booted from a volume, or if it is unknown
    :param project_id: its project
    :param task_state: its current task, such as ``shelving``, or None
    :param may_use_any_image: whether Compute did not say which image it was
        booted from
    :param metadata: its metadata, not to be changed; empty if it is unknown
    :param kernel_ids: the images of its kernel and ramdisk, which Compute
        shows to administrators only
    """

    id: str
    name: str = ''
    status: str = ''
    image_id: str | None = None
    project_id: str | None = None
    task_state: str | None = None
    may_use_any_image: bool = False
    metadata: Mapping[str, str] = dataclasses.field(
        default_factory=dict, compare=False
    )
    kernel_ids: tuple[str, ...] = ()

    @property
    def may_need_snapshots(self) -> bool:
        """Whether it is, or may be, stored in one of its snapshots.

        That is so while it is shelved, in ERROR, RESCUE or UNKNOWN, while it
        is resized, and while it has a task. What Compute says of a server
        without telling its image is not relied on.
        """
        return self.may_use_any_image or self._is_unsettled

    @property
    def is_volume_backed(self) -> bool:
        """Whether it was booted from a volume."""
        return self.image_id is None and not self.may_use_any_image

    @property
    def _is_unsettled(self) -> bool:
        return self.task_state is not None or self.status.upper() in _UNSETTLED

    @property
    def state(self) -> str:
        """Its task, or else its status."""
        if self.may_use_any_image and not self._is_unsettled:
            return 'not completely listed'
        return self.task_state or self.status or 'in an unknown status'


@dataclasses.dataclass(frozen=True)
class ServerList:
    """The servers that are visible to the user.

    :param servers: all of them, in Nova's order. If Compute listed a server
        twice, it is there twice
    :param all_projects: whether they are those of all projects, as for an
        administrator
    :param missing: what could not be read, a sentence each
    :param shows_down_cells: whether a server of a cell that does not respond
        would have been listed
    """

    servers: tuple[Server, ...]
    all_projects: bool = False
    missing: tuple[str, ...] = ()
    shows_down_cells: bool = True

    @property
    def gaps(self) -> tuple[str, ...]:
        """What is not known of the use of images, a sentence each.

        While there is a gap, any image may be in use.
        """
        unread = [s.id for s in self.servers if s.may_use_any_image]
        if not unread:
            return self.missing
        unknown = (
            f'Compute does not tell which images these servers use, as for a '
            f'cell that is down: {_ids.joined(unread)}'
        )
        return (unknown, *self.missing)


@dataclasses.dataclass(frozen=True)
class Flavor:
    """A flavor.

    :param id: any text, unique
    :param name: any text, unique
    :param ram: memory, MB
    :param disk: disk, GB; 0 if its servers boot from volumes
    """

    id: str
    name: str
    ram: int
    disk: int


def decoded(entry: Any) -> Server | None:
    """Decode the server of a response; return None if it has no ID."""
    if not isinstance(entry, dict) or not _is_id(entry.get('id')):
        return None
    image = entry.get('image')
    image_id = image.get('id') if isinstance(image, dict) else None
    name, status = entry.get('name'), entry.get('status')
    # NOTE: one of another type tells nothing.
    status = status.upper() if isinstance(status, str) else ''
    metadata = entry.get('metadata')
    items = metadata.items() if isinstance(metadata, dict) else ()
    return Server(
        id=str(entry['id']),
        name=str(name) if _is_id(name) else '',
        status=status,
        image_id=str(image_id) if _is_id(image_id) else None,
        project_id=_text(entry.get('tenant_id')),
        task_state=_text(entry.get('OS-EXT-STS:task_state')),
        # NOTE: '' means that it was booted from a volume.
        may_use_any_image=status == 'UNKNOWN'
        or not (image == '' or _is_id(image_id)),
        metadata={k: text for k, text in items if isinstance(text, str)},
        kernel_ids=tuple(str(entry[k]) for k in _KERNELS if entry.get(k)),
    )


def _is_id(value: object) -> bool:
    return bool(value) and type(value) in (str, int)


def _text(value: object) -> str | None:
    return None if value is None or value == '' else str(value)
