# SPDX-License-Identifier: Apache-2.0

"""Images to create, in the database of Glance.

It is fast, and no API sets their times and some of their sizes and statuses.
"""

from collections.abc import Collection
from collections.abc import Iterable
import dataclasses
import datetime
from pathlib import Path
from typing import Any
import uuid

from databases import opened

#: The ID of an image is derived from its region and number.
_NAMESPACE = uuid.UUID('5f2f0b57-7d5c-4a5e-9b0e-2d1f7c0c5a11')

MB = 1024**2
GB = 1024**3

#: The time of the newest image of a new cloud.
NEWEST = datetime.datetime(2026, 11, 20, 12, 0, 0)

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
    """An image to create; most fields are columns of Glance's table.

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
    id: str = ''
    created: datetime.datetime = NEWEST
    updated: int = 0

    def at(self, number: int, **fields: Any) -> 'Image':
        """Return it with the times of one by its number, the newest first."""
        created = NEWEST - datetime.timedelta(hours=3 * number)
        times: dict[str, Any] = {'created': created, 'updated': number % 9}
        return dataclasses.replace(self, **times, **fields)

    def row(self) -> dict[str, Any]:
        updated = self.created + datetime.timedelta(days=self.updated)
        return {
            **vars(self),
            'created_at': f'{self.created:%F %T}.000000',
            'updated_at': f'{updated:%F %T}.000000',
        }


_COLUMNS = {*Image('').row()} - {'properties', 'created', 'updated'}


def image_id(region: str, number: int, kind: str = 'base') -> str:
    """Return the ID of an image by its number in a region."""
    return str(uuid.uuid5(_NAMESPACE, f'{region}/{kind}/{number}'))


def distro(name: str, version: str, **more: str) -> dict[str, str]:
    return {'os_distro': name, 'os_version': version, **_X86, **more}


def snapshot(server: str) -> dict[str, str]:
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
    }


def backups(region: str, owner: str) -> list[Image]:
    """Return the images that examples of the documentation change."""
    now = datetime.datetime.now(datetime.UTC)
    return [
        Image(
            name,
            visibility='private',
            owner=owner,
            properties={'image_type': 'snapshot'},
            id=image_id(region, number, 'backup'),
            created=now - datetime.timedelta(days=days),
        )
        for number, (name, days) in enumerate(_BACKUPS.items())
    ]


def bulk(region: str, count: int, owners: dict[str, str]) -> list[Image]:
    return [_bulk(region, number, owners) for number in range(count)]


def _bulk(region: str, number: int, owners: dict[str, str]) -> Image:
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
        id=image_id(region, number, 'bulk'),
        created=NEWEST - age,
    )


def insert(database: Path, made: Iterable[Image]) -> None:
    rows = [image.row() for image in made]
    with opened(database) as db:
        db.executemany(
            f'INSERT INTO images (deleted, os_hidden, {", ".join(_COLUMNS)}) '
            f'VALUES (0, 0, :{", :".join(_COLUMNS)})',
            rows,
        )
        db.executemany(
            'INSERT INTO image_properties '
            '(image_id, name, value, created_at, updated_at, deleted) '
            'VALUES (:id, :key, :value, :created_at, :updated_at, 0)',
            [
                {**row, 'key': key, 'value': value}
                for row in rows
                for key, value in row['properties'].items()
            ],
        )


def replace(
    database: Path, old: Iterable[Image], new: Iterable[Image]
) -> None:
    ids = [(image.id,) for image in old]
    with opened(database) as db:
        db.executemany('DELETE FROM image_properties WHERE image_id = ?', ids)
        db.executemany('DELETE FROM images WHERE id = ?', ids)
    insert(database, new)


def adopt(database: Path, known: Collection[str]) -> None:
    """Give all other images times after those, in the order of their names."""
    with opened(database) as db:
        listed = db.execute('SELECT id, name FROM images ORDER BY name')
        others = [row for row in listed.fetchall() if row[0] not in known]
        db.executemany(
            'UPDATE images SET created_at = :created_at, '
            'updated_at = :updated_at WHERE id = :id',
            [
                Image(name, id=own_id).at(number).row()
                for number, (own_id, name) in enumerate(others, len(known))
            ],
        )
