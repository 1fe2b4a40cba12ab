# SPDX-License-Identifier: Apache-2.0

"""The canned cloud of the tests, with any number of images, and statistics.

It responds from memory, so that the client is measured. Pages are made before
it is ready, and kept. Beyond :data:`KEPT` pages they are made on request, so
that a million images do not need gigabytes. For each line on stdin it writes
the number of requests since the last line, their CPU time, and the number of
images of a region, as JSON.
"""

import argparse
from collections.abc import Mapping
import contextlib
import json
import sys
import time
from typing import Any
from typing import cast
import urllib.parse
import uuid

from testbed import canned_cloud as canned

#: Maximum page size, the default of Nova and Glance.
PAGE = 1000

#: Number of pages that are kept.
KEPT = 200

NOVA = '/v2.1'
GLANCE = '/image'


class Images:
    """The images of the tests, made on access."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> dict[str, Any]:
        if number >= self._count:
            raise IndexError(number)
        image: dict[str, Any] = canned.image(number)
        return image


def number_of(image_id: str) -> int:
    """Return the position of an image in the list."""
    return uuid.UUID(image_id).int - uuid.UUID(canned.image(0)['id']).int


class Paged:
    """A handler that returns pages.

    :param count: number of images
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pages: dict[tuple[int, int], canned.Response] = {}

    def page(self, request: canned.Request) -> canned.Response:
        """Return the requested page."""
        limit = min(int(request.query.get('limit', PAGE)), PAGE)
        marker = request.query.get('marker')
        start = number_of(marker) + 1 if marker else 0
        response = self._pages.get((start, limit))
        if response is None:
            numbers = range(start, min(start + limit, self.count))
            query = f'limit={limit}'
            if numbers:
                last = canned.image(numbers[-1])['id']
                query = f'{query}&marker={last}'
            response = canned.Response.of(
                self.document(request, numbers, limit, query)
            )
            if len(self._pages) < KEPT:
                self._pages[start, limit] = response
        return response

    def prepare(self, path: str, host: str) -> None:
        """Make the pages in advance."""
        for number in range(0, min(self.count, KEPT * PAGE), PAGE):
            query = {'limit': str(PAGE)}
            if number:
                query['marker'] = canned.image(number - 1)['id']
            self.page(canned.Request('GET', path, query, {'host': host}, b''))

    def document(
        self, request: canned.Request, numbers: range, limit: int, query: str
    ) -> dict[str, Any]:
        """Return the JSON document of a page."""
        raise NotImplementedError


class Nova(Paged):
    """The handler of Nova, with the image records of the tests."""

    def __call__(self, request: canned.Request) -> canned.Response | None:
        path = request.path.rstrip('/')
        if path == f'{NOVA}/images/detail' and 'name' not in request.query:
            return self.page(request)
        if path == NOVA:
            return self._version(request)
        nova = canned.Nova(cast(Any, Images(self.count)), NOVA)
        return nova(request)

    def document(
        self, request: canned.Request, numbers: range, limit: int, query: str
    ) -> dict[str, Any]:
        document: dict[str, Any] = {'images': [*map(canned.image, numbers)]}
        if len(numbers) == limit:
            href = f'http://{request.headers["host"]}{request.path}?{query}'
            document['images_links'] = [{'rel': 'next', 'href': href}]
        return document

    def _version(self, request: canned.Request) -> canned.Response:
        href = f'http://{request.headers["host"]}{NOVA}/'
        version = {
            'id': 'v2.1',
            'status': 'CURRENT',
            'version': '2.96',
            'min_version': '2.1',
            'updated': '2013-07-23T11:33:21Z',
            'links': [{'rel': 'self', 'href': href}],
        }
        return canned.Response.of({'version': version})


