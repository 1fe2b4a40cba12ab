# SPDX-License-Identifier: Apache-2.0

"""Paging, without a server."""

import time

import pytest

from osc_compute_images.api import _limits
from osc_compute_images.api import BadRequest
from osc_compute_images.api import ImageRef
from osc_compute_images.api import ImagesError
from osc_compute_images.api import ListingInterrupted
from osc_compute_images.api import ListOpts
from osc_compute_images.api.listing import _history
from testbed import nova
from tests.unit.conftest import sent

FAULT = nova.fault(500, 'computeFault', 'Unexpected API Error.')
FIRST = 'GET /v2.1/images/detail?limit=2'


def ids(images):
    return [image.id for image in images]


def after(number):
    return f'{FIRST}&marker={nova.image_id(number)}'


def test_pager_is_lazy(api, http):
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
def test_listing_continues_until_a_page_is_not_full(
    api, http, count, requests
):
    http.get(nova.DETAIL, json=nova.Server(nova.images(*range(count))))
    listed = ids(api.list_detail(ListOpts(limit=2)))
    assert listed == [nova.image_id(n) for n in range(count)]
    assert sent(http) == requests


def test_pager_can_be_iterated_twice(api, http):
    http.get(nova.DETAIL, json=nova.Server(nova.images(1, 2, 3)))
    pager = api.list_detail(ListOpts(limit=2))
    assert ids(pager) == ids(pager)


def test_page_has_is_empty_and_next_marker(api, http):
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
def test_limit_is_always_sent_and_at_most_1000(api, http, opts, limit):
    http.get(nova.DETAIL, json={'images': []})
    assert ids(api.list_detail(opts)) == []
    assert sent(http) == [f'GET /v2.1/images/detail?limit={limit}']


def test_list_requests_brief_images(api, http):
    brief = {'images': [{'id': nova.image_id(1), 'name': 'x', 'links': []}]}
    http.get(f'{nova.ENDPOINT}/images', json=brief)
    (image,) = api.list()
    assert image == ImageRef(nova.image_id(1), 'x')


def test_opts_may_be_any_list_opts_builder(api, http):
    class OnDisk:
        def to_image_list_query(self):
            return {'property-hw_disk_bus': 'virtio', 'limit': '2'}

    http.get(nova.DETAIL, json=nova.Server(nova.images(1, 2, 3)))
    assert len(list(api.list_detail(OnDisk()))) == 3
    for request in http.request_history[-2:]:
        assert request.qs['property-hw_disk_bus'] == ['virtio']


def test_listing_continues_after_oversized_page_without_link(api, http):
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
def test_next_request_ignores_target_of_link(api, http, href):
    http.get(
        nova.DETAIL,
        [
            {'json': nova.page(nova.images(1, 2), href)},
            {'json': nova.page(nova.images(3))},
        ],
    )
    assert len(ids(api.list_detail(ListOpts(limit=2)))) == 3
    assert sent(http) == [FIRST, after(2)]


def test_listing_continues_after_short_page_with_link(api, http):
    http.get(
        nova.DETAIL,
        [
            {'json': nova.page(nova.images(1), nova.link(nova.image_id(1)))},
            {'json': nova.page(nova.images(2))},
        ],
    )
    assert len(ids(api.list_detail(ListOpts(limit=2)))) == 2


@pytest.mark.parametrize('marker', ['elsewhere', 'm', 'm' * 255])
def test_listing_continues_after_empty_page_with_link(api, http, marker):
    http.get(
        nova.DETAIL,
        [
            {'json': nova.page([], nova.link(marker))},
            {'json': nova.page(nova.images(2))},
        ],
    )
    assert len(ids(api.list_detail(ListOpts(limit=2)))) == 1
    assert sent(http)[1].endswith(f'marker={marker}')


@pytest.mark.parametrize('href', [nova.DETAIL, 'http://[x?marker=y'])
def test_empty_page_with_link_without_marker_is_an_error(api, http, href):
    http.get(nova.DETAIL, json=nova.page([], href))
    with pytest.raises(ListingInterrupted, match='no marker') as caught:
        list(api.list_detail())
    assert caught.value.marker is None
    assert caught.value.obtained == 0
    assert str(caught.value).endswith('stopped before the first of the images')


