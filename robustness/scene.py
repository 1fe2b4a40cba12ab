# SPDX-License-Identifier: Apache-2.0

"""A cloud on which one thing is wrong, and a server that is not of it."""

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

#: What the server answers that is not of the cloud.
STRANGE = 999_999


@dataclasses.dataclass(frozen=True)
class Api:
    """One of the two APIs that list images.

    :param path: of the listing
    :param unversioned: path of the service
    :param versions: where it tells of its versions
    :param serve: makes what answers, given the number of images
    :param link: makes the part of a page that links to the next one
    """

    path: str
    unversioned: str
    versions: str
    serve: Callable[[int], Handler]
    link: Callable[[str], dict[str, Any]]


NOVA = Api(
    f'{cloud.NOVA}/images/detail',
    '',
    cloud.NOVA,
    cloud.Nova,
    lambda href: {'images_links': [{'rel': 'next', 'href': href}]},
)
GLANCE = Api(
    f'{cloud.GLANCE}/v2/images',
    cloud.GLANCE,
    cloud.GLANCE,
    cloud.Glance,
    lambda href: {'next': href},
)


class Scene:
    """What a fault is made of.

    :param api: the API that is asked
    :param count: how many images there are
    :param page: how many are on a page at most
    :ivar foreign: a server that is not of the cloud; it has another image
    :ivar url: of the service, without a path
    :ivar ids: of the images, in their order
    """

    def __init__(self, api: Api, count: int, page: int) -> None:
        self.api = api
        self.url = ''
        self.ids = [canned_cloud.image(n)['id'] for n in range(count)]
        self.foreign = Server(self._answer_strangely)
        self.cloud: Server
        self._page = page
        self._serve = api.serve(count)

    def right_answer(self, request: Request) -> Response | None:
        """Answer as a cloud does with which nothing is wrong."""
        limit = min(int(request.query.get('limit', self._page)), self._page)
        query = {**request.query, 'limit': str(limit)}
        return self._serve(dataclasses.replace(request, query=query))

    def is_listing(self, request: Request) -> bool:
        """Tell whether images are asked for."""
        return request.path.rstrip('/') == self.api.path

    def pages_asked(self) -> int:
        """Return how often images were asked for."""
        return sum(map(self.is_listing, self.cloud.requests))

    def secret_went_elsewhere(self) -> bool:
        """Tell whether a token went to another host, or by another name."""
        own = urllib.parse.urlsplit(self.cloud.url).netloc
        service = urllib.parse.urlsplit(self.url).netloc
        return any(map(has_secret, self.foreign.requests)) or any(
            has_secret(request)
            for request in self.cloud.requests
            if request.headers['host'] not in (own, service)
        )

    def _answer_strangely(self, request: Request) -> Response | None:
        before = canned_cloud.image(STRANGE - 1)['id']
        query = {'limit': '1000', 'marker': before}
        return self.api.serve(STRANGE + 1)(
            dataclasses.replace(request, query=query)
        )


@contextlib.contextmanager
def stage(
    scene: Scene,
    wrong: Callable[[Scene], Handler],
    tls: ssl.SSLContext | None = None,
    *,
    unversioned: bool = False,
) -> Iterator[Server]:
    """Run the cloud of a scene.

    :param wrong: makes what answers where something is wrong
    :param tls: the service is behind TLS, in a server of its own
    :param unversioned: the catalog has no version in its URLs
    :returns: its Keystone
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
            scene.right_answer,
        ]
        yield server


def _catalog(url: str, *, unversioned: bool) -> Iterator[dict[str, Any]]:
    for service in cloud.catalog({'RegionOne': url}):
        for endpoint in service['endpoints']:
            if unversioned:
                endpoint['url'] = endpoint['url'].removesuffix(cloud.NOVA)
        yield service


Change = Callable[[Response, Request], Response]


def answered(
    scene: Scene,
    change: Change,
    where: Callable[[Request], bool] = canned_cloud.after_the_first_page,
    times: float = float('inf'),
) -> Handler:
    """Make wrong answers of right ones.

    :param where: to which requests for a page
    :param times: how often
    """
    done = 0

    def handler(request: Request) -> Response | None:
        nonlocal done
        if not scene.is_listing(request) or not where(request):
            return None
        right = scene.right_answer(request)
        if right is None or done >= times:
            return right
        done += 1
        return change(right, request)

    return handler


def of_document(change: Callable[[Any], Any]) -> Change:
    """Make a change of a page from one of its document."""

    def of_response(right: Response, _request: Request) -> Response:
        return Response.of(change(json.loads(right.body)))

    return of_response
