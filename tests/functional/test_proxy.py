# SPDX-License-Identifier: Apache-2.0

"""Faults of a proxy before the real Nova, while several pages are listed.

The output must be the images of Glance, each once, in Glance's order.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import gzip
import json
import socket
from typing import Any

import pytest

from testbed import canned_cloud
from testbed.canned_cloud import after_the_first_page
from testbed.canned_cloud import fault
from testbed.canned_cloud import Handler
from testbed.canned_cloud import in_turn
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.forwarding_proxy import ForwardingProxy
from tests.functional.conftest import Cloud
from tests.functional.conftest import Result
from tests.functional.conftest import Shell

LIST = ('compute', 'image', 'list', '-f', 'value', '-c', 'ID')
#: Images per page: there are more than three pages.
PAGE = 20
PAGED = (*LIST, '--limit', str(PAGE), '--max-items', '100000')

TOKEN = 'x-auth-token'


class Behind:
    """The ordinary user's shell, with a proxy before Nova.

    :ivar before: called with each request; it may respond itself
    :ivar after: called with each page; it may change the response
    """

    def __init__(self, nova: str, configured: Callable[..., Shell]) -> None:
        self.before: Handler = lambda _request: None
        self.after: Callable[[Request, Response], None] | None = None
        self.proxy = ForwardingProxy(nova, before=self._answer)
        self.shell = configured(
            compute_endpoint_override=f'{self.proxy.url}/v2.1'
        )

    def _answer(self, request: Request) -> Response | None:
        answer = self.before(request)
        if answer is not None or self.after is None:
            return answer
        response = self.proxy.forward(request)
        if response is not None and request.path.endswith('/images/detail'):
            self.after(request, response)
        return response

    def pages(self) -> list[Request]:
        """Return the requests for a page."""
        return [
            request
            for request in self.proxy.requests
            if request.path == '/v2.1/images/detail'
        ]


@pytest.fixture
def behind(cloud: Cloud, configured) -> Iterator[Behind]:
    """Provide a shell behind a transparent proxy."""
    url = cloud.facts['regions']['RegionOne']['compute_url']
    behind = Behind(url.removesuffix('/v2.1'), configured)
    with behind.proxy:
        yield behind


@pytest.fixture
def ids(glance) -> list[str]:
    """Provide the IDs of all images, as Glance lists them."""
    listed = [image['id'] for image in glance.images()]
    assert len(listed) > 3 * PAGE
    return listed


def once(change: Callable[[Request, Response], None]) -> Any:
    """Change the first response with the second page."""
    changed = []

    def after(request: Request, response: Response) -> None:
        if after_the_first_page(request) and not changed:
            changed.append(True)
            change(request, response)

    return after


def sent_by(send: Callable[[socket.socket, bytes], None]) -> Any:
    def change(_request: Request, response: Response) -> None:
        response.send = send

    return once(change)


def in_chunks(connection: socket.socket, answer: bytes) -> None:
    """Send a response in chunks of an odd size."""
    head, _, body = answer.partition(b'\r\n\r\n')
    lines = [
        line
        for line in head.split(b'\r\n')
        if not line.lower().startswith(b'content-length')
    ]
    # The canned server closes the connection after such a response.
    lines += [b'Transfer-Encoding: chunked', b'Connection: close']
    head = b'\r\n'.join(lines)
    connection.sendall(head + b'\r\n\r\n')
    while body:
        piece, body = body[:997], body[997:]
        connection.sendall(b'%x\r\n%s\r\n' % (len(piece), piece))
    connection.sendall(b'0\r\n\r\n')


def compressed(_request: Request, response: Response) -> None:
    response.body = gzip.compress(response.body)
    response.headers['Content-Encoding'] = 'gzip'


def without_link(_request: Request, response: Response) -> None:
    """Remove the link to the next page, as Nova does above its limit."""
    document = json.loads(response.body)
    document.pop('images_links', None)
    response.body = json.dumps(document).encode()


def test_transparent_proxy(behind, ids):
    assert behind.shell(*PAGED).out.split() == ids
    assert len(behind.pages()) == len(ids) // PAGE + 1


def retried_once(result: Result, ids: list[str]) -> None:
    """Check that a list is complete, and reports one retry."""
    assert (result.code, result.out.split()) == (0, ids)
    assert result.errors() == []
    assert result.err.count('\n') == 1, result.err


@pytest.mark.parametrize(
    'send',
    [canned_cloud.reset, canned_cloud.cut_off, canned_cloud.truncated],
    ids=lambda send: send.__name__,
)
def test_broken_connection_is_retried(behind, ids, send):
    behind.after = sent_by(send)
    retried_once(behind.shell.run(*PAGED), ids)
    markers = [request.query.get('marker') for request in behind.pages()]
    assert markers[1] == markers[2] == ids[PAGE - 1]
    assert len(markers) == len(ids) // PAGE + 2


@pytest.mark.parametrize(
    'answer',
    [
        fault(503, 'serviceUnavailable', 'Not now', Retry_After='0'),
        fault(429, 'overLimit', 'Slower', Retry_After='1'),
        Response(b'<html><title>502 Bad Gateway</title></html>', 502),
        Response(b'<html><title>504 Gateway Time-out</title></html>', 504),
    ],
    ids=lambda answer: str(answer.status),
)
def test_busy_proxy_is_retried(behind, ids, answer):
    behind.before = in_turn(answer, where=after_the_first_page)
    retried_once(behind.shell.run(*PAGED), ids)
    assert len(behind.pages()) == len(ids) // PAGE + 2


@pytest.mark.parametrize(
    'after',
    [compressed, without_link, lambda _r, response: set_chunks(response)],
    ids=['compressed', 'without_link', 'in chunks'],
)
def test_proxy_changes_framing_of_responses(behind, ids, after):
    behind.after = after
    assert behind.shell(*PAGED).out.split() == ids


def set_chunks(response: Response) -> None:
    response.send = in_chunks


def test_permanent_error_says_how_to_resume(behind, ids):
    broken = Response(b'<html><title>502 Bad Gateway</title></html>', 502)
    behind.before = lambda r: broken if len(behind.pages()) > 2 else None
    result = behind.shell.run(*PAGED)
    error = interrupted(result, ids[: 2 * PAGE])
    assert error.startswith('502 Bad Gateway (HTTP 502)') or (
        '502 Bad Gateway' in error
    )
    behind.before = lambda _request: None
    words = error.split()[-2:]
    assert words == ['--marker', ids[2 * PAGE - 1]]
    assert behind.shell(*PAGED, *words).out.split() == ids[2 * PAGE :]


def interrupted(result: Result, printed: list[str]) -> str:
    """Return the error of an interrupted list, which must be one line."""
    assert result.code == 1
    assert result.out.split() == printed
    (line,) = result.errors()
    return line


# --- tokens ---------------------------------------------------------------


def mangle(request: Request) -> None:
    """Make Nova reject a request, as with an expired token."""
    request.headers[TOKEN] = 'gAAAAAB-no-token-of-this-keystone'


def test_token_rejected_while_listing_is_renewed(behind, ids):
    def before(request: Request) -> None:
        token = request.headers[TOKEN]
        if token not in tokens:
            tokens.append(token)
        if after_the_first_page(request) and token == tokens[0]:
            mangle(request)

    tokens: list[str] = []
    behind.before = before
    assert behind.shell(*PAGED).out.split() == ids
    # The proxy records the requests that it forwards.
    mangled = [r for r in behind.pages() if r.headers[TOKEN] not in tokens]
    assert {r.query['marker'] for r in mangled} == {ids[PAGE - 1]}
    assert len(tokens) == 2


def test_token_that_is_always_rejected_is_renewed_once(behind, ids):
    def before(request: Request) -> None:
        if after_the_first_page(request):
            asked.append(request.headers[TOKEN])
            mangle(request)

    asked: list[str] = []
    behind.before = before
    error = interrupted(behind.shell.run(*PAGED), ids[:PAGE])
    assert len(set(asked)) == 2
    assert 'requires authentication. (HTTP 401)' in error or (
        'requires authentication' in error
    )
    assert error.endswith(f'--marker {ids[PAGE - 1]}')


def test_token_is_sent_to_configured_endpoint_only(behind, ids):
    def elsewhere(_request: Request, response: Response) -> None:
        document = json.loads(response.body)
        for link in document.get('images_links', ()):
            link['href'] = link['href'].replace(behind.proxy.url, foreign.url)
        response.body = json.dumps(document).encode()
        links.append(foreign.url in response.body.decode())

    links: list[bool] = []
    behind.after = elsewhere
    with canned_cloud.Server(lambda _request: Response(b'{}')) as foreign:
        assert behind.shell(*PAGED).out.split() == ids
        assert foreign.requests == []
    assert links[0]
    hosts = {request.headers['host'] for request in behind.proxy.requests}
    assert hosts == {f'127.0.0.1:{behind.proxy.port}'}


def test_redirect_is_not_followed(behind, ids):
    with canned_cloud.Server(lambda _request: Response(b'{}')) as foreign:
        redirect = Response(
            status=302, headers={'Location': f'{foreign.url}/v2.1/images'}
        )
        behind.before = in_turn(redirect, where=after_the_first_page)
        error = interrupted(behind.shell.run(*PAGED), ids[:PAGE])
        assert foreign.requests == []
    assert f'redirects to {foreign.url}' in error


# --- images that appear and vanish ----------------------------------------


@dataclasses.dataclass
class Changes:
    """Changes in Glance while a list is read.

    :param mine: images of the user: all of the first pages
    """

    glance: Any
    mine: list[str]
    new: list[str]

    def add(self) -> None:
        self.new.append(self.glance.create(name='came', visibility='private'))

    def remove(self, image_id: str) -> None:
        self.glance.delete(image_id)
        assert self.glance.image(image_id) is None


@pytest.fixture
def changes(glance) -> Iterator[Changes]:
    """Provide images of the user, the newest of all."""
    mine = [
        glance.create(name=f'mine-{n}', visibility='private', data=None)
        for n in range(2 * PAGE)
    ]
    changes = Changes(glance, mine, [])
    yield changes
    for image_id in (*mine, *changes.new):
        glance.delete(image_id)


@contextlib.contextmanager
def changes_after_first_page(
    behind: Behind, *steps: Callable[[], None]
) -> Iterator[None]:
    left = list(steps)

    def before(request: Request) -> None:
        if after_the_first_page(request):
            while left:
                left.pop(0)()

    behind.before = before
    yield
    assert not left


def test_images_created_while_listing_are_not_listed(behind, changes, ids):
    with changes_after_first_page(behind, changes.add, changes.add):
        assert behind.shell(*PAGED).out.split() == ids


def test_images_deleted_while_listing_are_omitted(behind, changes, ids):
    deleted = [ids[0], ids[PAGE // 2], ids[PAGE], ids[2 * PAGE - 1]]
    with changes_after_first_page(
        behind, *(lambda i=i: changes.remove(i) for i in deleted)
    ):
        listed = behind.shell(*PAGED).out.split()
    assert listed == [
        i for n, i in enumerate(ids) if n < PAGE or i not in deleted
    ]


@pytest.mark.parametrize('count', [1, 2, PAGE - 1], ids='last {}'.format)
def test_last_images_of_page_are_deleted(behind, changes, ids, count):
    """Nova rejects a deleted marker."""
    deleted = ids[PAGE - count : PAGE]
    with changes_after_first_page(
        behind,
        changes.add,
        *(lambda i=i: changes.remove(i) for i in deleted),
    ):
        assert behind.shell(*PAGED).out.split() == ids
    refused = [r.query['marker'] for r in behind.pages()[1:]]
    assert refused[0] == deleted[-1]


def test_all_images_of_first_page_are_deleted(behind, changes, ids):
    """The list starts over, and so includes new images."""
    deleted = ids[:PAGE]
    with changes_after_first_page(
        behind,
        *(lambda i=i: changes.remove(i) for i in deleted),
        changes.add,
    ):
        listed = behind.shell(*PAGED).out.split()
    assert listed == [*deleted, *changes.new, *ids[PAGE:]]
    assert listed[PAGE:] == [i['id'] for i in changes.glance.images()]
