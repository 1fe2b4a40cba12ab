# SPDX-License-Identifier: Apache-2.0

import time

import pytest

from osc_compute_images.api import ImageRef
from osc_compute_images.api import ImagesError
from osc_compute_images.api import ListingInterrupted
from osc_compute_images.api import ListOpts
from testbed import nova
from tests.unit.conftest import sent

FIRST = 'GET /v2.1/images/detail?limit=2'


def ids(images):
    return [image.id for image in images]


def after(number):
    return f'{FIRST}&marker={nova.image_id(number)}'


def test_nothing_is_requested_before_an_image_is_asked_for(api, http):
    http.get(nova.DETAIL, json=nova.Server(nova.images(*range(5))))
    pager = api.list_detail(ListOpts(limit=2))
    iterator = iter(pager)
    assert http.call_count == 0
    next(iterator)
    next(iterator)
    assert sent(http) == [FIRST]
    next(iterator)
    assert sent(http) == [FIRST, after(1)]


@pytest.mark.parametrize(
    ('count', 'requests'),
    [
        (0, [FIRST]),
        (1, [FIRST]),
        (2, [FIRST, after(1)]),
        (3, [FIRST, after(1)]),
        (4, [FIRST, after(1), after(3)]),
    ],
)
def test_a_listing_goes_on_until_a_page_is_not_full(
    api, http, count, requests
):
    http.get(nova.DETAIL, json=nova.Server(nova.images(*range(count))))
    listed = ids(api.list_detail(ListOpts(limit=2)))
    assert listed == [nova.image_id(n) for n in range(count)]
    assert sent(http) == requests


def test_a_pager_can_be_used_again(api, http):
    http.get(nova.DETAIL, json=nova.Server(nova.images(1, 2, 3)))
    pager = api.list_detail(ListOpts(limit=2))
    assert ids(pager) == ids(pager)


def test_pages_tell_whether_they_are_empty_and_what_comes_next(api, http):
    http.get(nova.DETAIL, json=nova.Server(nova.images(1, 2)))
    first, last = api.list_detail(ListOpts(limit=2)).pages()
    assert not first.is_empty()
    assert first.next_marker() == nova.image_id(2)
    assert first.next_page_url() == nova.link(nova.image_id(2), 2)
    assert last.is_empty()
    assert last.next_marker() is None
    assert last.next_page_url() is None


@pytest.mark.parametrize(
    ('opts', 'limit'),
    [(None, 1000), (ListOpts(limit=7), 7), (ListOpts(limit=5000), 1000)],
)
def test_a_limit_is_always_sent_and_never_above_a_thousand(
    api, http, opts, limit
):
    http.get(nova.DETAIL, json={'images': []})
    assert ids(api.list_detail(opts)) == []
    assert sent(http) == [f'GET /v2.1/images/detail?limit={limit}']


def test_the_brief_list_has_a_path_of_its_own(api, http):
    brief = {'images': [{'id': nova.image_id(1), 'name': 'x', 'links': []}]}
    http.get(f'{nova.ENDPOINT}/images', json=brief)
    (image,) = api.list()
    assert image == ImageRef(nova.image_id(1), 'x')


def test_anyone_can_add_parameters(api, http):
    class OnDisk:
        def to_image_list_query(self):
            return {'property-hw_disk_bus': 'virtio', 'limit': '2'}

    http.get(nova.DETAIL, json=nova.Server(nova.images(1, 2, 3)))
    assert len(list(api.list_detail(OnDisk()))) == 3
    for request in http.request_history[-2:]:
        assert request.qs['property-hw_disk_bus'] == ['virtio']


def test_more_images_than_the_limit_without_a_link_are_not_the_end(api, http):
    # As Nova does above its own limit.
    server = nova.Server(nova.images(*range(5)))

    def answer(request, context):
        body = server(request, context)
        body.pop('images_links', None)
        return body

    http.get(nova.DETAIL, json=answer)
    assert len(ids(api.list_detail(ListOpts(limit=2)))) == 5


@pytest.mark.parametrize(
    'href',
    [
        'http://evil.example.com/v2.1/images/detail?marker=x',
        '/v2.1/images?limit=2',
        'http://[half/an/address?marker=x',
        '',
        'x' * 3000,
    ],
)
def test_of_a_link_only_counts_that_it_is_there(api, http, href):
    http.get(
        nova.DETAIL,
        [
            {'json': nova.page(nova.images(1, 2), href)},
            {'json': nova.page(nova.images(3))},
        ],
    )
    assert len(ids(api.list_detail(ListOpts(limit=2)))) == 3
    assert sent(http) == [FIRST, after(2)]


def test_a_short_page_with_a_link_is_not_the_end(api, http):
    http.get(
        nova.DETAIL,
        [
            {'json': nova.page(nova.images(1), nova.link(nova.image_id(1)))},
            {'json': nova.page(nova.images(2))},
        ],
    )
    assert len(ids(api.list_detail(ListOpts(limit=2)))) == 2


def test_an_empty_page_with_a_link_is_not_the_end(api, http):
    http.get(
        nova.DETAIL,
        [
            {'json': nova.page([], nova.link('elsewhere'))},
            {'json': nova.page(nova.images(2))},
        ],
    )
    assert len(ids(api.list_detail(ListOpts(limit=2)))) == 1
    assert sent(http)[1].endswith('marker=elsewhere')


