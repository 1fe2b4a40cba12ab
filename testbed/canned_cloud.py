# SPDX-License-Identifier: Apache-2.0

"""The fake cloud over sockets: a Keystone, and the images of Nova.

It replaces a real cloud where a test needs fast responses, many regions, or
faults.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import json
import pathlib
from typing import Any

from keystoneauth1 import fixture

from testbed import nova
from testbed.keystone import token
from testbed.sockets import fault as fault
from testbed.sockets import first_of as first_of
from testbed.sockets import Handler as Handler
from testbed.sockets import in_turn as in_turn
from testbed.sockets import Request as Request
from testbed.sockets import Response as Response
from testbed.sockets import Server as Server

TOKEN = 'gAAAAAB-the-secret-token'
PASSWORD = 'the-secret-password'
PROJECT = nova.PROJECT
_PATH = '/v2.1'


def keystone(
    regions: dict[str, str],
    images: dict[str, str] | None = None,
    **fields: Any,
) -> Handler:
    """Return the handler of Keystone, with Compute in some regions.

    :param regions: the URL of Compute, by region
    :param images: the URL of Image, by region
    :param fields: of the token
    """
    body = token(regions, images, **fields)

    def handler(request: Request) -> Response | None:
        match request.method, request.path.rstrip('/'):
            case 'GET', '/v3':
                url = f'http://{request.headers["host"]}/v3/'
                return Response.of({'version': fixture.V3Discovery(url)})
            case 'POST', '/v3/auth/tokens':
                if PASSWORD.encode() in request.body:
                    return Response.of(body, 201, X_Subject_Token=TOKEN)
                text = 'The request you have made requires authentication.'
                return fault(401, 'error', text)
        return None

    return handler


def image(number: int, **fields: Any) -> dict[str, Any]:
    url = f'http://127.0.0.1:8774/v2.1/images/{nova.image_id(number)}'
    varied: dict[str, Any] = {
        'name': f'cirros-0.6.2-{number:06}',
        'minRam': (0, 512, 2048)[number % 3],
        'minDisk': (0, 1, 20)[number % 3],
        'metadata': {
            'os_distro': 'cirros',
            'os_version': '0.6.2',
            'architecture': 'x86_64',
            'hw_disk_bus': 'virtio',
        },
        'created': f'2026-11-{23 - number % 20:02}T16:11:28Z',
        'links': [
            {'rel': rel, 'href': url}
            for rel in ('self', 'bookmark', 'alternate')
        ],
    }
    return nova.image(number, **varied | fields)


class Nova(nova.Nova):
    """The handler of a Nova without servers. Lists are made once.

    :param images: the images, the newest first
    """

    def __init__(self, images: Iterable[dict[str, Any]]) -> None:
        super().__init__(images)
        self.has_microversions = False
        self._pages: dict[str, Response] = {}

    def __call__(self, request: Request) -> Response | None:
        path = request.path
        if not path.startswith(f'{_PATH}/'):
            return None
        is_list = request.method == 'GET' and path.endswith('/detail')
        key = f'{path} {sorted(request.query.items())}'
        if is_list and key in self._pages:
            return self._pages[key]
        self.endpoint = f'http://{request.headers["host"]}{_PATH}'
        answer = self.answer(
            request.method,
            path.removeprefix(_PATH),
            request.query,
            request.body,
            request.headers.get('openstack-api-version'),
        )
        if answer is None:
            return None
        response = Response.answering(answer)
        if is_list:
            self._pages[key] = response
        elif request.method != 'GET':
            self._pages.clear()
        return response

    def prepare(self, host: str, limit: int = 1000) -> None:
        """Make the pages of a list in advance."""
        url = f'?limit={limit}'
        while url:
            query = nova.query_of(url)
            path = f'{_PATH}/images/detail'
            page = self(Request('GET', path, query, {'host': host}, b''))
            assert page is not None
            links = json.loads(page.body).get('images_links')
            url = links[0]['href'] if links else ''


@contextlib.contextmanager
def canned_cloud(
    nova: Handler, path: str = _PATH, *before: Handler
) -> Iterator[Server]:
    """Run a cloud with one region, ``RegionOne``, on one port.

    :param nova: the handler of Compute
    :param path: the path of Compute in the catalog
    :param before: handlers that are called first
    """
    handlers: list[Handler] = []
    with Server(
        lambda request: first_of(*before, *handlers)(request)
    ) as server:
        handlers += [keystone({'RegionOne': server.url + path}), nova]
        yield server


def _auth(server: Server) -> dict[str, str]:
    return {
        'auth_url': f'{server.url}/v3',
        'username': 'demo',
        'password': PASSWORD,
        'project_name': 'demo',
        'user_domain_name': 'Default',
        'project_domain_name': 'Default',
    }


_MORE = {'region_name': 'RegionOne', 'identity_api_version': '3'}


def environment(server: Server) -> dict[str, str]:
    """Return the OS_* variables of a user of the cloud."""
    return {f'OS_{k.upper()}': v for k, v in (_auth(server) | _MORE).items()}


def configuration(
    server: Server, folder: pathlib.Path, **settings: Any
) -> dict[str, str]:
    """Write a ``clouds.yaml`` of a user of the cloud.

    :param settings: additional settings of the cloud
    :returns: the OS_* variables that select it
    """
    cloud = {'auth': _auth(server), **_MORE, **settings}
    file = folder / 'clouds.yaml'
    # JSON is YAML.
    file.write_text(json.dumps({'clouds': {'canned': cloud}}))
    return {'OS_CLIENT_CONFIG_FILE': str(file), 'OS_CLOUD': 'canned'}
