# SPDX-License-Identifier: Apache-2.0

"""The faults, in the order of the table."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import json
from typing import Any
import urllib.parse

from robustness import deletions
from robustness.scene import altered
from robustness.scene import Change
from robustness.scene import NOVA
from robustness.scene import of_document
from robustness.scene import Scene
from testbed import canned_cloud
from testbed.canned_cloud import after_the_first_page
from testbed.canned_cloud import Handler
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.faults import blank
from testbed.faults import busy
from testbed.faults import compressed
from testbed.faults import DEEP
from testbed.faults import HTML
from testbed.faults import REFUSED


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault of a cloud.

    :param name: as in the table
    :param wrong: makes the handler of the requests that go wrong
    :param images: how many images the cloud has
    :param page: the largest page
    :param limit: the limit to request, if it is not the default
    :param seconds: timeout of a run
    :param tls: the service uses TLS
    :param unversioned: the catalog has no version in its URLs
    :param settings: settings of the cloud in ``clouds.yaml``; only subjects
        that read that file are run
    :param write: the write to request in place of a list: ``delete`` or
        ``set``, which the server never carries out, or ``choice``, the
        deletion of all images but the last, selected by their names
    :param shown: text that must not reach a terminal unescaped; only commands
        are run, on a terminal
    """

    name: str
    wrong: Callable[[Scene], Handler]
    images: int = 6
    page: int = 2
    limit: int | None = None
    seconds: int = 60
    tls: bool = False
    unversioned: bool = False
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    write: str = ''
    shown: str = ''


def first_page(request: Request) -> bool:
    return not after_the_first_page(request)


def any_page(_request: Request) -> bool:
    return True


# -- credentials and paging -----------------------------------------------


def linking(href: Callable[[Scene], str]) -> Callable[[Scene], Handler]:
    """Let the first page link to a URL."""

    def wrong(scene: Scene) -> Handler:
        link = scene.api.link(href(scene))
        change = of_document(lambda page: {**page, **link})
        return altered(scene, change, first_page)

    return wrong


def redirecting(target: Callable[[Scene], str]) -> Callable[[Scene], Handler]:
    """Redirect requests that use the right host name of the service."""

    def wrong(scene: Scene) -> Handler:
        def by_its_name(request: Request) -> bool:
            return not request.headers['host'].startswith('localhost')

        def change(_right: Response, request: Request) -> Response:
            query = urllib.parse.urlencode(request.query)
            location = f'{target(scene)}{scene.api.path}?{query}'
            return Response(status=302, headers={'Location': location})

        return altered(scene, change, by_its_name)

    return wrong


def by_another_name(scene: Scene) -> str:
    return scene.url.replace('127.0.0.1', 'localhost')


def telling_foreign_versions(scene: Scene) -> Handler:
    """Let the version document point to the foreign server."""

    def handler(request: Request) -> Response | None:
        if request.path.rstrip('/') != scene.api.unversioned:
            return None
        right = scene.right_response(
            dataclasses.replace(request, path=scene.api.versions)
        )
        if right is None:
            return None
        own, foreign = (
            url.removeprefix('http://').encode()
            for url in (scene.url, scene.foreign.url)
        )
        return dataclasses.replace(
            right, body=right.body.replace(own, foreign)
        )

    return handler


def without_a_link_above_1000(scene: Scene) -> Handler:
    """Omit the next link above a limit of 1,000, as Nova does."""
    if scene.api is not NOVA:
        return lambda _request: None
    images = [canned_cloud.image(n) for n in range(len(scene.ids))]
    nova = canned_cloud.Nova(images)

    def change(_right: Response, request: Request) -> Response:
        response = nova.page(request)
        if int(request.query.get('limit', 0)) <= 1000:
            return response
        without = of_document(lambda page: {'images': page['images']})
        return without(response, request)

    return altered(scene, change, any_page)


def repeating(marker: int) -> Callable[[Scene], Handler]:
    """Send the first page again, after the image of a marker."""

    def wrong(scene: Scene) -> Handler:
        def change(_right: Response, request: Request) -> Response:
            first = dataclasses.replace(request, query={'limit': '2'})
            return scene.right_response(first) or canned_cloud.not_found()

        def after_it(request: Request) -> bool:
            return bool(request.query.get('marker') == scene.ids[marker])

        return altered(scene, change, after_it)

    return wrong


