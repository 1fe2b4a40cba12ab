# SPDX-License-Identifier: Apache-2.0

"""What a listing takes, in counts that do not depend on the clock."""

from collections.abc import Callable
from collections.abc import Iterator
import gc
import json
import sys
import threading
import tracemalloc

from keystoneauth1 import adapter
from keystoneauth1 import session
import pytest

from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from osc_compute_images.api import Pager
from osc_compute_images.api._limits import MAX_RECENT_IDS
from testbed import canned_cloud
from testbed import nova

#: Images of a page.
SIZE = 100


def page_of_images(number: int) -> canned_cloud.Response:
    """Return a page of a listing."""
    numbers = range(number * SIZE, (number + 1) * SIZE)
    images = [canned_cloud.image(each) for each in numbers]
    return canned_cloud.Response(json.dumps(nova.page(images)).encode())


@pytest.fixture
def listing() -> Iterator[Callable[[int], Pager]]:
    """Provide what makes a listing of some pages, over a real connection."""
    left: list[canned_cloud.Response] = []

    def answer(_request: canned_cloud.Request) -> canned_cloud.Response:
        # Else what the server keeps would be counted.
        server.requests.clear()
        return left.pop(0)

    with canned_cloud.Server(answer) as server:
        api = ImagesAPI(
            adapter.Adapter(
                session.Session(), endpoint_override=f'{server.url}/v2.1'
            )
        )

        def listing(pages: int) -> Pager:
            empty = canned_cloud.Response.of(nova.page([]))
            left[:] = [*map(page_of_images, range(pages)), empty]
            return api.list_detail(ListOpts(limit=SIZE))

        # What is made once is made here.
        assert len([*listing(1)]) == SIZE
        yield listing


def most_bytes_held(pager: Pager) -> int:
    """Use a listing up, keeping nothing; return the most that it held."""
    # Of every thread that it is told of, coverage keeps something.
    tracer = threading.gettrace()
    threading.settrace(None)  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        for _image in pager:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        threading.settrace(tracer)  # type: ignore[arg-type]


def blocks_for_each_image(pager: Pager) -> float:
    """Return how many blocks of memory an image consists of."""
    gc.collect()
    before = sys.getallocatedblocks()
    images = [*pager]
    gc.collect()
    return (sys.getallocatedblocks() - before) / len(images)


def test_memory_does_not_grow_with_the_number_of_pages(listing):
    # Of the last pages the IDs are kept, and of the others 8 bytes each; to
    # make room for more, there may be twice as many for a moment.
    count = 6 * MAX_RECENT_IDS
    some = most_bytes_held(listing(count // SIZE))
    many = most_bytes_held(listing(2 * count // SIZE))
    one_page = len(page_of_images(0).body)
    assert many < some + one_page + 2 * 8 * count


def test_an_image_costs_few_allocations_however_many_there_are(listing):
    # The record, its five texts, the properties and their four texts; the
    # keys are shared, and what else there is does not grow.
    few, many = (blocks_for_each_image(listing(n)) for n in (2, 50))
    assert few < 16
    assert many < few + 0.5
