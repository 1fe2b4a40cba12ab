# SPDX-License-Identifier: Apache-2.0

"""What happens to the real Nova while several pages are listed.

The output must be the images of Glance, each once, in Glance's order.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib

import pytest

from testbed.canned_cloud import after_the_first_page
from testbed.canned_cloud import Handler
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.forwarding_proxy import ForwardingProxy
from tests.functional.conftest import Cloud
from tests.functional.conftest import Shell

LIST = ('compute', 'image', 'list', '-f', 'value', '-c', 'ID')
#: Images per page: there are more than three pages.
PAGE = 20
PAGED = (*LIST, '--limit', str(PAGE), '--max-items', '100000')

TOKEN = 'x-auth-token'


class Behind:
    """The ordinary user's shell, with a proxy before Nova.

    :ivar before: called with each request; it may respond itself
    """

    def __init__(self, nova: str, configured: Callable[..., Shell]) -> None:
        self.before: Handler = lambda _request: None
        self.proxy = ForwardingProxy(nova, before=lambda r: self.before(r))
        self.shell = configured(
            compute_endpoint_override=f'{self.proxy.url}/v2.1'
        )

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


def test_permanent_error_says_how_to_resume(behind, ids):
    broken = Response(b'<html><title>502 Bad Gateway</title></html>', 502)
    behind.before = lambda r: broken if len(behind.pages()) > 2 else None
    result = behind.shell.run(*PAGED)
    assert (result.code, result.out.split()) == (1, ids[: 2 * PAGE])
    (error,) = result.errors()
    assert '502 Bad Gateway' in error
    behind.before = lambda _request: None
    words = error.split()[-2:]
    assert words == ['--marker', ids[2 * PAGE - 1]]
    assert behind.shell(*PAGED, *words).out.split() == ids[2 * PAGE :]


def test_token_rejected_while_listing_is_renewed(behind, ids):
    def before(request: Request) -> None:
        token = request.headers[TOKEN]
        if token not in tokens:
            tokens.append(token)
        if after_the_first_page(request) and token == tokens[0]:
            # Nova rejects this, as an expired token.
            request.headers[TOKEN] = 'gAAAAAB-no-token-of-this-keystone'

    tokens: list[str] = []
    behind.before = before
    assert behind.shell(*PAGED).out.split() == ids
    # The proxy records the requests that it forwards.
    mangled = [r for r in behind.pages() if r.headers[TOKEN] not in tokens]
    assert {r.query['marker'] for r in mangled} == {ids[PAGE - 1]}
    assert len(tokens) == 2


# --- images that appear and vanish ----------------------------------------


@pytest.fixture
def mine(glance, images) -> list[str]:
    """Provide images of the user, the newest of all."""
    return [images(f'mine-{n}', data=None) for n in range(2 * PAGE)]


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


def test_images_created_and_deleted_while_listing(
    behind, glance, images, mine, ids
):
    deleted = [ids[0], ids[PAGE // 2], ids[PAGE], ids[2 * PAGE - 1]]
    with changes_after_first_page(
        behind, images, *(lambda i=i: glance.delete(i) for i in deleted)
    ):
        listed = behind.shell(*PAGED).out.split()
    assert listed == [
        i for n, i in enumerate(ids) if n < PAGE or i not in deleted
    ]


@pytest.mark.parametrize('count', [1, PAGE - 1], ids='last {}'.format)
def test_last_images_of_page_are_deleted(
    behind, glance, images, mine, ids, count
):
    """Nova rejects a deleted marker."""
    deleted = ids[PAGE - count : PAGE]
    with changes_after_first_page(
        behind, images, *(lambda i=i: glance.delete(i) for i in deleted)
    ):
        assert behind.shell(*PAGED).out.split() == ids
    refused = [r.query['marker'] for r in behind.pages()[1:]]
    assert refused[0] == deleted[-1]


def test_all_images_of_first_page_are_deleted(
    behind, glance, images, mine, ids
):
    """The list starts over, and so includes new images."""
    deleted = ids[:PAGE]
    with changes_after_first_page(
        behind, *(lambda i=i: glance.delete(i) for i in deleted), images
    ):
        listed = behind.shell(*PAGED).out.split()
    assert listed[:PAGE] == deleted
    assert listed[PAGE:] == [image['id'] for image in glance.images()]
    assert len(listed) == len(ids) + 1