def test_repeated_page_is_an_error_after_its_images(api, http):
    same = nova.page(nova.images(1, 2), nova.link(nova.image_id(2)))
    http.get(nova.DETAIL, json=same)
    obtained = []
    with pytest.raises(ListingInterrupted, match='repeats') as caught:
        obtained.extend(api.list_detail(ListOpts(limit=2)))
    assert len(obtained) == 2
    assert caught.value.obtained == 2
    assert caught.value.marker == nova.image_id(2)
    assert nova.image_id(2) in str(caught.value)


def test_cycle_of_pages_is_an_error(api, http):
    a, b = nova.images(1, 2), nova.images(3, 4)
    http.get(nova.DETAIL, [{'json': nova.page(x)} for x in (a, b, a, b)])
    obtained = []
    with pytest.raises(ListingInterrupted, match='repeats'):
        obtained.extend(api.list_detail(ListOpts(limit=2)))
    assert ids(obtained) == [nova.image_id(n) for n in (1, 2, 3, 4)]


def test_overlapping_pages_yield_no_duplicates(api, http):
    pages = [nova.images(1, 2), nova.images(2, 3), nova.images(4)]
    http.get(nova.DETAIL, [{'json': nova.page(x)} for x in pages])
    listed = ids(api.list_detail(ListOpts(limit=2)))
    assert listed == [nova.image_id(n) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ('count', 'where'), [(1, 'after 1 image,'), (2, 'after 2 images,')]
)
def test_error_while_listing_has_marker_to_resume(api, http, count, where):
    fault = nova.fault(500, 'computeFault', 'Unexpected API Error.')
    page = nova.page(nova.images(*range(1, count + 1)))
    http.get(nova.DETAIL, [{'json': page}, fault])
    obtained = []
    with pytest.raises(ListingInterrupted) as caught:
        obtained.extend(api.list_detail(ListOpts(limit=count)))
    e = caught.value
    assert len(obtained) == count
    assert (e.marker, e.obtained) == (nova.image_id(count), count)
    assert (e.http_status, e.request_id) == (500, 'req-1')
    assert 'Unexpected API Error.' in str(e)
    assert where in e.message


def test_marker_to_resume_is_of_last_image_with_an_id(api, http):
    pages = [nova.images(1, 2), [{'name': 'x'}, {'name': 'y'}]]
    http.get(
        nova.DETAIL,
        [
            *({'json': nova.page(page, nova.link('on'))} for page in pages),
            nova.fault(500, 'computeFault', 'Unexpected API Error.'),
        ],
    )
    with pytest.raises(ListingInterrupted) as caught:
        list(api.list_detail(ListOpts(limit=2)))
    assert caught.value.marker == nova.image_id(2)


def test_error_of_first_page_is_not_wrapped(api, http):
    http.get(nova.DETAIL, **nova.fault(403, 'forbidden', 'No.'))
    with pytest.raises(ImagesError, match='No') as caught:
        list(api.list_detail())
    assert not isinstance(caught.value, ListingInterrupted)


def test_ten_earlier_markers_are_tried_ten_times_without_new_images():
    history = _history.History(None)
    for n in range(15):
        history.add_marker(f'm{n}')
        history.add([ImageRef(f'i{n}', 'x')])
        history.last = f'm{n + 1}'
    tried = [*history.earlier_positions()]
    assert tried == [{'marker': f'm{n}'} for n in range(13, 3, -1)] + [{}]
    for _ in range(9):
        assert [*history.earlier_positions()]
    assert [*history.earlier_positions()] == []
    history.add([ImageRef('i15', 'x')])
    for _ in range(10):
        assert [*history.earlier_positions()]
    assert [*history.earlier_positions()] == []


def test_earlier_images_are_tried_at_growing_distances():
    def tried(count, begin=None):
        history = _history.History(begin)
        history.add([ImageRef(f'i{n}', 'x') for n in range(count)])
        return [p.get('marker') for p in history.earlier_positions()]

    assert tried(0) == tried(0, 'm') == [None]
    assert tried(2) == ['i0', None]
    assert tried(4) == ['i2', 'i0', None]
    assert tried(7) == ['i5', 'i3', 'i0', None]


