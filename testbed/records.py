# SPDX-License-Identifier: Apache-2.0

"""Records and errors, as a real Nova sends them."""

from collections.abc import Sequence
from typing import Any
import uuid

KEYSTONE = 'http://keystone.example.com'
HOST = 'http://nova.example.com:8774'
ENDPOINT = f'{HOST}/v2.1'
PROJECT = '7f5b3e6f0d1c4bb0a6a3a5c7f6a1b2c3'
TOKEN = 'the-token'

DETAIL = f'{ENDPOINT}/images/detail'


def image_id(number: int) -> str:
    return str(uuid.UUID(int=(0xC0FFEE << 100) + number))


def image(number: int = 0, **fields: Any) -> dict[str, Any]:
    url = f'{ENDPOINT}/images/{image_id(number)}'
    return {
        'id': image_id(number),
        'name': f'cirros-{number}',
        'minRam': 512,
        'minDisk': 1,
        'metadata': {'os_distro': 'cirros'},
        'created': '2026-11-23T16:11:28Z',
        'updated': '2026-11-23T17:12:31Z',
        'status': 'ACTIVE',
        'progress': 100,
        'OS-EXT-IMG-SIZE:size': 21430272,
        'links': [
            {'rel': 'self', 'href': url},
            {'rel': 'bookmark', 'href': url.replace('/v2.1', '')},
        ],
        **fields,
    }


def images(*numbers: int) -> list[dict[str, Any]]:
    return [image(number) for number in numbers]


def snapshot(number: int, of: str | None, **fields: Any) -> dict[str, Any]:
    taken: dict[str, Any] = {'metadata': {'image_type': 'snapshot'}}
    if of is not None:
        taken['metadata']['instance_uuid'] = of
        taken['server'] = {'id': of, 'links': []}
    return image(number, **{**taken, **fields})


def server(
    server_id: str,
    name: str = '',
    *,
    image: str | None = None,
    status: str = 'ACTIVE',
    **fields: Any,
) -> dict[str, Any]:
    return {
        'id': server_id,
        'name': name,
        'status': status,
        'image': '' if image is None else {'id': image},
        'tenant_id': PROJECT,
        'OS-EXT-STS:task_state': None,
        'metadata': {},
        **fields,
    }


def unread(server_id: str, project: str = PROJECT) -> dict[str, Any]:
    """Return what is listed of a server whose cell does not respond."""
    return {'id': server_id, 'status': 'UNKNOWN', 'tenant_id': project}


def page(
    listed: Sequence[Any], next_page: str | None = None, kind: str = 'images'
) -> dict[str, Any]:
    """Return a page of a list, with or without a link to the next page."""
    body: dict[str, Any] = {kind: listed}
    if next_page is not None:
        body[f'{kind}_links'] = [{'rel': 'next', 'href': next_page}]
    return body


def link(marker: str, limit: int = 1000, url: str = DETAIL) -> str:
    """Return Nova's link to the next page."""
    return f'{url}?limit={limit}&marker={marker}'


def fault(status: int, kind: str, message: str) -> dict[str, Any]:
    """Return keyword arguments of requests-mock for an error of Nova."""
    return {
        'status_code': status,
        'json': {kind: {'code': status, 'message': message}},
        'headers': {'X-Openstack-Request-Id': 'req-1'},
    }


NOT_FOUND = fault(404, 'itemNotFound', 'Image not found.')
NO_ROUTE = fault(404, 'itemNotFound', 'The resource could not be found.')
