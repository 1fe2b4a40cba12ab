# SPDX-License-Identifier: Apache-2.0

"""Memory of a list: a count that does not depend on time."""

import collections
from collections.abc import Callable
from collections.abc import Iterator
import json
import threading
import tracemalloc

from keystoneauth1 import adapter
from keystoneauth1 import session
import pytest

from osc_compute_images.api import _limits
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from osc_compute_images.api import Pager
from testbed import canned_cloud
from testbed import nova

#: Images per page.
SIZE = 100


def page_of_images(number: int) -> canned_cloud.Response:
    numbers = range(number * SIZE, (number + 1) * SIZE)
    images = [canned_cloud.image(each) for each in numbers]
    return canned_cloud.Response(json.dumps(nova.page(images)).encode())


@pytest.fixture
def listing() -> Iterator[Callable[[int], Pager]]:
    """Return a function that lists some pages over a real connection."""
    left: list[canned_cloud.Response] = []

    def answer(_request: canned_cloud.Request) -> canned_cloud.Response:
        # The memory of the server must not be counted.
        server.requests.clear()
        return left.pop(0)

    def listing(pages: int) -> Pager:
        empty = canned_cloud.Response.of(nova.page([]))
        left[:] = [*map(page_of_images, range(pages)), empty]
        return api.list_detail(ListOpts(limit=SIZE))

    with canned_cloud.Server(answer) as server:
        url = f'{server.url}/v2.1'
        api = ImagesAPI(
            adapter.Adapter(session.Session(), endpoint_override=url)
        )
        # One list first, to fill caches.
        assert len([*listing(1)]) == SIZE
        yield listing


def peak_memory(pager: Pager) -> int:
    """Return the peak memory of a list whose images are discarded."""
    # coverage keeps data for every thread that it traces.
    tracer = threading.gettrace()
    threading.settrace(None)  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        collections.deque(pager, 0)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        threading.settrace(tracer)  # type: ignore[arg-type]


def test_memory_does_not_grow_with_pages(listing, monkeypatch):
    monkeypatch.setattr(_limits, 'MAX_KNOWN_IDS', 2000)
    some = peak_memory(listing(3 * 2000 // SIZE))
    many = peak_memory(listing(9 * 2000 // SIZE))
    assert many < some + len(page_of_images(0).body)