def test_oldest_ids_are_forgotten_but_never_those_of_the_last_page(
    monkeypatch,
):
    monkeypatch.setattr(_limits, 'MAX_KNOWN_IDS', 4)
    history = _history.History(None)
    refs = [ImageRef(f'i{n}', 'x') for n in range(12)]
    assert history.add(refs[:2]) == refs[:2]
    assert history.add(refs[:4]) == refs[2:4]
    assert history.has_all
    assert history.add(refs[4:5]) == refs[4:5]
    assert not history.has_all
    assert history.add(refs[3:5]) == []
    assert history.add(refs[5:12]) == refs[5:12]
    assert history.add(refs[5:12]) == []
    assert history.add(refs[4:5]) == refs[4:5]


def test_representation_of_pages(api, http):
    pages = [nova.images(1, 2), nova.images(3)]
    http.get(nova.DETAIL, [{'json': nova.page(x)} for x in pages])
    assert [*map(repr, api.list_detail(ListOpts(limit=2)).pages())] == [
        '<ImagePage with 2 images>',
        '<ImagePage with 1 images, the last>',
    ]


def test_number_of_known_markers_is_limited(monkeypatch):
    monkeypatch.setattr(_limits, 'MAX_KNOWN_PAGES', 3)
    history = _history.History('m0')
    for n in range(1, 5):
        assert history.has_marker(f'm{n - 1}')
        history.add_marker(f'm{n}')
    known = [n for n in range(5) if history.has_marker(f'm{n}')]
    assert known == [2, 3, 4]


def test_listing_continues_after_marker_was_deleted(api, http):
    server = nova.Server(nova.images(*range(10)))
    http.get(nova.DETAIL, json=server)
    listed = []
    for image in api.list_detail(ListOpts(limit=4)):
        listed.append(image.id)
        if len(listed) == 4:
            # The two newer images of the page remain.
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
def test_listing_continues_from_first_image_of_page(api, http, limit):
    """Images that were created meanwhile are not listed."""
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


def all_numbers(_number):
    return True


def all_but(spared):
    return lambda number: number != spared


@pytest.mark.parametrize('brief', [False, True])
@pytest.mark.parametrize('limit', [3, 10])
@pytest.mark.parametrize(
    'which',
    [all_numbers, all_but(0), all_but(1), all_but(2), lambda n: n % 2 > 0],
)
def test_listing_continues_while_listed_images_are_deleted(
    api, http, which, limit, brief
):
    numbers = range(200)
    server = nova.Server(nova.images(*numbers))
    for path in (nova.DETAIL, f'{nova.ENDPOINT}/images'):
        http.get(path, json=server)
    opts = ListOpts(limit=limit)
    listed = []
    pager = api.list(opts) if brief else api.list_detail(opts)
    for page in pager.pages():
        listed += ids(page.images)
        for number, image in enumerate(page.images):
            if which(number):
                server.delete(image.id)
    assert listed == [nova.image_id(n) for n in numbers]


def test_listing_takes_two_requests_per_page_if_all_are_deleted(api, http):
    server = nova.Server(nova.images(*range(100)))
    http.get(nova.DETAIL, json=server)
    for page in api.list_detail(ListOpts(limit=5)).pages():
        for image in page.images:
            server.delete(image.id)
    # The first deleted marker takes some more requests.
    assert len(sent(http)) < 2 * 20 + 8


def test_listing_continues_if_only_old_images_remain(api, http):
    numbers = range(200)
    server = nova.Server(nova.images(*numbers))
    http.get(nova.DETAIL, json=server)
    listed = []
    for page in api.list_detail(ListOpts(limit=5)).pages():
        listed += ids(page.images)
        for gone in listed[40:]:
            if gone in ids_of(server):
                server.delete(gone)
    assert listed == [nova.image_id(n) for n in numbers]


@pytest.mark.parametrize('gone', [4, 5, 6, 11, 12])
def test_no_duplicates_after_last_pages_are_deleted(api, http, gone):
    server = nova.Server(nova.images(*range(20)))
    http.get(nova.DETAIL, json=server)
    listed = []
    for page in api.list_detail(ListOpts(limit=4)).pages():
        listed += ids(page.images)
        if len(listed) == 12:
            for image_id in listed[-gone:]:
                server.delete(image_id)
    assert listed == [nova.image_id(n) for n in range(20)]


