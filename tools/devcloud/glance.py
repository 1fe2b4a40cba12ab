# SPDX-License-Identifier: Apache-2.0

"""Creating images in Glance, through its API and its database."""

import datetime
from pathlib import Path
import sqlite3
from typing import Any

import images
from rest import Rest

#: The time of the newest image; the others are three hours apart.
_NEWEST = datetime.datetime(2026, 11, 20, 12, 0, 0)

_IMAGE_COLUMNS = (
    'id, name, size, status, visibility, created_at, updated_at, deleted, '
    'owner, min_disk, min_ram, protected, disk_format, container_format, '
    'os_hidden'
)


def make(
    admin: Rest, url: str, image: images.Image, image_id: str, owner: str
) -> None:
    """Make an image in Glance, and upload its data."""
    document: dict[str, Any] = {
        'id': image_id,
        'visibility': image.visibility,
        'owner': owner,
        'min_disk': image.min_disk,
        'min_ram': image.min_ram,
        'protected': image.protected,
        'disk_format': image.disk_format,
        'container_format': image.container_format,
        **image.properties,
    }
    if image.name is not None:
        document['name'] = image.name
    admin('POST', f'{url}/v2/images', document)
    if image.data:
        admin(
            'PUT', f'{url}/v2/images/{image_id}/file', b'\0' * image.data,
            Content_Type='application/octet-stream',
        )  # fmt: skip


def adjust(database: Path, made: dict[str, images.Image]) -> None:
    """Set what no API can set: times, sizes without data, rare statuses.

    :param made: images by ID, the newest first
    """
    with sqlite3.connect(database, timeout=60) as db:
        for number, (image_id, image) in enumerate(made.items()):
            created = _NEWEST - datetime.timedelta(hours=3 * number)
            updated = created + datetime.timedelta(days=number % 9)
            db.execute(
                'UPDATE images SET created_at = ?, updated_at = ?, '
                'status = coalesce(?, status), size = coalesce(?, size) '
                'WHERE id = ?',
                (_time(created), _time(updated), image.status, image.size,
                 image_id),
            )  # fmt: skip
    db.close()


def seed(
    database: Path,
    region: str,
    first: int,
    count: int,
    owners: dict[str, str],
) -> None:
    """Insert any number of images into Glance's database."""
    # Several images share a second, as in a real cloud.
    newest = _NEWEST - datetime.timedelta(days=90)
    _insert(
        database,
        [
            (
                images.image_id(region, number, 'bulk'),
                images.bulk(number, owners),
                newest - datetime.timedelta(seconds=number // 3),
            )
            for number in range(first, first + count)
        ],
    )


def unseed(database: Path, region: str, count: int) -> None:
    """Remove the images of :func:`seed`."""
    _remove(
        database, [images.image_id(region, n, 'bulk') for n in range(count)]
    )


def make_backups(database: Path, region: str, owner: str) -> None:
    """Insert the images of :data:`images.BACKUPS`, as if never changed."""
    remove_backups(database, region)
    now = datetime.datetime.now(datetime.UTC)
    _insert(
        database,
        [
            (
                image_id,
                images.backup(name, owner),
                now - datetime.timedelta(days=days),
            )
            for image_id, (name, days) in zip(
                _backup_ids(region), images.BACKUPS.items(), strict=True
            )
        ],
    )


def remove_backups(database: Path, region: str) -> None:
    """Remove the images of :func:`make_backups`."""
    _remove(database, _backup_ids(region))


def _backup_ids(region: str) -> list[str]:
    return [
        images.image_id(region, number, 'backup')
        for number in range(len(images.BACKUPS))
    ]


def _insert(
    database: Path,
    made: list[tuple[str, images.Image, datetime.datetime]],
) -> None:
    """Insert images into the database, with their IDs and times."""
    rows = [
        (image_id, image.name, image.size, image.status, image.visibility,
         _time(created), _time(created), False, image.owner,
         image.min_disk, image.min_ram, False, 'raw', 'bare', False)
        for image_id, image, created in made
    ]  # fmt: skip
    properties = [
        (image_id, key, value, _time(created), _time(created), False)
        for image_id, image, created in made
        for key, value in image.properties.items()
    ]
    with sqlite3.connect(database, timeout=60) as db:
        db.executemany(
            f'INSERT INTO images ({_IMAGE_COLUMNS}) '
            f'VALUES ({", ".join("?" * 15)})',
            rows,
        )
        db.executemany(
            'INSERT INTO image_properties '
            '(image_id, name, value, created_at, updated_at, deleted) '
            'VALUES (?, ?, ?, ?, ?, ?)',
            properties,
        )
    db.close()


def _remove(database: Path, image_ids: list[str]) -> None:
    ids = [(image_id,) for image_id in image_ids]
    with sqlite3.connect(database, timeout=60) as db:
        db.executemany('DELETE FROM image_properties WHERE image_id = ?', ids)
        db.executemany('DELETE FROM images WHERE id = ?', ids)
    db.close()


def _time(when: datetime.datetime) -> str:
    return when.strftime('%Y-%m-%d %H:%M:%S.000000')
