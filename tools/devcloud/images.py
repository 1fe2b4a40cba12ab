# SPDX-License-Identifier: Apache-2.0

"""Descriptions of images and servers to create."""

from collections.abc import Iterable
import dataclasses
import datetime
import uuid

#: The ID of an image is derived from its region and number.
_NAMESPACE = uuid.UUID('5f2f0b57-7d5c-4a5e-9b0e-2d1f7c0c5a11')

MB = 1024**2
GB = 1024**3

#: The time of the newest image of a new cloud.
NEWEST = datetime.datetime(2026, 11, 20, 12, 0, 0)

#: A server that no longer exists.
GONE = 'd0e5a1b2-0000-4000-8000-00000000dead'

#: Images that examples of the documentation change, with their age in days.
_BACKUPS = {
    'backup-1': 40,
    'backup-2': 35,
    'backup-3': 2,
    'backup of web-1': 50,
}

_X86 = {'architecture': 'x86_64', 'hw_disk_bus': 'virtio'}


@dataclasses.dataclass
class Image:
    """An image to create.

    :param status: Glance's status
    :param size: bytes
    :param created: when it was created
    :param updated: how many days later it was changed
    """

    name: str | None
    visibility: str = 'public'
    owner: str = 'admin'
    min_disk: int = 0
    min_ram: int = 0
    status: str = 'active'
    size: int | None = 4096
    protected: bool = False
    disk_format: str = 'raw'
    container_format: str = 'bare'
    properties: dict[str, str] = dataclasses.field(default_factory=dict)
    id: str | None = None
    created: datetime.datetime = NEWEST
    updated: int = 0

    def at(self, number: int) -> 'Image':
        """Return it with the times of one by its number, the newest first."""
        created = NEWEST - datetime.timedelta(hours=3 * number)
        return dataclasses.replace(self, created=created, updated=number % 9)


@dataclasses.dataclass(frozen=True)
class Server:
    """A server to create.

    :param image: name of the image that it boots from
    :param fate: its final state: empty, ``shelved``, ``offloaded``,
        ``deleted`` (its snapshot is kept), ``image deleted``, or ``volume``:
        it looks as if it had been booted from a volume
    """

    name: str
    image: str
    fate: str = ''
    project: str = 'demo'


def image_id(region: str, number: int, kind: str = 'base') -> str:
    """Return the ID of an image by its number in a region."""
    return str(uuid.uuid5(_NAMESPACE, f'{region}/{kind}/{number}'))


def distro(name: str, version: str, **more: str) -> dict[str, str]:
    """Return the properties of an image of a distribution."""
    return {'os_distro': name, 'os_version': version, **_X86, **more}


def snapshot(server: str, **more: str) -> dict[str, str]:
    """Return the properties of an invented snapshot.

    :param server: ID of the server
    """
    return {
        'image_type': 'snapshot',
        'instance_uuid': server,
        'base_image_ref': image_id('RegionOne', 0),
        'boot_roles': 'member,reader',
        'owner_project_name': 'demo',
        'owner_user_name': 'demo',
        'image_location': 'snapshot',
        'image_state': 'available',
        **_X86,
        **more,
    }


def backups(region: str, owner: str) -> dict[str, Image]:
    """Return the images that examples of the documentation change, by ID."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        image_id(region, number, 'backup'): Image(
            name,
            visibility='private',
            owner=owner,
            properties={'image_type': 'snapshot'},
            created=now - datetime.timedelta(days=days),
        )
        for number, (name, days) in enumerate(_BACKUPS.items())
    }


def bulk(
    region: str, numbers: Iterable[int], owners: dict[str, str]
) -> dict[str, Image]:
    """Return any number of additional images by ID."""
    return {image_id(region, n, 'bulk'): _bulk(n, owners) for n in numbers}


def _bulk(number: int, owners: dict[str, str]) -> Image:
    distros = ('cirros', 'ubuntu', 'debian', 'fedora', 'rocky')
    versions = ('0.6.2', '24.04', '12', '40', '9')
    name, version = distros[number % 5], versions[number % 5]
    properties = distro(name, version, build=str(number))
    if number % 7 == 3:
        properties = snapshot(str(uuid.UUID(int=number // 70 + 1)))
    # Several images share a second, as in a real cloud.
    age = datetime.timedelta(days=90, seconds=number // 3)
    return Image(
        f'{name}-{version}-{number:05}',
        visibility='public' if number % 3 else 'private',
        owner=owners[('admin', 'demo')[number % 2]],
        min_disk=(0, 1, 5, 20)[number % 4],
        min_ram=(0, 512, 1024)[number % 3],
        status='active' if number % 11 else 'queued',
        size=10 * MB + number if number % 11 else None,
        properties=properties,
        created=NEWEST - age,
    )
