# SPDX-License-Identifier: Apache-2.0

"""Requests of a listing, and its errors; the model owns what is listed."""

import collections
import itertools
import re
import threading
import time
import tracemalloc
import types

import pytest

from osc_compute_images.api import _limits
from osc_compute_images.api import filters
from osc_compute_images.api import ListingInterrupted
from osc_compute_images.api import ListOpts
from testbed import nova
from tests.unit.conftest import sent

FAULT = nova.fault(500, 'computeFault', 'Unexpected API Error.')
REFUSAL = nova.fault(400, 'badRequest', 'No image found with ID x')
FIRST = 'GET /v2.1/images/detail?limit=2'
TWO = ListOpts(limit=2)


def ids(images):
    return [image.id for image in images]


def some(*numbers):
    return [nova.image_id(n) for n in numbers]


def after(number):
    return f'{FIRST}&marker={nova.image_id(number)}'


def serve(http, *answers):
    """Answer with these pages or errors, the last one again and again."""
    http.get(
        nova.DETAIL,
        [a if 'status_code' in a else {'json': a} for a in answers],
    )


def interrupted(api, opts=TWO):
    """List until an error; return the images and the error."""
    obtained = []
    with pytest.raises(ListingInterrupted) as caught:
        obtained.extend(api.list_detail(opts))
    assert caught.value.obtained == len(obtained)
    return obtained, caught.value


@pytest.mark.parametrize(
    ('count', 'requests'),
    [(0, [FIRST]), (3, [FIRST, after(1)]), (4, [FIRST, after(1), after(3)])],
)
def test_listing_continues_until_a_page_is_not_full(
    api, http, count, requests
):
    http.get(nova.DETAIL, json=nova.Server(nova.images(*range(count))))
    pages = [*api.list_detail(TWO).pages()]
    assert [i.id for p in pages for i in p.images] == some(*range(count))
    assert sent(http) == requests
    *others, last = pages
    assert last.is_last()
    assert last.is_empty() is (count % 2 == 0)
    assert last.next_marker() is last.next_page_url() is None
    for page in others:
        marker = page.images[-1].id
        assert (page.is_empty(), page.is_last()) == (False, False)
        assert page.next_marker() == marker
        assert page.next_page_url() == nova.link(marker, 2)


def test_threads_that_share_an_iterator_get_an_error(api, http):
    # Not a crash of Python, as with itertools.chain.
    images = iter(api.list_detail())

    def page(*_args):
        with pytest.raises(ValueError, match='already executing'):
            next(images)
        return nova.page([nova.image(1)])

    http.get(nova.DETAIL, json=page)
    assert len([*images]) == 1


def test_limit_is_always_sent_and_at_most_1000(api, http):
    serve(http, {'images': []})
    query = {'property-hw_disk_bus': 'virtio', 'limit': '7'}
    built = types.SimpleNamespace(to_image_list_query=lambda: query)
    for opts in (None, ListOpts(limit=5000), built):
        assert ids(api.list_detail(opts)) == []
    assert [request.partition('?')[2] for request in sent(http)] == [
        *['limit=1000'] * 2,
        'property-hw_disk_bus=virtio&limit=7',
    ]


@pytest.mark.parametrize('where', [None, filters.created_after('2000-01-01')])
def test_memory_does_not_grow_with_pages(api, http, monkeypatch, where):
    monkeypatch.setattr(_limits, 'MAX_KNOWN_IDS', 1000)
    # coverage keeps data for every thread that it traces.
    monkeypatch.setattr(threading, '_trace_hook', None)

    def answer(request, context):
        # The memory of the server must not be counted.
        http.reset_mock()
        query = nova.query_of(request.url)
        first = int(query.get('marker', '0')[-12:], 16) + 1
        numbers = range(first, first + int(query['limit']))
        return nova.page(nova.images(*numbers), nova.DETAIL)

    def peak(pages):
        listed = api.list_detail(ListOpts(limit=100), where=where)
        tracemalloc.start()
        try:
            collections.deque(itertools.islice(listed, 100 * pages), 0)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    http.get(nova.DETAIL, json=answer)
    peak(1)  # Fills caches.
    some, many = peak(30), peak(90)
    assert many < some + 100_000


ONE_PAGE = nova.page(nova.images(1, 2))
AFTER_77 = ListOpts(limit=2, marker=nova.image_id(77))
OVERLAP = [nova.page(nova.images(n, n + 1, n + 2)) for n in range(1, 40, 2)]
NOTHING_MORE = 'reports more images, but no marker .*; list all again'


@pytest.mark.parametrize(
    ('opts', 'answers', 'count', 'marker', 'told'),
    [
        (TWO, [nova.page([], nova.DETAIL)], 0, None, NOTHING_MORE),
        (TWO, [nova.page([], 'http://[x?marker=y')], 0, None, NOTHING_MORE),
        (TWO, [nova.page([], nova.link('m' * 256))], 0, None, NOTHING_MORE),
        (TWO, [*OVERLAP, *OVERLAP], 41, 41, 'repeats a page of images;'),
        (TWO, [ONE_PAGE, FAULT], 2, 2, 'Error.; the listing stopped after 2'),
        (AFTER_77, [nova.page([], nova.link('m' * 255)), FAULT], 0, 77, ''),
        (TWO, [ONE_PAGE, REFUSAL], 2, None, 'with ID x; .*; list all again'),
        # Another position fails in another way.
        (TWO, [ONE_PAGE, REFUSAL, FAULT], 2, None, 'Unexpected API Error'),
    ],
)
def test_interrupted_listing_has_marker_to_resume(
    api, http, opts, answers, count, marker, told
):
    serve(http, *answers)
    obtained, e = interrupted(api, opts)
    assert ids(obtained) == some(*range(1, count + 1))
    assert e.marker == (marker and nova.image_id(marker))
    assert re.search(told, e.message)
    last = f'the last one {e.marker}' if marker else 'list all again'
    assert e.message.endswith(f' of the images; {last}')
    if 'status_code' in answers[-1]:
        assert e.http_status == answers[-1]['status_code']
        assert e.request_id == 'req-1'


