# SPDX-License-Identifier: Apache-2.0

"""A cloud with one fault, and a foreign server."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import json
import ssl
from typing import Any
import urllib.parse

from benchmarks import cloud
from testbed import canned_cloud
from testbed.canned_cloud import Handler
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.canned_cloud import Server
from testbed.faults import has_secret

#: The number of the image that the foreign server has.
STRANGE = 999_999


@dataclasses.dataclass(frozen=True)
class Api:
    """One of the two APIs that list images.

    :param path: path of the list
    :param unversioned: path of the service
    :param versions: path of the version document
    :param serve: makes the handler for a number of images
    :param link: makes the part of a page that links to the next page
    :param images: path of the images
    :param one: makes the document of an image, given its number
    :param stored: makes the response to a write of metadata
    """

    path: str
    unversioned: str
    versions: str
    serve: Callable[[int], Handler]
    link: Callable[[str], dict[str, Any]]
    images: str
    one: Callable[[int], dict[str, Any]]
    stored: Callable[[dict[str, str]], dict[str, Any]]


NOVA = Api(
    f'{cloud.NOVA}/images/detail',
    '',
    cloud.NOVA,
    cloud.Nova,
    lambda href: {'images_links': [{'rel': 'next', 'href': href}]},
    f'{cloud.NOVA}/images',
    lambda number: {'image': canned_cloud.image(number)},
    lambda metadata: {'metadata': metadata},
)
GLANCE = Api(
    f'{cloud.GLANCE}/v2/images',
    cloud.GLANCE,
    cloud.GLANCE,
    cloud.Glance,
    lambda href: {'next': href},
    f'{cloud.GLANCE}/v2/images',
    cloud.of_glance,
    lambda metadata: {**cloud.of_glance(0), **metadata},
)


class Scene:
    """The servers of one run.

    :param api: the API that the subject uses
    :param count: number of images
    :param page: the largest page
    :ivar foreign: a server that does not belong to the cloud; it has another
        image
    :ivar url: URL of the service, without a path
    :ivar ids: IDs of the images, in their order
    :ivar deleted: IDs of the images that are deleted
    """

    def __init__(self, api: Api, count: int, page: int) -> None:
        self.api = api
        self.url = ''
        self.ids = [canned_cloud.image(n)['id'] for n in range(count)]
        self.deleted: set[str] = set()
        self.foreign = Server(self._foreign_response)
        self.cloud: Server
        self._page = page
        self._serve = api.serve(count)

    def right_response(self, request: Request) -> Response | None:
        """Return the response of a cloud without a fault."""
        limit = min(int(request.query.get('limit', self._page)), self._page)
        query = {**request.query, 'limit': str(limit)}
        return self._serve(dataclasses.replace(request, query=query))

    def is_listing(self, request: Request) -> bool:
        """Return whether a request is for a list of images."""
        return request.path.rstrip('/') == self.api.path

    def image_id(self, path: str) -> str | None:
        """Return the ID of the image of the cloud that has a path."""
        folder, _, image_id = path.rpartition('/')
        known = folder == self.api.images and image_id in self.ids
        return image_id if known else None

    def writes_astray(self, chosen: int) -> list[str]:
        """Return the paths of writes to anything but the selected images.

        :param chosen: how many of the first images are selected
        """
        sent = [
            (self.image_id(request.path), request.path)
            for request in self.cloud.requests
            if request.method != 'GET'
            and not request.path.startswith('/v3/auth/')
        ]
        wrong = [path for each, path in sent if each not in self.ids[:chosen]]
        return wrong + [
            request.path
            for request in self.foreign.requests
            if request.method != 'GET'
        ]

    def pages_asked(self) -> int:
        """Return the number of requests for a list of images."""
        return sum(map(self.is_listing, self.cloud.requests))

    def secret_went_elsewhere(self) -> bool:
        """Return whether a token was sent to another host or host name."""
        own = urllib.parse.urlsplit(self.cloud.url).netloc
        service = urllib.parse.urlsplit(self.url).netloc
        return any(map(has_secret, self.foreign.requests)) or any(
            has_secret(request)
            for request in self.cloud.requests
            if request.headers['host'] not in (own, service)
        )

    def _foreign_response(self, request: Request) -> Response | None:
        if request.method == 'DELETE':
            return Response(status=204)
        before = canned_cloud.image(STRANGE - 1)['id']
        query = {'limit': '1000', 'marker': before}
        response = self.api.serve(STRANGE + 1)(
            dataclasses.replace(request, query=query)
        )
        if response is None:
            return None
        # NOTE: with the name of an image of the cloud, a filter selects it.
        strange, own = (
            canned_cloud.image(n)['name'].encode() for n in (STRANGE, 0)
        )
        return dataclasses.replace(
            response, body=response.body.replace(strange, own)
        )


@contextlib.contextmanager
def stage(
    scene: Scene,
    wrong: Callable[[Scene], Handler],
    tls: ssl.SSLContext | None = None,
    *,
    unversioned: bool = False,
    single: Handler | None = None,
) -> Iterator[Server]:
    """Run the cloud of a scene.

    :param wrong: makes the handler of the requests that go wrong
    :param tls: the service uses TLS, in its own server
    :param unversioned: the catalog has no version in its URLs
    :returns: Keystone's server
    """
    handlers: list[Handler] = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(scene.foreign)
        server = stack.enter_context(
            Server(lambda r: canned_cloud.first_of(*handlers)(r))
        )
        scene.cloud = server
        scene.url = server.url
        if tls is not None:
            behind = Server(lambda r: canned_cloud.first_of(*handlers)(r), tls)
            scene.url = stack.enter_context(behind).url
        handlers += [
            canned_cloud.keystone(
                {}, catalog=list(_catalog(scene.url, unversioned=unversioned))
            ),
            wrong(scene),
            *([] if single is None else [single]),
            scene.right_response,
        ]
        yield server


def _catalog(url: str, *, unversioned: bool) -> Iterator[dict[str, Any]]:
    for service in cloud.catalog({'RegionOne': url}):
        for endpoint in service['endpoints']:
            if unversioned:
                endpoint['url'] = endpoint['url'].removesuffix(cloud.NOVA)
        yield service


Change = Callable[[Response, Request], Response]


def altered(
    scene: Scene,
    change: Change,
    where: Callable[[Request], bool] = canned_cloud.after_the_first_page,
    times: float = float('inf'),
) -> Handler:
    """Return a handler that changes right responses.

    :param where: selects the requests for a page
    :param times: how many responses to change
    """
    done = 0

    def handler(request: Request) -> Response | None:
        nonlocal done
        if not scene.is_listing(request) or not where(request):
            return None
        right = scene.right_response(request)
        if right is None or done >= times:
            return right
        done += 1
        return change(right, request)

    return handler


def of_document(change: Callable[[Any], Any]) -> Change:
    """Return a change of a response that changes its JSON document."""

    def of_response(right: Response, _request: Request) -> Response:
        return Response.of(change(json.loads(right.body)))

    return of_response
