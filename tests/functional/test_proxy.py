# SPDX-License-Identifier: Apache-2.0

"""What happens to the real Nova while several pages are listed.

The output must be the images of Glance, each once, in Glance's order.
"""

from collections.abc import Callable
from collections.abc import Iterator

import pytest

from testbed.canned_cloud import after_the_first_page
from testbed.canned_cloud import Request
from testbed.forwarding_proxy import ForwardingProxy
from tests.functional.real import Cloud
from tests.functional.shell import Shell

#: Images per page: there are more than three pages.
PAGE = 12
PAGED = (
    *('compute', 'image', 'list', '-f', 'value', '-c', 'ID'),
    *('--limit', str(PAGE), '--max-items', '100000'),
)

TOKEN = 'x-auth-token'


class Behind:
    """The ordinary user's shell, with a proxy before Nova.

    :ivar before: called with each request
    """

    def __init__(self, nova: str, configured: Callable[..., Shell]) -> None:
        self.before: Callable[[Request], None] = lambda _request: None
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

    def list_while(self, *steps: Callable[[], object]) -> list[str]:
        """List IDs; take the steps after the first page."""
        left = list(steps)

        def before(request: Request) -> None:
            if after_the_first_page(request):
                while left:
                    left.pop(0)()

        self.before = before
        listed = self.shell(*PAGED).out.split()
        assert not left
        return listed


@pytest.fixture
def behind(cloud: Cloud, configured) -> Iterator[Behind]:
    """Provide a shell behind a transparent proxy."""
    url = cloud.facts['regions']['RegionOne']['compute_url']
    behind = Behind(url.removesuffix('/v2.1'), configured)
    with behind.proxy:
        yield behind


@pytest.fixture
def ids(glance, images) -> list[str]:
    """Provide the IDs of all images; the first pages are the user's own."""
    for number in range(2 * PAGE):
        images(f'mine-{number}', data=None)
    listed = [image['id'] for image in glance.images()]
    assert len(listed) > 4 * PAGE
    return listed


def test_token_rejected_while_listing_is_renewed(behind, ids):
    tokens: list[str] = []

    def reject(request: Request) -> None:
        token = request.headers[TOKEN]
        if token not in tokens:
            tokens.append(token)
        if after_the_first_page(request) and token == tokens[0]:
            # Nova rejects this, as an expired token.
            request.headers[TOKEN] = 'gAAAAAB-no-token-of-this-keystone'

    behind.before = reject
    assert behind.shell(*PAGED).out.split() == ids
    # The proxy records the requests that it forwards.
    mangled = [r for r in behind.pages() if r.headers[TOKEN] not in tokens]
    assert {r.query['marker'] for r in mangled} == {ids[PAGE - 1]}
    assert len(tokens) == 2


#: Images that vanish while the second page is requested.
VANISH = {
    'some': (0, PAGE // 2, PAGE, 2 * PAGE - 1),
    # Nova rejects a deleted marker.
    'the last of a page': (PAGE - 1,),
    'all but one of a page': range(1, PAGE),
}


@pytest.mark.parametrize('vanish', VANISH.values(), ids=VANISH)
def test_images_created_and_deleted_while_listing(
    behind, glance, images, ids, vanish
):
    gone = {ids[n] for n in vanish}
    steps = [lambda i=i: glance.delete(i) for i in gone]
    listed = behind.list_while(images, *steps)
    assert listed == [i for i in ids if i in ids[:PAGE] or i not in gone]
    assert behind.pages()[1].query['marker'] == ids[PAGE - 1]


def test_all_images_of_first_page_are_deleted(behind, glance, images, ids):
    """The list starts over, and so includes new images."""
    gone = ids[:PAGE]
    steps = [lambda i=i: glance.delete(i) for i in gone]
    listed = behind.list_while(*steps, images)
    assert listed[:PAGE] == gone
    assert listed[PAGE:] == [image['id'] for image in glance.images()]
    assert len(listed) == len(ids) + 1