def test_images_without_id_are_listed(api, http):
    nameless = [nova.image(n, id=None) for n in (1, 2)]
    serve(
        http,
        nova.page([*nova.images(1, 2), *nameless]),
        nova.page([nova.image(3), nameless[0]]),
        FAULT,
    )
    obtained, e = interrupted(api)
    numbers = (1, 2, 1, 2, 3, 1)
    assert [i.name for i in obtained] == [f'cirros-{n}' for n in numbers]
    assert [bool(i.id) for i in obtained] == [1, 1, 0, 0, 1, 0]
    assert after(2) in sent(http)[1]
    assert e.marker == nova.image_id(3)


@pytest.mark.parametrize('limit', [2, 5])
def test_images_created_meanwhile_are_not_listed(api, http, limit):
    """The listing continues from the first image of its first page."""
    numbers = range(2 * limit + 1)
    server = nova.Server(nova.images(*numbers))
    http.get(nova.DETAIL, json=server)
    listed = []
    for image in api.list_detail(ListOpts(limit=limit)):
        listed.append(image.id)
        if len(listed) == limit:
            server.add(nova.image(99))
            # All but the first image of the page are deleted.
            del server.images[2 : limit + 1]
    assert listed == some(*numbers)


@pytest.mark.parametrize('kept', [0, 10])
@pytest.mark.parametrize('begin', [None, 3])
def test_requests_while_all_listed_images_are_deleted(api, http, kept, begin):
    """Images before the marker of the caller are never listed."""
    numbers = range(begin + 1 if begin else 0, 100)
    server = nova.Server(nova.images(*range(100)))
    http.get(nova.DETAIL, json=server)
    opts = ListOpts(limit=5, marker=begin and nova.image_id(begin))
    listed = []
    for page in api.list_detail(opts).pages():
        listed += ids(page.images)
        for image in page.images:
            if listed.index(image.id) >= kept:
                server.delete(image.id)
    assert listed == some(*numbers)
    # The first deleted marker takes some more requests.
    assert len(sent(http)) < 2 * 20 + 8


def test_markers_that_are_rejected(api, http):
    """It goes back to the images before an empty page."""
    one, two, three = some(1, 2, 3)
    pages = {
        '': nova.page(nova.images(1, 2)),
        two: nova.page([], nova.link('elsewhere')),
        one: nova.page(nova.images(3)),
    }

    def answer(request, context):
        marker = nova.query_of(request.url).get('marker', '')
        context.status_code = 200 if marker in pages else 403
        return pages.get(marker, {})

    http.get(nova.DETAIL, json=answer)
    assert ids(api.list_detail(TWO)) == [one, two, three]
    assert len(sent(http)) == 4
    # It ends, too, if each of them is.
    del pages[one], pages[two]
    assert len(interrupted(api)[0]) == 2
    assert len(sent(http)) < 50


def test_listing_is_interrupted_if_too_many_ids_are_forgotten(
    api, http, monkeypatch
):
    monkeypatch.setattr(_limits, 'MAX_KNOWN_IDS', 15)
    server = nova.Server(nova.images(*range(100)))
    http.get(nova.DETAIL, json=server)
    pages = api.list_detail(ListOpts(limit=5)).pages()
    for _ in range(8):
        next(pages)
    del server.images[:40]
    with pytest.raises(ListingInterrupted, match='list all again') as caught:
        next(pages)
    e = caught.value
    assert (e.marker, e.obtained, e.http_status) == (None, 40, 400)
    assert ids(api.list_detail()) == some(*range(40, 100))


def test_empty_page_may_link_to_forgotten_images(api, http, monkeypatch):
    monkeypatch.setattr(_limits, 'MAX_KNOWN_IDS', 5)
    link = nova.link(nova.image_id(1))
    numbers = [(1, 2), (3, 4), (5, 6), ()]
    serve(http, *(nova.page(nova.images(*each), link) for each in numbers))
    obtained, e = interrupted(api)
    assert ids(obtained) == some(*range(1, 7))
    assert 'duplicates' in e.message


@pytest.mark.parametrize('entries', [[], [5]])
def test_pages_without_images_end(api, http, entries):
    markers = map(nova.link, map(str, itertools.count()))
    http.get(nova.DETAIL, json=lambda *_: nova.page(entries, next(markers)))
    obtained, e = interrupted(api)
    assert (obtained, 'pages without images' in e.message) == ([], True)


@pytest.mark.parametrize(
    ('seconds', 'limits'), [(0.1, [100, 100, 100]), (1, [100, 300])]
)
def test_page_size_grows_if_server_is_slow(api, http, slept, seconds, limits):
    answer = nova.Server(nova.images(*range(250)))

    def slow(request, context):
        time.sleep(seconds)
        return answer(request, context)

    http.get(nova.DETAIL, json=slow)
    where = filters.name_pattern('*-249')
    listed = api.list_detail(ListOpts(limit=300), where=where, max_items=1)
    assert ids(listed) == some(249)
    asked = http.request_history[-len(limits) :]
    assert [int(request.qs['limit'][0]) for request in asked] == limits
