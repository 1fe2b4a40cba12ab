# SPDX-License-Identifier: Apache-2.0

"""Responses of a real Nova, and a model of its paging."""

from typing import Any
import urllib.parse
import uuid

KEYSTONE = 'http://keystone.example.com'
HOST = 'http://nova.example.com:8774'
ENDPOINT = f'{HOST}/v2.1'
PROJECT = '7f5b3e6f0d1c4bb0a6a3a5c7f6a1b2c3'
TOKEN = 'the-token'

DETAIL = f'{ENDPOINT}/images/detail'


def image_id(number: int) -> str:
    """Return the ID of an image."""
    return str(uuid.UUID(int=(0xC0FFEE << 100) + number))


def image(number: int = 0, **fields: Any) -> dict[str, Any]:
    """Return a record of an image."""
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
    """Return records of several images."""
    return [image(number) for number in numbers]


def page(
    listed: list[dict[str, Any]], next_page: str | None = None
) -> dict[str, Any]:
    """Return a page of a list, with or without a link to the next page."""
    body: dict[str, Any] = {'images': listed}
    if next_page is not None:
        body['images_links'] = [{'rel': 'next', 'href': next_page}]
    return body


def link(marker: str, limit: int = 1000) -> str:
    """Return Nova's link to the next page."""
    return f'{DETAIL}?limit={limit}&marker={marker}'


def fault(status: int, kind: str, message: str) -> dict[str, Any]:
    """Return keyword arguments of requests-mock for an error of Nova."""
    return {
        'status_code': status,
        'json': {kind: {'code': status, 'message': message}},
        'headers': {'X-Openstack-Request-Id': 'req-1'},
    }


NOT_FOUND = fault(404, 'itemNotFound', 'Image not found.')
NO_ROUTE = fault(404, 'itemNotFound', 'The resource could not be found.')


class Server:
    """A model of Nova's lists, with marker and limit.

    :param listed: the images, the newest first
    :param admin: whether the marker may be a deleted image
    """

    def __init__(
        self, listed: list[dict[str, Any]], *, admin: bool = False
    ) -> None:
        self.images = list(listed)
        self._admin = admin
        self._deleted: dict[str, int] = {}

    def delete(self, image_id: str) -> None:
        """Delete an image."""
        ids = [i['id'] for i in self.images]
        position = ids.index(image_id)
        del self.images[position]
        for earlier, where in self._deleted.items():
            if where > position:
                self._deleted[earlier] = where - 1
        self._deleted[image_id] = position

    def add(self, new: dict[str, Any]) -> None:
        """Add a new image at the start."""
        self.images.insert(0, new)
        self._deleted = {k: v + 1 for k, v in self._deleted.items()}

    def __call__(self, request: Any, context: Any) -> Any:
        """Return a page, as a callback of requests-mock."""
        query = dict(
            urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query)
        )
        marker = query.get('marker')
        start = 0 if marker is None else self._after(marker)
        if start is None:
            answer = self._refusal(marker)
            context.status_code = answer['status_code']
            return answer['json']
        return self._page(start, int(query['limit']))

    def _after(self, marker: str) -> int | None:
        """Return the position after a marker, or None if it is rejected."""
        ids = [i['id'] for i in self.images]
        if marker in ids:
            return ids.index(marker) + 1
        return self._deleted.get(marker) if self._admin else None

    def _refusal(self, marker: str | None) -> dict[str, Any]:
        return fault(
            400,
            'badRequest',
            f'HTTP 400 Bad Request: No image found with ID {marker}',
        )

    def _page(self, start: int, limit: int) -> dict[str, Any]:
        listed = self.images[start : start + limit]
        full = len(listed) == limit
        return page(
            listed, link(listed[-1]['id'], limit) if full and listed else None
        )
