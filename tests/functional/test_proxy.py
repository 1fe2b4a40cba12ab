# SPDX-License-Identifier: Apache-2.0

"""What happens to the real Nova while several pages are listed.

The output must be the images of Glance, each once, in Glance's order.
"""

from collections.abc import Callable
from typing import Any

import pytest

from testbed.canned_cloud import Request
from testbed.forwarding_proxy import ForwardingProxy
from tests.functional.real import Cloud

#: Images per page: there are more than three pages.
PAGE = 12
PAGED = (
    *('compute', 'image', 'list', '-f', 'value', '-c', 'ID'),
    *('--limit', str(PAGE), '--max-items', '100000'),
)

TOKEN = 'x-auth-token'


@pytest.fixture
def listed_while(cloud: Cloud, at_endpoint) -> Callable[..., Any]:
    """Return a function that lists IDs through a proxy before Nova.

    It calls a function with each request; it returns the IDs, and the markers
    of all pages but the first.
    """
    nova = cloud.facts['regions']['RegionOne']['compute_url']

    def list_(before: Callable[[Request], None]) -> Any:
        url = nova.removesuffix('/v2.1')
        with ForwardingProxy(url, before=before) as proxy:
            shell = at_endpoint(f'{proxy.url}/v2.1')
            listed = shell(*PAGED).out.split()
        queries = [request.query for request in proxy.requests]
        return listed, [q['marker'] for q in queries if 'marker' in q]

    return list_


@pytest.fixture
def ids(images) -> list[str]:
    """Provide the IDs of all images; the first pages are the user's own."""
    for number in range(2 * PAGE):
        images(f'mine-{number}', data=None)
    listed = [image['id'] for image in images.images()]
    assert len(listed) > 4 * PAGE
    return listed


def test_token_rejected_while_listing_is_renewed(listed_while, ids):
    tokens: list[str] = []

    def reject(request: Request) -> None:
        token = request.headers[TOKEN]
        if token not in tokens:
            tokens.append(token)
        if 'marker' in request.query and token == tokens[0]:
            # Nova rejects this, as an expired token.
            request.headers[TOKEN] = 'gAAAAAB-no-token-of-this-keystone'

    listed, markers = listed_while(reject)
    assert listed == ids
    assert markers[:2] == [ids[PAGE - 1]] * 2
    assert len(tokens) == 2


@pytest.mark.parametrize(
    'vanish',
    # Nova rejects a deleted marker.
    [(0, PAGE // 2, PAGE, 2 * PAGE - 1), (PAGE - 1,), range(PAGE)],
    ids=['some', 'the last of a page', 'all of a page'],
)
def test_images_created_and_deleted_while_listing(
    listed_while, images, ids, vanish
):
    left = [*(lambda n=n: images.delete(ids[n]) for n in vanish), images]

    def before(request: Request) -> None:
        while 'marker' in request.query and left:
            left.pop(0)()

    listed, markers = listed_while(before)
    assert (left, markers[0]) == ([], ids[PAGE - 1])
    expected = [i for n, i in enumerate(ids) if n >= PAGE and n not in vanish]
    if len(vanish) == PAGE:
        # The list starts over, and so includes new images.
        expected = [image['id'] for image in images.images()]
        assert len(expected) == len(ids) - PAGE + 1
    assert listed == ids[:PAGE] + expected