def overlapping(scene: Scene) -> Handler:
    """Start the second page with the last image of the first page."""

    def change(right: Response, request: Request) -> Response:
        if request.query['marker'] != scene.ids[1]:
            return right
        query = {'limit': '1', 'marker': scene.ids[0]}
        again = dataclasses.replace(request, query=query)
        last = scene.right_response(again)
        images = json.loads(last.body)['images'] if last else []
        return of_document(
            lambda page: {**page, 'images': [*images, *page['images']]}
        )(right, request)

    return altered(scene, change)


def with_an_empty_page(scene: Scene) -> Handler:
    """Send an empty page once, with a link to the page that was requested."""

    def change(*_: object) -> Response:
        href = f'{scene.url}{scene.api.path}?limit=2&marker={scene.ids[1]}'
        return Response.of({'images': [], **scene.api.link(href)})

    return altered(scene, change, times=1)


def with_the_marker_deleted(scene: Scene) -> Handler:
    """Delete the last image of the first page after the page was sent."""
    gone = scene.ids[1]

    def change(right: Response, request: Request) -> Response:
        if request.query['marker'] == gone:
            return canned_cloud.fault(
                400, 'badRequest', f'No image found with ID {gone}'
            )
        return of_document(
            lambda page: {
                **page,
                'images': [i for i in page['images'] if i['id'] != gone],
            }
        )(right, request)

    return altered(scene, change)


# -- faults of the service and the network --------------------------------


def responding(
    response: Response, times: float = float('inf')
) -> Callable[[Scene], Handler]:
    """Send this response for every page except the first."""
    return lambda scene: altered(scene, lambda *_: response, times=times)


def sending(
    send: Callable[[Any, bytes], None], times: float = float('inf')
) -> Callable[[Scene], Handler]:
    """Send every page except the first with this function."""

    def change(right: Response, _request: Request) -> Response:
        return dataclasses.replace(right, send=send)

    return lambda scene: altered(scene, change, times=times)


# -- bodies ---------------------------------------------------------------


def with_body(body: bytes) -> Callable[[Scene], Handler]:
    """Send this body."""
    return changing(lambda *_: Response(body))


def changing(change: Change) -> Callable[[Scene], Handler]:
    """Change each page."""
    return lambda scene: altered(scene, change, any_page)


def with_second_image(change: Callable[[Any], Any]) -> Change:
    """Change the second image of a page."""

    def of_page(page: Any) -> Any:
        page['images'][1] = change(page['images'][1])
        return page

    return of_document(of_page)


def with_second_name(name: bytes) -> Change:
    """Replace the name of the second image, quotes included."""
    second = b'"%s"' % canned_cloud.image(1)['name'].encode()

    def change(right: Response, _request: Request) -> Response:
        return dataclasses.replace(
            right, body=right.body.replace(second, name)
        )

    return change


# -- writes ---------------------------------------------------------------


def responding_to_writes(
    response: Response,
) -> Callable[[Scene], Handler]:
    """Send this response for every write, and change nothing."""

    def handler(request: Request) -> Response | None:
        return None if request.method == 'GET' else response

    return lambda _scene: handler


def storing(metadata: dict[str, str]) -> Callable[[Scene], Handler]:
    """Accept a write, and return this metadata of the first image."""

    def wrong(scene: Scene) -> Handler:
        answer = Response.of(scene.api.stored(metadata))
        return responding_to_writes(answer)(scene)

    return wrong


WELCOME = Response(
    b'<html>Welcome to nginx</html>', 200, {'Content-Type': 'text/html'}
)
CHOICES = Response.of({'choices': []}, 300)
LOGIN = Response(b'', 302, {'Location': '/login'})

#: Sets the title of a terminal window.
ACTING = '\x1b]0;owned\x07'

#: Seconds: longer than the ten minutes after which this plugin gives up.
PATIENT = 660

BOOM = canned_cloud.fault(500, 'computeFault', 'boom')
HTML_502 = Response(HTML, 502, {'Content-Type': 'text/html'})

