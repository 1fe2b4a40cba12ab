# SPDX-License-Identifier: Apache-2.0

"""The real cloud, and its images in Glance."""

from collections.abc import Iterator
import contextlib
import json
import os
from pathlib import Path
import sqlite3
import subprocess
import sys
from typing import Any
from typing import Self

import openstack

from tests.functional.shell import Shell

#: Whether the release of the cloud is the oldest.
IS_OLDEST = os.environ.get('DEVCLOUD_RELEASE') == 'oldest'

_DEVCLOUD = Path(__file__).parents[2] / 'tools' / 'devcloud'


class Cloud:
    """The real cloud of a process of tests.

    With ``DEVCLOUD_KEEP``, it keeps running between runs of the tests.
    """

    def __init__(self) -> None:
        name = os.environ.get('DEVCLOUD_CLOUD', 'test')
        worker = os.environ.get('PYTEST_XDIST_WORKER')
        name = '-'.join(filter(None, (name, worker)))
        self._command = [sys.executable, str(_DEVCLOUD), '--cloud', name]
        self._keeps = bool(os.environ.get('DEVCLOUD_KEEP'))
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.do('up', *([] if self._keeps else ['--fresh']))
        self.facts = json.loads(self.do('status', '--json'))
        return self

    def __exit__(self, *exc: object) -> None:
        if not self._keeps:
            self.do('down')

    def do(self, *words: str) -> str:
        """Run the tool."""
        return subprocess.run(
            [*self._command, *words],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def clouds(self) -> dict[str, Any]:
        """Return the entries of ``clouds.yaml``, by user."""
        text = Path(self.facts['clouds_yaml']).read_text()
        entries: dict[str, Any] = json.loads(text)['clouds']
        return entries

    def connection(
        self, user: str, region: str = 'RegionOne'
    ) -> openstack.connection.Connection:
        """Connect a user through openstacksdk."""
        config = openstack.config.OpenStackConfig(
            config_files=[self.facts['clouds_yaml']], load_envvars=False
        )
        config.cloud_config['clouds'][user]['region_name'] = region
        return openstack.connection.Connection(config=config.get_one(user))

    def shell(self, user: str, **environment: str) -> Shell:
        """Return a shell of a user, in the first region."""
        return Shell(
            {
                'OS_CLIENT_CONFIG_FILE': self.facts['clouds_yaml'],
                'OS_CLOUD': user,
                **environment,
            }
        )


class Images:
    """Images in Glance, as one user sees them in one region.

    A context that removes those that were made: call it to make one.
    """

    def __init__(
        self, cloud: Cloud, user: str, region: str = 'RegionOne'
    ) -> None:
        self._api = cloud.connection(user, region).image
        self._database = cloud.facts['regions'][region]['glance_db']
        self._made: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for image_id in self._made:
            with opened(self._database) as database:
                database.execute(
                    'UPDATE images SET protected = 0 WHERE id = ?', (image_id,)
                )
            self.delete(image_id)

    def __call__(
        self, name: str = 'life', data: bytes | None = b'data', **fields: Any
    ) -> str:
        """Create an image; return its ID. Without data it is queued."""
        usual = {'disk_format': 'raw', 'container_format': 'bare'}
        image = {'name': name, 'visibility': 'private', **usual, **fields}
        made = self._api.post('/images', json=image)
        assert made.status_code == 201, made.text
        image_id: str = made.json()['id']
        self._made.append(image_id)
        if data is not None:
            done = self._api.put(
                f'/images/{image_id}/file',
                data=data,
                headers={'Content-Type': 'application/octet-stream'},
            )
            assert done.status_code == 204, done.text
        return image_id

    def delete(self, image_id: str) -> None:
        """Delete an image, if it still exists."""
        self._api.delete(f'/images/{image_id}')

    def image(self, image_id: str) -> dict[str, Any] | None:
        """Return the record of an image, or None if there is none."""
        response = self._api.get(f'/images/{image_id}')
        assert response.status_code in (200, 404), response.text
        return response.json() if response.status_code == 200 else None

    def images(self, **query: str) -> list[dict[str, Any]]:
        """Return all images that the user can see, the newest first."""
        found: list[dict[str, Any]] = []
        while True:
            params = {'limit': '1000', **query}
            page = self._api.get('/images', params=params).json()['images']
            found += page
            if len(page) < 1000:
                return found
            query['marker'] = page[-1]['id']

    def rows(self, **query: str) -> list[dict[str, Any]]:
        """Return the expected rows of these images."""
        return [as_shown(image) for image in self.images(**query)]


@contextlib.contextmanager
def opened(path: str) -> Iterator[sqlite3.Connection]:
    """Open a database of the cloud; each statement is committed."""
    with contextlib.closing(
        sqlite3.connect(path, timeout=60, isolation_level=None)
    ) as database:
        yield database


#: Status and progress in Compute, by the status in Glance.
_SHOWN_STATUS = {
    'active': ('ACTIVE', 100),
    'queued': ('SAVING', 25),
    'saving': ('SAVING', 50),
    'killed': ('ERROR', 0),
    'deleted': ('DELETED', 0),
    'pending_delete': ('DELETED', 0),
}

_GLANCE_FIELDS = (
    *('id', 'name', 'status', 'size', 'virtual_size', 'visibility', 'tags'),
    *('created_at', 'updated_at', 'owner', 'min_disk', 'min_ram'),
    *('protected', 'disk_format', 'container_format', 'os_hidden'),
    *('checksum', 'os_hash_algo', 'os_hash_value'),
    *('self', 'file', 'schema', 'locations', 'direct_url', 'stores'),
)


def as_shown(image: dict[str, Any]) -> dict[str, Any]:
    """Return the expected row for an image of Glance.

    It is independent of the tested code.
    """
    status, progress = _SHOWN_STATUS.get(image['status'], ('UNKNOWN', 0))
    properties = {k: v for k, v in image.items() if k not in _GLANCE_FIELDS}
    for key in ('mappings', 'block_device_mapping'):
        if key in properties:
            properties[key] = json.loads(properties[key])
    return {
        'ID': image['id'],
        'Name': image['name'],
        'Status': status,
        'Progress': progress,
        'Server ID': properties.get('instance_uuid'),
        'Min Disk': image['min_disk'],
        'Min RAM': image['min_ram'],
        'Size': image['size'] or 0,
        'Created At': image['created_at'],
        'Updated At': image['updated_at'],
        'Properties': properties,
    }


def ids(rows: list[dict[str, Any]]) -> list[str]:
    """Return the IDs of rows."""
    return [row['ID'] for row in rows]


def told(rows: list[dict[str, Any]], *columns: str) -> dict[str, Any]:
    """Return the columns of rows, by the name of the image."""
    return {row['Name']: tuple(row[c] for c in columns) for row in rows}
