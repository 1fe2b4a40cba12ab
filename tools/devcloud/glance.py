# SPDX-License-Identifier: Apache-2.0

"""Creating images in the database of Glance.

It is fast, and no API sets their times and some of their sizes and statuses.
"""

from collections.abc import Iterable
import datetime
from pathlib import Path

from databases import opened
from images import Image

_COLUMNS = (
    'id, name, size, status, visibility, created_at, updated_at, deleted, '
    'owner, min_disk, min_ram, protected, disk_format, container_format, '
    'os_hidden'
)


def insert(database: Path, made: dict[str, Image]) -> None:
    """Insert images, by ID."""
    rows = [
        (image_id, image.name, image.size, image.status, image.visibility,
         *_times(image), False, image.owner, image.min_disk, image.min_ram,
         image.protected, image.disk_format, image.container_format, False)
        for image_id, image in made.items()
    ]  # fmt: skip
    properties = [
        (image_id, key, value, *_times(image), False)
        for image_id, image in made.items()
        for key, value in image.properties.items()
    ]
    with opened(database) as db:
        db.executemany(
            f'INSERT INTO images ({_COLUMNS}) VALUES (?{", ?" * 14})', rows
        )
        db.executemany(
            'INSERT INTO image_properties '
            '(image_id, name, value, created_at, updated_at, deleted) '
            'VALUES (?, ?, ?, ?, ?, ?)',
            properties,
        )


def remove(database: Path, image_ids: Iterable[str]) -> None:
    """Remove images from the database."""
    ids = [(image_id,) for image_id in image_ids]
    with opened(database) as db:
        db.executemany('DELETE FROM image_properties WHERE image_id = ?', ids)
        db.executemany('DELETE FROM images WHERE id = ?', ids)


def set_times(database: Path, made: dict[str, Image]) -> None:
    """Set the times of images, by ID."""
    with opened(database) as db:
        db.executemany(
            'UPDATE images SET created_at = ?, updated_at = ? WHERE id = ?',
            [(*_times(image), image_id) for image_id, image in made.items()],
        )


def _times(image: Image) -> tuple[str, str]:
    """Return when an image was created, and updated."""
    updated = image.created + datetime.timedelta(days=image.updated)
    return _time(image.created), _time(updated)


def _time(when: datetime.datetime) -> str:
    return when.strftime('%Y-%m-%d %H:%M:%S.000000')