class Changing(Nova):
    """The handler of Nova, with images that can be changed and deleted."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._nova = canned.Nova([canned.image(n) for n in range(count)], NOVA)

    def __call__(self, request: canned.Request) -> canned.Response | None:
        path = request.path.rstrip('/')
        if path == f'{NOVA}/servers/detail':
            return canned.Response.of({'servers': []})
        if path == f'{NOVA}/images/detail':
            return self._nova.page(request)
        return super().__call__(request) if path == NOVA else self.one(request)

    def one(self, request: canned.Request) -> canned.Response | None:
        """Return, change or delete an image."""
        response = self._nova(request)
        self.count = len(self._nova.images)
        return response


class Glance(Paged):
    """The handler of Glance, with as many images, in Glance's records."""

    def __call__(self, request: canned.Request) -> canned.Response | None:
        path = request.path.rstrip('/')
        if path == f'{GLANCE}/v2/images':
            return self.page(request)
        if path in (GLANCE, f'{GLANCE}/v2'):
            href = f'http://{request.headers["host"]}{GLANCE}/v2/'
            version = {
                'id': 'v2.15',
                'status': 'CURRENT',
                'links': [{'rel': 'self', 'href': href}],
            }
            return canned.Response.of({'versions': [version]}, 300)
        return None

    def document(
        self, _request: canned.Request, numbers: range, limit: int, query: str
    ) -> dict[str, Any]:
        document: dict[str, Any] = {'images': [*map(of_glance, numbers)]}
        if len(numbers) == limit:
            document['next'] = f'/v2/images?{query}'
        return document


def of_glance(number: int) -> dict[str, Any]:
    """Make an image as Glance describes it."""
    image = canned.image(number)
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


def catalog(regions: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a catalog of Compute and Image.

    :param regions: the URL of the server, by region
    """
    return [
        {
            'type': kind,
            'name': kind,
            'id': kind,
            'endpoints': [
                {
                    'id': f'{region}-{kind}-{interface}',
                    'interface': interface,
                    'region': region,
                    'region_id': region,
                    'url': base + path,
                }
                for region, base in regions.items()
                for interface in ('public', 'internal', 'admin')
            ],
        }
        for kind, path in (('compute', NOVA), ('image', GLANCE))
    ]


def delayed(handler: canned.Handler, seconds: float) -> canned.Handler:
    """Return a handler that delays the responses of another."""

    def answer(request: canned.Request) -> canned.Response | None:
        response = handler(request)
        if response is not None:
            time.sleep(seconds)
        return response

    return answer


def main() -> None:
    """Run a cloud until its standard input is closed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument('--images', type=int, default=1000)
    parser.add_argument('--glance', action='store_true')
    parser.add_argument(
        '--changing', action='store_true', help='its images can be changed'
    )
    parser.add_argument(
        '--regions', type=int, default=1, help='with as many images each'
    )
    parser.add_argument(
        '--delay', type=float, default=0.0, help='seconds, of each page'
    )
    args = parser.parse_args()
    handlers: list[canned.Handler] = []
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(
                canned.Server(lambda r: canned.first_of(*handlers)(r))
            )
            for _ in range(args.regions)
        ]
        host = urllib.parse.urlsplit(servers[0].url).netloc
        regions = {f'Region{n}': s.url for n, s in enumerate(servers, 1)}
        handlers.append(canned.keystone({}, catalog=catalog(regions)))
        images: Nova | Glance
        if args.glance:
            images = Glance(args.images)
            images.prepare(f'{GLANCE}/v2/images', host)
        else:
            images = (Changing if args.changing else Nova)(args.images)
            images.prepare(f'{NOVA}/images/detail', host)
        handlers.append(delayed(images, args.delay) if args.delay else images)
        env = canned.environment(servers[0])
        env['OS_REGION_NAME'] = next(iter(regions))
        print(json.dumps(env), flush=True)
        seen, spent = 0, time.process_time()
        for _line in sys.stdin:
            now = time.process_time()
            count = sum(len(server.requests) for server in servers)
            figures = {
                'requests': count - seen,
                'cpu': now - spent,
                'images': images.count,
            }
            print(json.dumps(figures), flush=True)
            seen, spent = count, now


if __name__ == '__main__':
    main()