GROUPS: Mapping[str, Sequence[Fault]] = {
    'Credentials': (
        Fault(
            'next link to another host',
            linking(
                lambda s: (
                    f'{s.foreign.url}{s.api.path}?limit=2&marker={s.ids[1]}'
                )
            ),
        ),
        Fault(
            'redirect to another host', redirecting(lambda s: s.foreign.url)
        ),
        Fault(
            'redirect from https to http',
            redirecting(lambda s: s.foreign.url),
            tls=True,
        ),
        Fault('redirect to ``localhost``', redirecting(by_another_name)),
        Fault(
            'no version in the catalog; the version document points to '
            'another host',
            telling_foreign_versions,
            unversioned=True,
        ),
    ),
    'Paging': (
        Fault(
            'relative next link',
            linking(lambda s: f'?limit=2&marker={s.ids[1]}'),
        ),
        Fault(
            'malformed next link',
            linking(lambda _: 'http://[::1/images?marker=no'),
        ),
        Fault(
            'next link with a wrong path',
            linking(lambda s: f'{s.url}/elsewhere?marker={s.ids[1]}'),
        ),
        Fault(
            'next link without a marker',
            linking(lambda s: f'{s.url}{s.api.path}?limit=2'),
        ),
        Fault(
            '2,000 of 2,500 images requested: Nova sends no next link',
            without_a_link_above_1000,
            images=2500,
            page=1000,
            limit=2000,
        ),
        Fault('first page repeated', repeating(1)),
        Fault('first and second page, alternating', repeating(3)),
        Fault('image on two pages', overlapping),
        Fault('empty page with a next link', with_an_empty_page),
        Fault('marker deleted while listing', with_the_marker_deleted),
    ),
    'While listing': (
        Fault('429, once', responding(busy(429), 1)),
        Fault('429, always', responding(busy(429))),
        Fault('503, once', responding(busy(503), 1)),
        Fault('503, always', responding(busy(503))),
        Fault(
            '500, always',
            responding(BOOM),
        ),
        Fault('502 with HTML, once', responding(HTML_502, 1)),
        Fault('502 with HTML, always', responding(HTML_502)),
        Fault('401, once', responding(REFUSED, 1)),
        Fault('401, always', responding(REFUSED)),
        Fault('reset in mid-body, once', sending(canned_cloud.cut_off, 1)),
        Fault('reset in mid-body, always', sending(canned_cloud.cut_off)),
        Fault('truncated body, once', sending(canned_cloud.truncated, 1)),
        Fault('truncated body, always', sending(canned_cloud.truncated)),
        Fault('no response', sending(canned_cloud.silent), seconds=PATIENT),
        Fault(
            'no response, with ``api_timeout: 5``',
            sending(canned_cloud.silent),
            settings={'api_timeout': 5},
        ),
        Fault(
            'body sent byte by byte',
            sending(canned_cloud.drip),
            seconds=PATIENT,
        ),
        Fault(
            '503, ``Retry-After`` of an hour',
            responding(busy(503, '3600')),
        ),
        Fault(
            '502, once, with ``compute_status_code_retries: 5``',
            responding(HTML_502, 1),
            settings={'compute_status_code_retries': 5},
        ),
        Fault(
            'reset in mid-body, once, with ``compute_connect_retries: 5``',
            sending(canned_cloud.cut_off, 1),
            settings={'compute_connect_retries': 5},
        ),
        Fault('interim response (103) first', sending(canned_cloud.hinted)),
        Fault(
            'partial content (206)',
            responding(Response(b'{"images": []}', 206)),
        ),
        Fault('header without a colon', sending(canned_cloud.without_colon)),
    ),
    'Bodies': tuple(
        dataclasses.replace(fault, page=7)
        for fault in (
            Fault('not JSON', with_body(b'<html>Welcome to nginx</html>')),
            Fault('JSON of another shape', with_body(b'{"images": {"a": 1}}')),
            Fault(
                'the name of one image is a number',
                changing(with_second_name(b'7')),
            ),
            Fault(
                'one image is ``null``',
                changing(with_second_image(lambda _: None)),
            ),
            Fault(
                'invalid UTF-8 in one name',
                changing(with_second_name(b'"\xff"')),
            ),
            Fault(
                f'one name is {DEEP:,} nested lists',
                changing(with_second_name(b'[' * DEEP + b']' * DEEP)),
            ),
            Fault(
                'endless body',
                changing(lambda *_: Response(send=canned_cloud.endless)),
            ),
            Fault(
                '4 GiB of spaces, compressed', changing(lambda *_: blank(4096))
            ),
            Fault(
                '256 KiB of escaped quotes in an unterminated string',
                with_body(b'{"images": "' + b'\\"' * 0x20000),
            ),
            Fault(
                'a name of 40 MB, compressed',
                changing(
                    lambda *_: compressed(
                        b'{"images": [{"name": "',
                        b'a',
                        40_000_000,
                        b'"}]}',
                    )
                ),
            ),
            Fault(
                '10 million numbers in place of images, compressed',
                changing(
                    lambda *_: compressed(
                        b'{"images": [', b'1,', 10_000_000, b'1]}'
                    )
                ),
            ),
            Fault(
                '25 million empty images, compressed',
                changing(
                    lambda *_: compressed(
                        b'{"images": [', b'{},', 25_000_000, b'{}]}'
                    )
                ),
            ),
            Fault(
                '14 IDs of 8 MB each, compressed',
                changing(
                    lambda *_: compressed(
                        b'{"images": [',
                        b'{"id": "' + b'a' * 8_000_000 + b'"},',
                        14,
                        b'{"id": "a"}]}',
                    )
                ),
            ),
        )
    ),
    'Terminals': (
        Fault(
            'escape sequence in a name',
            changing(
                with_second_image(lambda image: {**image, 'name': ACTING})
            ),
            page=7,
            shown=ACTING,
        ),
    ),
    'Writes': tuple(
        Fault(f'{write}: {what}', responding_to_writes(response), write=write)
        for write, what, response in (
            ('delete', '200 with HTML', WELCOME),
            ('delete', '300 with choices', CHOICES),
            ('delete', 'redirect to a login page', LOGIN),
            ('delete', '502 with HTML', HTML_502),
            ('delete', '503', busy(503)),
            (
                'delete',
                'connection closed without a response',
                Response(send=canned_cloud.reset),
            ),
            ('set', '200 with HTML', WELCOME),
            ('set', '300 with choices', CHOICES),
            ('set', '503', busy(503)),
        )
    )
    + (
        Fault('set: accepted, but not stored', storing({}), write='set'),
        Fault(
            'set: accepted, but another value stored',
            storing({'k': 'w'}),
            write='set',
        ),
    ),
    'Deletion by choice': tuple(
        dataclasses.replace(fault, write='choice')
        for fault in (
            Fault('no fault', lambda _scene: lambda _request: None),
            Fault(
                'an ID is ``../servers/1``',
                deletions.listing_ids(lambda _: '../servers/1'),
            ),
            Fault(
                'an ID is the path of a property of another image',
                deletions.listing_ids(lambda s: f'{s.ids[5]}/metadata/k'),
            ),
            Fault('an ID is ``..``', deletions.listing_ids(lambda _: '..')),
            Fault('an ID is empty', deletions.listing_ids(lambda _: '')),
            Fault(
                'an ID is that of an image that is not selected',
                deletions.listing_ids(lambda s: s.ids[5]),
            ),
            Fault(
                'an ID is that ID with a query and a fragment',
                deletions.listing_ids(lambda s: f'{s.ids[5]}?force=1#x'),
            ),
            Fault('an image is renamed after it is listed', deletions.renamed),
            Fault('an image is deleted after it is listed', deletions.gone),
            Fault(
                'the list is redirected to another host',
                redirecting(lambda s: s.foreign.url),
            ),
            Fault(
                'next link of the list to another host',
                linking(
                    lambda s: f'{s.foreign.url}{s.api.path}?marker={s.ids[1]}'
                ),
            ),
            Fault('503 on the second page, always', responding(busy(503))),
            Fault(
                'HTML as the second page',
                responding(Response(HTML)),
            ),
            Fault(
                'second page, one byte at a time, forever',
                sending(canned_cloud.drip),
                seconds=PATIENT,
            ),
            Fault(
                'a deletion: redirect to another image',
                deletions.redirecting(lambda s: f'{s.api.images}/{s.ids[5]}'),
            ),
            Fault(
                'a deletion: redirect to another host',
                deletions.redirecting(
                    lambda s: f'{s.foreign.url}{s.api.images}/{s.ids[1]}'
                ),
            ),
            Fault(
                'a deletion: 403',
                deletions.refusing(
                    canned_cloud.fault(403, 'forbidden', 'Protected')
                ),
            ),
            Fault('a deletion: 500', deletions.refusing(BOOM)),
            Fault('a deletion: 502 with HTML', deletions.refusing(HTML_502)),
            Fault(
                'a deletion: 200 with HTML',
                deletions.refusing(WELCOME),
            ),
            Fault(
                'a deletion: response one byte at a time, forever',
                deletions.refusing(Response(send=canned_cloud.drip)),
                seconds=PATIENT,
            ),
            Fault(
                'a deletion: connection reset after it is done',
                deletions.responding_to_deletions(
                    deletions.losing_the_response
                ),
            ),
        )
    ),
}