def test_no_duplicates_if_empty_page_links_back(api, http):
    numbers = [(1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (), (3, 4, 5, 13)]
    pages = [
        nova.page(nova.images(*each), nova.link(nova.image_id(2)))
        for each in numbers
    ]
    http.get(nova.DETAIL, [*({'json': each} for each in pages), FAULT])
    listed = []
    with pytest.raises(ListingInterrupted):
        listed.extend(api.list_detail(ListOpts(limit=4)))
    assert ids(listed) == [nova.image_id(n) for n in range(1, 14)]


def test_empty_page_is_not_passed_if_it_may_link_to_forgotten_images(
    api, http, monkeypatch
):
    monkeypatch.setattr(_limits, 'MAX_KNOWN_IDS', 5)
    numbers = [(1, 2), (3, 4), (5, 6), (), (2, 3), (7,)]
    pages = [
        nova.page(nova.images(*each), nova.link(nova.image_id(1)))
        for each in numbers
    ]
    http.get(nova.DETAIL, [{'json': each} for each in pages])
    listed = []
    with pytest.raises(ListingInterrupted, match='duplicates') as caught:
        listed.extend(api.list_detail(ListOpts(limit=2)))
    assert ids(listed) == [nova.image_id(n) for n in range(1, 7)]
    assert caught.value.marker == nova.image_id(6)


def test_list_can_restart_if_marker_of_interruption_was_deleted(api, http):
    server = nova.Server(nova.images(*range(6)))
    http.get(nova.DETAIL, [{'json': server}, FAULT])
    obtained = []
    with pytest.raises(ListingInterrupted) as caught:
        obtained.extend(api.list_detail(ListOpts(limit=2)))
    server.delete(caught.value.marker)
    http.get(nova.DETAIL, json=server)
    with pytest.raises(BadRequest):
        list(api.list_detail(ListOpts(marker=caught.value.marker)))
    again = ids(api.list_detail(ListOpts(limit=2)))
    assert again == [nova.image_id(n) for n in (0, 2, 3, 4, 5)]


def ids_of(server):
    return {image['id'] for image in server.images}


def test_listing_is_interrupted_if_too_many_ids_are_forgotten(
    api, http, monkeypatch
):
    monkeypatch.setattr(_limits, 'MAX_KNOWN_IDS', 15)
    server = nova.Server(nova.images(*range(100)))
    http.get(nova.DETAIL, json=server)
    obtained = []
    pages = api.list_detail(ListOpts(limit=5)).pages()
    while len(obtained) < 40:
        obtained += ids(next(pages).images)
    for image_id in obtained:
        server.delete(image_id)
    match = '40 images, too many to go back; list all again'
    with pytest.raises(ListingInterrupted, match=match) as caught:
        next(pages)
    e = caught.value
    assert (e.marker, e.obtained, e.http_status) == (None, 40, 400)
    rest = ids(api.list_detail(ListOpts(marker=e.marker)))
    assert obtained + rest == [nova.image_id(n) for n in range(100)]


def test_listing_is_interrupted_without_valid_marker(api, http):
    refusal = nova.fault(400, 'badRequest', 'No image found with ID x')
    http.get(nova.DETAIL, [{'json': nova.page(nova.images(1, 2))}, refusal])
    with pytest.raises(ListingInterrupted, match='No image found') as caught:
        list(api.list_detail(ListOpts(limit=2)))
    assert caught.value.marker is None
    assert 'list all again' in str(caught.value)


def test_listing_ends_if_server_rejects_every_marker(api, http):
    def answer(request, context):
        if 'marker' in request.qs:
            context.status_code = 400
            return {}
        return nova.page(nova.images(1, 2))

    http.get(nova.DETAIL, json=answer)
    with pytest.raises(ListingInterrupted):
        list(api.list_detail(ListOpts(limit=2)))
    assert http.call_count < 50


def test_long_cycle_of_pages_is_an_error(api, http, monkeypatch):
    monkeypatch.setattr(_limits, 'MAX_KNOWN_PAGES', 30)
    numbers = [(n % 60, n % 60 + 1) for n in range(0, 200, 2)]
    http.get(
        nova.DETAIL,
        [{'json': nova.page(nova.images(*two))} for two in numbers],
    )
    obtained = []
    with pytest.raises(ListingInterrupted, match='repeats') as caught:
        obtained.extend(api.list_detail(ListOpts(limit=2)))
    assert ids(obtained) == [nova.image_id(n) for n in range(60)]
    assert caught.value.obtained == 60
    assert caught.value.marker == nova.image_id(59)


def test_marker_comes_from_last_page_with_ids(api, http):
    """The server rejects the marker of an empty page in between."""
    asked = []
    pages = {
        None: nova.page(nova.images(1, 2)),
        nova.image_id(2): nova.page([], nova.link('elsewhere')),
        nova.image_id(1): nova.page(nova.images(3)),
    }

    def answer(request, context):
        marker = request.qs.get('marker', [None])[0]
        asked.append(marker)
        if marker not in pages:
            context.status_code = 403
        return pages.get(marker, {})

    http.get(nova.DETAIL, json=answer)
    listed = ids(api.list_detail(ListOpts(limit=2)))
    assert listed == [nova.image_id(n) for n in (1, 2, 3)]
    assert asked[2:] == ['elsewhere', nova.image_id(1)]


def test_last_page_has_no_next_marker(api, http):
    http.get(nova.DETAIL, json=nova.Server(nova.images(1, 2, 3)))
    first, last = api.list_detail(ListOpts(limit=2)).pages()
    assert (first.next_marker(), last.next_marker()) == (after_id(2), None)
    assert last.is_last()
    assert not first.is_last()
    assert len(last.images) == 1


def after_id(number):
    return nova.image_id(number)


MINE = nova.image_id(77)


def test_listing_resumes_from_marker_in_opts(api, http):
    opts = ListOpts(limit=2, marker=MINE)
    link = nova.link('elsewhere')
    http.get(nova.DETAIL, [{'json': nova.page([], link)}, FAULT])
    with pytest.raises(ListingInterrupted) as caught:
        list(api.list_detail(opts))
    assert caught.value.marker == MINE
    http.get(nova.DETAIL, [{'json': nova.page(nova.images(1, 2))}, FAULT])
    with pytest.raises(ListingInterrupted) as caught:
        list(api.list_detail(opts))
    assert caught.value.marker == nova.image_id(2)


def test_images_before_marker_in_opts_are_not_listed(api, http):
    """Not even if the list has to start over."""
    server = nova.Server(nova.images(*range(10)))
    http.get(nova.DETAIL, json=server)
    listed = []
    opts = ListOpts(limit=2, marker=nova.image_id(3))
    for page in api.list_detail(opts).pages():
        listed += ids(page.images)
        for image in page.images:
            server.delete(image.id)
    assert listed == [nova.image_id(n) for n in range(4, 10)]


def test_images_without_id_are_listed(api, http):
    nameless = [nova.image(n, id=None) for n in (1, 2)]
    pages = [
        [*nova.images(1, 2), *nameless],
        [nova.image(3), nameless[0]],
    ]
    http.get(
        nova.DETAIL,
        [{'json': nova.page(x)} for x in pages] + [FAULT],
    )
    listed = []
    with pytest.raises(ListingInterrupted) as caught:
        listed.extend(api.list_detail(ListOpts(limit=2)))
    names = ['cirros-1', 'cirros-2', 'cirros-1', 'cirros-2', 'cirros-3']
    assert [image.name for image in listed] == [*names, 'cirros-1']
    assert [bool(image.id) for image in listed] == [1, 1, 0, 0, 1, 0]
    assert after(2) in sent(http)[1]
    assert caught.value.marker == nova.image_id(3)
    assert caught.value.obtained == 6


def test_page_without_ids_interrupts_listing(api, http):
    http.get(nova.DETAIL, json=nova.page([nova.image(1, id=None)] * 2))
    with pytest.raises(ListingInterrupted, match='no marker') as caught:
        list(api.list_detail(ListOpts(limit=2)))
    assert (caught.value.marker, caught.value.obtained) == (None, 2)
    assert 'list all again' in str(caught.value)


@pytest.mark.parametrize('begin', [0.0, 1e6])
@pytest.mark.parametrize(
    ('seconds', 'limits'),
    [(0.1, [2, 2, 2, 2]), (1, [2, 8])],
)
def test_page_size_grows_if_server_is_slow(
    api, http, monkeypatch, seconds, limits, begin
):
    clock = [begin]
    answer = nova.Server(nova.images(*range(7)))

    def slow(request, context):
        clock[0] += seconds
        return answer(request, context)

    monkeypatch.setattr(time, 'monotonic', lambda: clock[0])
    http.get(nova.DETAIL, json=slow)
    assert len([*api.list_detail(ListOpts(limit=10), first_page_size=2)]) == 7
    asked = http.request_history[-len(limits) :]
    assert [int(request.qs['limit'][0]) for request in asked] == limits
