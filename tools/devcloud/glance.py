# SPDX-License-Identifier: Apache-2.0

"""Creating images in Glance, through its API and its database."""

from collections.abc import Iterable
import datetime
from pathlib import Path
from typing import Any

from databases import opened
from images import Image
from rest import Rest

_COLUMNS = (
    'id, name, size, status, visibility, created_at, updated_at, deleted, '
    'owner, min_disk, min_ram, protected, disk_format, container_format, '
    'os_hidden'
)


def make(
    admin: Rest, url: str, image: Image, image_id: str, owner: str
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


def adjust(database: Path, made: dict[str, Image]) -> None:
    """Set what no API can set: times, sizes without data, rare statuses.

    :param made: images by ID, the newest first: they get times in this order
    """
    with opened(database) as db:
        for number, (image_id, image) in enumerate(made.items()):
            created = image.created - datetime.timedelta(hours=3 * number)
            updated = created + datetime.timedelta(days=number % 9)
            db.execute(
                'UPDATE images SET created_at = ?, updated_at = ?, '
                'status = coalesce(?, status), size = coalesce(?, size) '
                'WHERE id = ?',
                (_time(created), _time(updated), image.status, image.size,
                 image_id),
            )  # fmt: skip


def insert(database: Path, made: dict[str, Image]) -> None:
    """Insert images by ID into the database, which is fast."""
    rows = [
        (image_id, image.name, image.size, image.status, image.visibility,
         _time(image.created), _time(image.created), False, image.owner,
         image.min_disk, image.min_ram, False, 'raw', 'bare', False)
        for image_id, image in made.items()
    ]  # fmt: skip
    properties = [
        (image_id, key, value, _time(image.created), False)
        for image_id, image in made.items()
        for key, value in image.properties.items()
    ]
    with opened(database) as db:
        db.executemany(
            f'INSERT INTO images ({_COLUMNS}) VALUES (?{", ?" * 14})', rows
        )
        db.executemany(
            'INSERT INTO image_properties '
            '(image_id, name, value, created_at, deleted) '
            'VALUES (?, ?, ?, ?, ?)',
            properties,
        )


def remove(database: Path, image_ids: Iterable[str]) -> None:
    """Remove images from the database."""
    ids = [(image_id,) for image_id in image_ids]
    with opened(database) as db:
        db.executemany('DELETE FROM image_properties WHERE image_id = ?', ids)
        db.executemany('DELETE FROM images WHERE id = ?', ids)


def _time(when: datetime.datetime) -> str:
    return when.strftime('%Y-%m-%d %H:%M:%S.000000')
