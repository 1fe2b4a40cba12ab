# SPDX-License-Identifier: Apache-2.0

"""A Keystone, and the Novas of a world, over mocked HTTP."""

from collections.abc import Callable
import json
import re
from typing import Any
import urllib.parse

import requests_mock

from tests.oracle import world as w
from tests.unit.conftest import set_catalog

_Hook = Callable[[str, str, list[str], dict[str, str]], int | None]
_VERSION = 'X-OpenStack-Nova-API-Version'


class Cloud:
    """Serves a world.

    :ivar before: called before each request, with the method, the name of
        the region, the words of the path and the query; returns the status of
        a fault, or None
    :ivar own_project: regions that refused the first list of all projects
    :ivar listed: regions whose images were listed
    """

    def __init__(self, world: w.World, mocker: requests_mock.Mocker) -> None:
        self.world = world
        self.before: _Hook = lambda *_request: None
        self.own_project: set[str] = set()
        self.listed: set[str] = set()
        self._asked: set[str] = set()
        regions = world.regions.values()
        set_catalog(
            mocker,
            {each.name: f'http://nova-{each.name}/v2.1' for each in regions},
            {each.name: each.image_url for each in regions if each.image_url},
        )
        mocker.register_uri(
            requests_mock.ANY, re.compile('http://nova-'), text=self._answer
        )

    def _answer(self, request: Any, context: Any) -> str:
        url = urllib.parse.urlsplit(request.url)
        query = dict(urllib.parse.parse_qsl(url.query))
        words = [urllib.parse.unquote(x) for x in url.path.split('/')[2:]]
        name = url.netloc.removeprefix('nova-')
        # NOTE: host names are in lower case, as are the names of regions.
        fault = self.before(request.method, name, words, query)
        region = self.world.regions[name]
        if not region.is_up:
            fault = 503
        if fault:
            context.status_code, body = _fault(fault)
        elif words == ['os-services']:
            context.status_code, body = self._services(region)
        elif words[0] == 'servers':
            version = request.headers.get(_VERSION, '2.1')
            context.status_code, body = self._servers(
                region, words[1], query, int(version.split('.')[1])
            )
        else:
            context.status_code, body = self._images(
                region.name, request.method, words[1:], query
            )
        if 'all_tenants' in query and context.status_code != 406:
            if context.status_code == 403 and name not in self._asked:
                self.own_project.add(name)
            self._asked.add(name)
        return '' if body is None else json.dumps(body)

    def sees(self, region: w.Region, server: w.Server) -> bool:
        """Return whether the user sees a server."""
        all_projects = self.world.is_admin
        return server.project == w.OWN or (
            all_projects and region.name not in self.own_project
        )

    def _services(self, region: w.Region) -> tuple[int, Any]:
        if not region.offers_unknown:
            return _fault(406)
        if not self.world.is_admin:
            return _fault(403)
        states = ['enabled', 'enabled' if region.is_cell_up else 'UNKNOWN']
        return 200, {
            'services': [
                {'binary': 'nova-compute', 'host': f'host-{n}', 'status': s}
                for n, s in enumerate(states)
            ]
        }

    def _servers(
        self, region: w.Region, what: str, query: dict[str, str], minor: int
    ) -> tuple[int, Any]:
        if minor >= 69 and not region.offers_unknown:
            return _fault(406)
        if what != 'detail':
            return self._server(region, what, minor)
        if 'all_tenants' in query and not self.world.is_admin:
            return _fault(403)
        entries, unknown = [], []
        for server in region.servers:
            if server.project != w.OWN and 'all_tenants' not in query:
                continue
            if region.reaches(server):
                entries += [(server.id, entry) for entry in server.entries()]
            else:
                unknown.append((server.id, server.unknown()))
        ids = [server_id for server_id, _entry in entries]
        if query.get('marker', '') not in ['', *ids]:
            return _fault(400)
        start = ids.index(query['marker']) + 1 if 'marker' in query else 0
        size = min(region.page, int(query.get('limit', region.page)))
        page = entries[start : start + size]
        if minor >= 69 and not {'marker', 'limit'} & {*query}:
            page += unknown[: size - len(page)]
        body: dict[str, Any] = {'servers': [entry for _id, entry in page]}
        if len(page) == size:
            url = f'http://nova-{region.name}/v2.1/servers/detail'
            link = {'rel': 'next', 'href': f'{url}?marker={page[-1][0]}'}
            body['servers_links'] = [link]
        return 200, body

    def _server(
        self, region: w.Region, server_id: str, minor: int
    ) -> tuple[int, Any]:
        for server in region.servers:
            may = self.world.is_admin or server.project == w.OWN
            if server.id == server_id and may:
                if region.reaches(server):
                    return 200, {'server': server.entries()[0]}
                if minor < 69:
                    return _fault(500)
                return 200, {'server': server.unknown()}
        return _fault(404)

    def _images(
        self, region: str, method: str, words: list[str], query: dict[str, str]
    ) -> tuple[int, Any]:
        images = self.world.images(region)
        what = ''.join(words)
        if what in ('', 'detail'):
            self.listed.add(region)
            listed = sorted(images.values(), key=_newest, reverse=True)
            ids = [image['id'] for image in listed]
            marker = query.get('marker')
            start = ids.index(marker) + 1 if marker in ids else 0
            return 200, {'images': listed[start:]}
        if what not in images:
            return _fault(404)
        if method == 'DELETE':
            del images[what]
            return 204, None
        return 200, {'image': images[what]}


def _newest(image: dict[str, Any]) -> str:
    return image['created'] or ''


def _fault(status: int) -> tuple[int, Any]:
    return status, {'fault': {'code': status, 'message': f'fault {status}'}}
