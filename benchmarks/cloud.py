# SPDX-License-Identifier: Apache-2.0

"""The canned cloud of the tests, with a Glance, and statistics.

It responds from memory, so that the client is measured. Pages are made before
it is ready. For each line on stdin it writes the requests and the bytes of the
responses since the last line, the CPU time that they took, and the number of
images, as JSON.
"""

import argparse
import json
import sys
import time
from typing import Any
import urllib.parse

from testbed import canned_cloud as canned

#: Maximum page size, the default of Nova and Glance.
PAGE = 1000

NOVA = '/v2.1'
GLANCE = '/image'


def versions(request: canned.Request) -> canned.Response | None:
    """Return the version documents of Nova and Glance."""
    path = request.path.rstrip('/')
    link = f'http://{request.headers["host"]}'
    if path == NOVA:
        version = {
            'id': 'v2.1',
            'status': 'CURRENT',
            'version': '2.96',
            'min_version': '2.1',
            'updated': '2013-07-23T11:33:21Z',
            'links': [{'rel': 'self', 'href': f'{link}{NOVA}/'}],
        }
        return canned.Response.of({'version': version})
    if path in (GLANCE, f'{GLANCE}/v2'):
        version = {
            'id': 'v2.15',
            'status': 'CURRENT',
            'links': [{'rel': 'self', 'href': f'{link}{GLANCE}/v2/'}],
        }
        return canned.Response.of({'versions': [version]}, 300)
    return None


class Glance:
    """The handler of Glance's list, with the same images.

    :param images: records of Nova
    """

    def __init__(self, images: list[dict[str, Any]]) -> None:
        self._pages: dict[str, canned.Response] = {}
        marker = ''
        for start in range(0, len(images) + 1, PAGE):
            page = images[start : start + PAGE]
            document: dict[str, Any] = {'images': [*map(of_glance, page)]}
            following = page[-1]['id'] if len(page) == PAGE else ''
            if following:
                query = f'limit={PAGE}&marker={following}'
                document['next'] = f'/v2/images?{query}'
            self._pages[marker] = canned.Response.of(document)
            marker = following

    def __call__(self, request: canned.Request) -> canned.Response | None:
        if request.path != f'{GLANCE}/v2/images':
            return None
        return self._pages.get(request.query.get('marker', ''))


def of_glance(image: dict[str, Any]) -> dict[str, Any]:
    """Return an image as Glance describes it."""
    path = f'/v2/images/{image["id"]}'
    return {
        **image['metadata'],
        'id': image['id'],
        'name': image['name'],
        'status': 'active',
        'visibility': 'public',
        'protected': False,
        'min_ram': image['minRam'],
        'min_disk': image['minDisk'],
        'created_at': image['created'],
        'updated_at': image['updated'],
        'size': 21430272,
        'virtual_size': 117440512,
        'disk_format': 'qcow2',
        'container_format': 'bare',
        'checksum': '0' * 32,
        'os_hash_algo': 'sha512',
        'os_hash_value': '0' * 128,
        'os_hidden': False,
        'owner': canned.PROJECT,
        'tags': [],
        'self': path,
        'file': f'{path}/file',
        'schema': '/v2/schemas/image',
    }


def catalog(url: str) -> list[dict[str, Any]]:
    """Return a catalog of Compute and Image."""
    return [
        {
            'type': kind,
            'name': kind,
            'id': kind,
            'endpoints': [
                {
                    'id': f'{kind}-{interface}',
                    'interface': interface,
                    'region': 'RegionOne',
                    'region_id': 'RegionOne',
                    'url': url + path,
                }
                for interface in ('public', 'internal', 'admin')
            ],
        }
        for kind, path in (('compute', NOVA), ('image', GLANCE))
    ]


def main() -> None:
    """Run a cloud until its standard input is closed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument('--images', type=int, default=1000)
    parser.add_argument('--glance', action='store_true')
    args = parser.parse_args()
    images = [canned.image(number) for number in range(args.images)]
    nova = canned.Nova(images, NOVA)
    handlers: list[canned.Handler] = [versions, nova]
    if args.glance:
        handlers.append(Glance(images))
    with canned.Server(lambda r: canned.first_of(*handlers)(r)) as server:
        nova.prepare(urllib.parse.urlsplit(server.url).netloc)
        handlers.insert(0, canned.keystone({}, catalog=catalog(server.url)))
        print(json.dumps(canned.environment(server)), flush=True)
        requests, sent, spent = 0, 0, time.process_time()
        for _line in sys.stdin:
            now = time.process_time()
            figures = {
                'requests': len(server.requests) - requests,
                'bytes': server.sent - sent,
                'cpu': now - spent,
                'images': len(images),
            }
            print(json.dumps(figures), flush=True)
            requests, sent = len(server.requests), server.sent
            spent = now


if __name__ == '__main__':
    main()