@pytest.mark.parametrize('href', [nova.DETAIL, 'http://[x?marker=y'])
def test_an_empty_page_with_a_link_to_nowhere_is_an_error(api, http, href):
    http.get(nova.DETAIL, json=nova.page([], href))
    with pytest.raises(ListingInterrupted, match='not where') as caught:
        list(api.list_detail())
    assert caught.value.marker is None
    assert caught.value.obtained == 0


def test_a_page_that_repeats_is_an_error_after_what_was_obtained(api, http):
    same = nova.page(nova.images(1, 2), nova.link(nova.image_id(2)))
    http.get(nova.DETAIL, json=same)
    obtained = []
    with pytest.raises(ListingInterrupted, match='repeats') as caught:
        obtained.extend(api.list_detail(ListOpts(limit=2)))
    assert len(obtained) == 2
    assert caught.value.obtained == 2
    assert caught.value.marker == nova.image_id(2)
    assert nova.image_id(2) in str(caught.value)


def test_pages_that_go_round_are_an_error(api, http):
    a, b = nova.images(1, 2), nova.images(3, 4)
    http.get(nova.DETAIL, [{'json': nova.page(x)} for x in (a, b, a, b)])
    obtained = []
    with pytest.raises(ListingInterrupted, match='repeats'):
        obtained.extend(api.list_detail(ListOpts(limit=2)))
    assert ids(obtained) == [nova.image_id(n) for n in (1, 2, 3, 4)]


def test_pages_that_overlap_give_no_image_twice(api, http):
    pages = [nova.images(1, 2), nova.images(2, 3), nova.images(4)]
    http.get(nova.DETAIL, [{'json': nova.page(x)} for x in pages])
    listed = ids(api.list_detail(ListOpts(limit=2)))
    assert listed == [nova.image_id(n) for n in (1, 2, 3, 4)]


def test_a_fault_on_the_way_says_where_to_go_on(api, http):
    fault = nova.fault(500, 'computeFault', 'Unexpected API Error.')
    http.get(nova.DETAIL, [{'json': nova.page(nova.images(1, 2))}, fault])
    obtained = []
    with pytest.raises(ListingInterrupted) as caught:
        obtained.extend(api.list_detail(ListOpts(limit=2)))
    e = caught.value
    assert len(obtained) == 2
    assert (e.marker, e.obtained) == (nova.image_id(2), 2)
    assert (e.status, e.request_id) == (500, 'req-1')
    assert 'Unexpected API Error.' in str(e)


def test_a_fault_at_the_beginning_is_itself(api, http):
    http.get(nova.DETAIL, **nova.fault(403, 'forbidden', 'No.'))
    with pytest.raises(ImagesError, match='No') as caught:
        list(api.list_detail())
    assert not isinstance(caught.value, ListingInterrupted)


def test_a_listing_goes_on_before_a_marker_that_was_deleted(api, http):
    server = nova.Server(nova.images(*range(10)))
    http.get(nova.DETAIL, json=server)
    listed = []
    for image in api.list_detail(ListOpts(limit=4)):
        listed.append(image.id)
        if len(listed) == 4:
            # All of the page, so that only its own marker is left.
            server.delete(nova.image_id(3))
            server.delete(nova.image_id(2))
        if len(listed) == 8:
            for number in (4, 5, 6, 7):
                server.delete(nova.image_id(number))
            server.add(nova.image(99))
    assert listed[:8] == [nova.image_id(n) for n in range(8)]
    assert [nova.image_id(8), nova.image_id(9)] == listed[-2:]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize('limit', [2, 3, 4, 5])
def test_the_first_image_of_a_page_is_enough_to_go_on_from(api, http, limit):
    """What came meanwhile stays left out."""
    numbers = range(2 * limit + 1)
    server = nova.Server(nova.images(*numbers))
    http.get(nova.DETAIL, json=server)
    listed = []
    for image in api.list_detail(ListOpts(limit=limit)):
        listed.append(image.id)
        if len(listed) == limit:
            server.add(nova.image(99))
            for gone in listed[1:]:
                server.delete(gone)
    assert listed == [nova.image_id(n) for n in numbers]


def test_without_any_marker_left_the_listing_is_interrupted(api, http):
    refusal = nova.fault(400, 'badRequest', 'No image found with ID x')
    http.get(nova.DETAIL, [{'json': nova.page(nova.images(1, 2))}, refusal])
    with pytest.raises(ListingInterrupted, match='No image found'):
        list(api.list_detail(ListOpts(limit=2)))


@pytest.mark.parametrize(
    ('seconds', 'limits'),
    [(0.1, [2, 2, 2, 2]), (1, [2, 8])],
)
def test_pages_grow_where_they_take_long(
    api, http, monkeypatch, seconds, limits
):
    clock = [0.0]
    answer = nova.Server(nova.images(*range(7)))

    def slow(request, context):
        clock[0] += seconds
        return answer(request, context)

    monkeypatch.setattr(time, 'monotonic', lambda: clock[0])
    http.get(nova.DETAIL, json=slow)
    assert len([*api.list_detail(ListOpts(limit=10), first_page_size=2)]) == 7
    asked = http.request_history[-len(limits) :]
    assert [int(request.qs['limit'][0]) for request in asked] == limits
