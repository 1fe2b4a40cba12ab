# SPDX-License-Identifier: Apache-2.0

"""A model of a cloud with images that can be changed, over mocked HTTP.

It supports what plans need: lists of images and servers, one image, its
deletion and its properties.
"""

from collections.abc import Callable
import json
import re
from typing import Any
import urllib.parse

import requests_mock

from testbed import nova

_VISIBILITIES = ('public', 'private', 'shared', 'community')

#: Called with the method and path of a request.
Event = Callable[[str, str], None]


class Fleet:
    """Images and servers, and the requests about them.

    :param images: records of Nova
    :param servers: records of Nova
    :ivar visibility: visibility of the images that are not private, by ID
    :ivar before: called before each request takes effect
    :ivar after: called after each request took effect
    :ivar requests: the requests, such as ``GET /images/detail``
    :ivar is_admin: whether the servers of all projects may be listed
    :ivar has_microversions: whether the server knows them
    :ivar highest: the highest microversion
    :ivar max_page: how many entries a page has at most
    :ivar down: IDs of the servers whose cell does not respond
    """

    def __init__(
        self,
        images: list[dict[str, Any]],
        servers: list[dict[str, Any]] | None = None,
    ) -> None:
        self.images = {image['id']: image for image in images}
        self.servers = {server['id']: server for server in servers or []}
        self.visibility: dict[str, str] = {}
        self.before: Event = lambda _method, _path: None
        self.after: Event = lambda _method, _path: None
        self.requests: list[str] = []
        self.is_admin = True
        self.has_microversions = True
        self.highest = (2, 104)
        self.max_page = 1000
        self.down: set[str] = set()
        self._edits = 0

    def serve(
        self, mocker: requests_mock.Mocker, endpoint: str = nova.ENDPOINT
    ) -> 'Fleet':
        """Serve the requests to an endpoint."""
        mocker.register_uri(
            requests_mock.ANY,
            re.compile(re.escape(endpoint) + '/(images|servers|os-services)'),
            text=lambda request, context: self._answer(
                endpoint, request, context
            ),
        )
        return self

    @property
    def writes(self) -> list[str]:
        """The requests that are not GET."""
        return [r for r in self.requests if not r.startswith('GET ')]

    def touch(self, image_id: str) -> None:
        """Update the time of the last change of an image."""
        self._edits += 1
        self.images[image_id]['updated'] = (
            f'2027-01-01T{self._edits // 3600 % 24:02}:'
            f'{self._edits // 60 % 60:02}:{self._edits % 60:02}Z'
        )

    def _answer(self, endpoint: str, request: Any, context: Any) -> str:
        url = urllib.parse.urlsplit(request.url)
        path = request.url.removeprefix(endpoint).partition('?')[0]
        query = dict(urllib.parse.parse_qsl(url.query))
        self.requests.append(f'{request.method} {path}')
        asked = request.headers.get('OpenStack-API-Version')
        number = asked.removeprefix('compute ') if asked else '2.1'
        microversion = tuple(map(int, number.split('.')))
        if not asked or not self.has_microversions:
            microversion = (2, 1)
        elif microversion > self.highest:
            context.status_code = 406
            return json.dumps(_fault(406, 'computeFault', 'Not supported')[1])
        else:
            context.headers['OpenStack-API-Version'] = asked
        self.before(request.method, path)
        status, body = self._effect(
            request, path, query, shows_down=microversion >= (2, 69)
        )
        self.after(request.method, path)
        context.status_code = status
        return '' if body is None else json.dumps(body)

    def _effect(
        self,
        request: Any,
        path: str,
        query: dict[str, str],
        *,
        shows_down: bool,
    ) -> tuple[int, Any]:
        words = [urllib.parse.unquote(w) for w in path.split('/')[1:]]
        answer: tuple[int, Any] | None = None
        if words in (['images'], ['images', 'detail']):
            answer = self._list(query)
        elif words[0] == 'images':
            answer = self._image(request, *words[1:])
        elif request.method == 'GET':
            answer = self._read_servers(words, query, shows_down=shows_down)
        if answer is None:
            raise AssertionError(f'{request.method} {path}')
        return answer

    def _read_servers(
        self, words: list[str], query: dict[str, str], *, shows_down: bool
    ) -> tuple[int, Any] | None:
        match words:
            case ['os-services'] if not self.is_admin:
                return _fault(403, 'forbidden', 'No.')
            case ['os-services']:
                status = 'UNKNOWN' if self.down else 'enabled'
                service = {'host': 'cell1-host', 'status': status}
                return 200, {'services': [service]}
            case ['servers', 'detail'] | ['servers']:
                if 'all_tenants' in query and not self.is_admin:
                    return _fault(403, 'forbidden', 'No.')
                return 200, self._page_of_servers(query, shows_down)
            case ['servers', server_id] if server_id not in self.servers:
                return _fault(404, 'itemNotFound', 'No such server.')
            case ['servers', server_id] if server_id not in self.down:
                return 200, {'server': self.servers[server_id]}
            case ['servers', server_id] if shows_down:
                return 200, {'server': _unread(server_id)}
            case ['servers', _]:
                return _fault(500, 'computeFault', 'The cell is down.')
        return None

    def _page_of_servers(
        self, query: dict[str, str], shows_down: bool
    ) -> dict[str, Any]:
        """Return a page; parameters of paging hide the cells that are down."""
        up = [s for i, s in self.servers.items() if i not in self.down]
        page = _page('servers', up, query, self.max_page)
        listed = page['servers']
        if shows_down and not query.keys() & {'limit', 'marker'}:
            unread = map(_unread, sorted(self.down & self.servers.keys()))
            listed += [*unread][: self.max_page - len(listed)]
        return page

    def _image(
        self, request: Any, image_id: str, *words: str
    ) -> tuple[int, Any] | None:
        if image_id not in self.images:
            return _fault(404, 'itemNotFound', 'Image not found.')
        image = self.images[image_id]
        match request.method, words:
            case 'GET', ():
                return 200, {'image': image}
            case 'DELETE', ():
                if image['metadata'].get('protected_here'):
                    return _fault(
                        403,
                        'forbidden',
                        'You are not allowed to delete the image.',
                    )
                del self.images[image_id]
                return 204, None
            case 'GET', ('metadata',):
                return 200, {'metadata': image['metadata']}
            case 'PUT', ('metadata',):
                image['metadata'] = request.json()['metadata']
                self.touch(image_id)
                return 200, {'metadata': image['metadata']}
            case 'POST', ('metadata',):
                image['metadata'].update(request.json()['metadata'])
                self.touch(image_id)
                return 200, {'metadata': image['metadata']}
            case 'DELETE', ('metadata', key):
                if key not in image['metadata']:
                    return _fault(404, 'itemNotFound', 'Invalid metadata key')
                del image['metadata'][key]
                self.touch(image_id)
                return 204, None
        return None

    def _list(self, query: dict[str, str]) -> tuple[int, Any]:
        wanted = query.get('property-visibility')
        if wanted not in (None, *_VISIBILITIES):
            return _fault(
                400,
                'badRequest',
                f'HTTP 400 Bad Request: Invalid visibility value: {wanted}',
            )
        only = query.get('property-id', '').removeprefix('in:')
        # The newest first, as in Nova.
        listed = sorted(
            self.images.values(), key=lambda i: i['created'], reverse=True
        )
        listed = [
            image
            for image in listed
            if wanted in (None, self.visibility.get(image['id'], 'private'))
            and only in ('', image['id'])
        ]
        return 200, _page('images', listed, query, self.max_page)


