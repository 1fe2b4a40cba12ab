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
    rows = []
    properties = []
    for number in range(first, first + count):
        image = images.bulk(number, owners)
        image_id = images.image_id(region, number, 'bulk')
        # Several images share a second, as in a real cloud.
        created = _NEWEST - datetime.timedelta(days=90, seconds=number // 3)
        rows.append(
            (image_id, image.name, image.size, image.status, image.visibility,
             _time(created), _time(created), False, image.owner,
             image.min_disk, image.min_ram, False, 'raw', 'bare', False)
        )  # fmt: skip
        properties += [
            (image_id, key, value, _time(created), _time(created), False)
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


def unseed(database: Path, region: str, count: int) -> None:
    """Remove the images of :func:`seed`."""
    ids = [(images.image_id(region, n, 'bulk'),) for n in range(count)]
    with sqlite3.connect(database, timeout=60) as db:
        db.executemany('DELETE FROM image_properties WHERE image_id = ?', ids)
        db.executemany('DELETE FROM images WHERE id = ?', ids)
    db.close()


def _time(when: datetime.datetime) -> str:
    return when.strftime('%Y-%m-%d %H:%M:%S.000000')
