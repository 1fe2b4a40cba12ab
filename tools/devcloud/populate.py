# SPDX-License-Identifier: Apache-2.0

"""Filling a new cloud, through its own APIs as far as they go."""

from collections.abc import Callable
from collections.abc import Iterable
import datetime
import json
from pathlib import Path
import sqlite3
from typing import Any
import urllib.error
import urllib.parse
import urllib.request

import images
from install import DevcloudError

#: The time of the newest image; the others are three hours apart.
_NEWEST = datetime.datetime(2026, 11, 20, 12, 0, 0)

_IMAGE_COLUMNS = (
    'id, name, size, status, visibility, created_at, updated_at, deleted, '
    'owner, min_disk, min_ram, protected, disk_format, container_format, '
    'os_hidden'
)


class Rest:
    """Sends requests with a token.

    :param keystone: URL of Keystone, with its version
    """

    def __init__(self, keystone: str, user: str, password: str, project: str):
        self.keystone = keystone
        self.token = ''
        domain = {'id': 'default'}
        identity = {
            'methods': ['password'],
            'password': {
                'user': {'name': user, 'domain': domain, 'password': password}
            },
        }
        scope = {'project': {'name': project, 'domain': domain}}
        self._authenticate({'identity': identity, 'scope': scope})

    def _authenticate(self, auth: dict[str, Any]) -> None:
        headers, body = self._send(
            'POST', f'{self.keystone}/auth/tokens', {'auth': auth}
        )
        self.token = headers['X-Subject-Token']
        self.project_id: str = body['token']['project']['id']

    def __call__(
        self, method: str, url: str, data: object = None, **headers: str
    ) -> Any:
        """Send a request and return the body of the answer."""
        return self._send(method, url, data, **headers)[1]

    def _send(
        self, method: str, url: str, data: object = None, **headers: str
    ) -> tuple[Any, Any]:
        sent = {k.replace('_', '-'): v for k, v in headers.items()}
        if self.token:
            sent['X-Auth-Token'] = self.token
        if data is not None and not isinstance(data, bytes):
            sent.setdefault('Content-Type', 'application/json')
            data = json.dumps(data).encode()
        request = urllib.request.Request(url, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                body = response.read()
                return response.headers, json.loads(body) if body else None
        except urllib.error.HTTPError as e:
            raise DevcloudError(
                f'{method} {url}: {e.code} {e.read().decode()[:500]}'
            ) from e


def make_identities(
    admin: Rest,
    regions: dict[str, dict[str, str]],
    users: dict[str, dict[str, str]],
    service_password: str,
) -> dict[str, str]:
    """Make projects, users and the catalog; return the projects' IDs.

    :param regions: the URL of ``compute`` and ``image`` in each
    """
    v3 = admin.keystone

    def make(kind: str, **fields: object) -> str:
        made = admin('POST', f'{v3}/{kind}s', {kind: fields})[kind]
        return str(made['id'])

    roles = {r['name']: r['id'] for r in admin('GET', f'{v3}/roles')['roles']}
    projects = {'admin': admin.project_id}
    for name in ('demo', 'service'):
        projects[name] = make('project', name=name, domain_id='default')
    service = {
        'password': service_password, 'project': 'service', 'role': 'admin'
    }  # fmt: skip
    services = {name: service for name in ('glance', 'neutron', 'nova')}
    for name, user in {**users, **services}.items():
        if name == 'admin':
            continue
        user_id = make(
            'user', name=name, password=user['password'], domain_id='default'
        )
        admin(
            'PUT',
            f'{v3}/projects/{projects[user["project"]]}/users/{user_id}'
            f'/roles/{roles[user["role"]]}',
        )
    _make_catalog(make, regions)
    return projects


def _make_catalog(
    make: Callable[..., str], regions: dict[str, dict[str, str]]
) -> None:
    # Keystone's own bootstrap has made the first region.
    for region in list(regions)[1:]:
        make('region', id=region)
    for kind, name in (('compute', 'nova'), ('image', 'glance'), ('network', 'neutron'), ('placement', 'placement')):
        service_id = make('service', type=kind, name=name)
        for region, urls in regions.items():
            for interface in ('public', 'internal', 'admin'):
                make(
                    'endpoint', service_id=service_id, region_id=region,
                    interface=interface, url=urls[kind],
                )  # fmt: skip


def make_flavors(
    admin: Rest, compute: str, flavors: Iterable[tuple[str, str, int, int]]
) -> None:
    """Make flavors in one region."""
    for flavor_id, name, ram, disk in flavors:
        flavor = {
            'id': flavor_id, 'name': name, 'ram': ram, 'disk': disk,
            'vcpus': 1,
        }  # fmt: skip
        admin('POST', f'{compute}/flavors', {'flavor': flavor})


def make_servers(
    demo: Rest, compute: str, names: Iterable[str], image_id: str
) -> dict[str, str]:
    """Make servers, which stay in BUILD; return their IDs by name."""
    ids = {}
    for name in names:
        server = {
            'name': name, 'imageRef': image_id, 'flavorRef': '2',
            'networks': 'none',
        }  # fmt: skip
        made = demo(
            'POST', f'{compute}/servers', {'server': server},
            OpenStack_API_Version='compute 2.37',
        )  # fmt: skip
        ids[name] = str(made['server']['id'])
    return ids


def make_image(
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
        'disk_format': 'raw',
        'container_format': 'bare',
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


def adjust_images(database: Path, made: dict[str, images.Image]) -> None:
    """Set what no API sets: times, sizes without data, rare statuses.

    :param made: by ID, the newest first
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
    """Put any number of images straight into Glance's database."""
    rows = []
    properties = []
    for number in range(first, first + count):
        image = images.bulk(number, owners)
        image_id = images.image_id(region, number, 'bulk')
        # Several share a second, as those of a real cloud may.
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
    """Take out again what :func:`seed` has put in."""
    ids = [(images.image_id(region, n, 'bulk'),) for n in range(count)]
    with sqlite3.connect(database, timeout=60) as db:
        db.executemany('DELETE FROM image_properties WHERE image_id = ?', ids)
        db.executemany('DELETE FROM images WHERE id = ?', ids)
    db.close()


def _time(when: datetime.datetime) -> str:
    return when.strftime('%Y-%m-%d %H:%M:%S.000000')