def _page(
    name: str, entries: list[Any], query: dict[str, str], most: int
) -> dict[str, Any]:
    ids = [isinstance(e, dict) and e.get('id') for e in entries]
    marker = query.get('marker')
    start = ids.index(marker) + 1 if marker and marker in ids else 0
    limit = min(int(query.get('limit', most)), most)
    page: dict[str, Any] = {name: entries[start : start + limit]}
    if len(page[name]) == limit:
        page[f'{name}_links'] = [{'rel': 'next', 'href': '?limit=1'}]
    return page


def _unread(server_id: str) -> dict[str, Any]:
    return {'id': server_id, 'status': 'UNKNOWN', 'tenant_id': nova.PROJECT}


def _fault(status: int, kind: str, message: str) -> tuple[int, Any]:
    return status, {kind: {'code': status, 'message': message}}


def server(
    server_id: str,
    name: str = '',
    *,
    image: str | None = None,
    status: str = 'ACTIVE',
) -> dict[str, Any]:
    """Return a record of a server."""
    return {
        'id': server_id,
        'name': name,
        'status': status,
        'image': '' if image is None else {'id': image},
        'tenant_id': nova.PROJECT,
        'OS-EXT-STS:task_state': None,
    }


def snapshot(number: int, of: str | None, **fields: Any) -> dict[str, Any]:
    """Return a snapshot of a server."""
    taken: dict[str, Any] = {'metadata': {'image_type': 'snapshot'}}
    if of is not None:
        taken['metadata']['instance_uuid'] = of
        taken['server'] = {'id': of, 'links': []}
    return nova.image(number, **{**taken, **fields})
