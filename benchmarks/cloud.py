# SPDX-License-Identifier: Apache-2.0

"""The canned cloud of the tests, with a Glance, and statistics.

It responds from memory, so that the client is measured: the pages of Nova are
made before it is ready. For each line on stdin it writes the requests and the
bytes of the responses since the last line, and the number of images, as JSON.
"""

import functools
import json
import sys
from typing import Any

from keystoneauth1 import fixture

from testbed import canned_cloud as canned

#: Maximum page size, the default of Nova and Glance.
PAGE = 1000

#: How many images were created in 2020.
FEW_OLD = 50

NOVA = '/v2.1'
GLANCE = '/image'


def versions(request: canned.Request) -> canned.Response | None:
    path = request.path.rstrip('/')
    link = f'http://{request.headers["host"]}'
    found = fixture.DiscoveryList(v2=False, v3=False)
    if path == NOVA:
        found.add_nova_microversion(
            f'{link}{NOVA}/', 'v2.1', min_version='2.1', version='2.96',
            status='CURRENT',
        )  # fmt: skip
        return canned.Response.of({'version': found.versions[0]})
    if path in (GLANCE, f'{GLANCE}/v2'):
        url = f'{link}{GLANCE}/v2/'
        found.add_microversion(url, 'v2.15', status='CURRENT')
        return canned.Response.of({'versions': found.versions}, 300)
    return None


def glance(nova: canned.Nova) -> canned.Handler:
    """Return the handler of Glance's list, with the images of a Nova."""

    @functools.cache
    def pages(**query: str) -> canned.Response:
        answer = nova.answer('GET', '/images/detail', query)
        assert answer is not None
        page = answer['json']['images']
        document: dict[str, Any] = {'images': [*map(of_glance, page)]}
        if 'images_links' in answer['json']:
            more = f'limit={PAGE}&marker={page[-1]["id"]}'
            document['next'] = f'/v2/images?{more}'
        return canned.Response.of(document)

    return lambda request: (
        pages(**request.query)
        if request.path == f'{GLANCE}/v2/images'
        else None
    )


def of_glance(image: dict[str, Any]) -> dict[str, Any]:
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


def listed(count: int) -> list[dict[str, Any]]:
    """Return images, the newest first; the last few are years older."""
    made = [canned.image(n) for n in range(count)]
    for image in made[1:][-FEW_OLD:]:
        image['created'] = '2020-01-01T00:00:00Z'
    return made


def main() -> None:
    """Run a cloud until its standard input is closed."""
    nova = canned.Nova(listed(int(sys.argv[1])))
    handlers: list[canned.Handler] = [versions, nova, glance(nova)]
    with canned.Server(lambda r: canned.first_of(*handlers)(r)) as server:
        nova.prepare(f'127.0.0.1:{server.port}')
        regions = {'RegionOne': server.url + NOVA}
        images = {'RegionOne': server.url + GLANCE}
        handlers.insert(0, canned.keystone(regions, images=images))
        print(json.dumps(canned.environment(server)), flush=True)
        requests, sent = 0, 0
        for _line in sys.stdin:
            figures = {
                'requests': len(server.requests) - requests,
                'bytes': server.sent - sent,
                'images': len(nova.images),
            }
            print(json.dumps(figures), flush=True)
            requests, sent = len(server.requests), server.sent


if __name__ == '__main__':
    main()
