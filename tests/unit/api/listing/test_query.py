# SPDX-License-Identifier: Apache-2.0

"""Arguments of lists: filters, options, max_items; and invalid ones."""

import datetime

import pytest

from osc_compute_images import api as images
from osc_compute_images.api import filters
from osc_compute_images.api import ListOpts
from testbed import nova
from tests.unit.conftest import sent

ID = nova.image_id(1)
NAMED, ACTIVE = filters.name('x'), filters.status('ACTIVE')
NAIVE = datetime.datetime(2026, 1, 1)
ONE = f'{nova.ENDPOINT}/images/{ID}'
DETAIL = 'GET /v2.1/images/detail'


def made(number, day):
    created = day and f'2026-11-{day:02}T00:00:00Z'
    return nova.image(number, created=created)


def numbers(listed):
    return [int(image.id[-4:], 16) for image in listed]


@pytest.fixture
def ten(http):
    """Serve ten images, one created on each day."""
    listed = [made(n, 20 - n) for n in range(1, 11)]
    http.get(nova.DETAIL, json=nova.Server(listed))
    return listed


def test_options_override_the_parameters_of_a_filter(api, http):
    http.get(nova.DETAIL, json={'images': []})
    where = filters.server('a')
    assert [*api.list_detail(ListOpts(server='b', limit=3), where=where)] == []
    assert sent(http) == [f'{DETAIL}?server=b&limit=3']


@pytest.mark.parametrize(
    ('where', 'max_items', 'limit', 'got', 'limits'),
    [
        (None, 3, None, [1, 2, 3], [3]),
        (filters.EVERYTHING, 10, None, [*range(1, 11)], [10]),
        (None, 9, 5, [*range(1, 10)], [5, 5]),
        (None, 5, 2, [1, 2, 3, 4, 5], [2, 2, 2]),
        (filters.name_pattern('*'), 3, None, [1, 2, 3], [100]),
        (filters.name_pattern('*'), 200, None, [*range(1, 11)], [200]),
        (filters.name_pattern('*-7'), 1, 4, [7], [4, 4]),
    ],
)
def test_max_items(api, http, ten, where, max_items, limit, got, limits):
    opts = ListOpts(limit=limit)
    pager = api.list_detail(opts, where=where, max_items=max_items)
    assert numbers(pager) == got
    asked = [int(r.qs['limit'][0]) for r in http.request_history if r.qs]
    assert asked == limits


SINCE = filters.created_after('2026-11-15')


@pytest.mark.parametrize(
    ('where', 'got', 'pages'),
    [
        # Another request asks whether the server filters by the time.
        (SINCE & filters.created_before('2026-11-18'), [3, 4, 5], 3 + 1),
        # Ten images have five full pages, and so an empty sixth one.
        (SINCE | filters.name('cirros-9'), [1, 2, 3, 4, 5, 9], 6),
    ],
)
def test_created_after_ends_listing(api, http, ten, where, got, pages):
    assert numbers(api.list_detail({'limit': 2}, where=where)) == got
    assert len(sent(http)) == pages


def test_brief_list_by_a_filter_that_knows_an_age(api, http, ten):
    http.get(f'{nova.ENDPOINT}/images', json={'images': ten})
    since = SINCE.created_since
    where = filters.Filter(
        lambda i: i.name < 'cirros-4', created_since=since, brief=True
    )
    assert numbers(api.list(where=where)) == [1, 2, 3, 10]


@pytest.mark.parametrize(
    ('limit', 'days', 'pages'),
    [
        (2, [19, 18, 18, 14, 13, 12, 11, 10], 2),
        (3, [10, 11, 12, 13, 14, 15, 16], 3),
        (4, [16, 10, 15, 10, 9, 14], 2),
        (3, [16, 18, 12, 11, 10, 9, 17], 3),
        # The first images have the same age, so the order is unknown.
        (3, [10, 10, 10, 10, 16, 16, 16], 3),
        # An image without a time has no place in the order.
        (3, [20, 10, None, 20], 2),
    ],
)
def test_only_the_order_of_nova_ends_a_listing(api, http, limit, days, pages):
    listed = [made(n, day) for n, day in enumerate(days)]
    http.get(nova.DETAIL, json=nova.Server(listed))
    assert numbers(api.list_detail({'limit': limit}, where=SINCE)) == [
        n for n, day in enumerate(days) if day and day >= 15
    ]
    assert len(sent(http)) == pages


REFUSED = nova.fault(400, 'badRequest', 'Invalid visibility value')


@pytest.mark.parametrize('brief', [False, True])
def test_the_server_shows_once_that_it_filters_by_visibility(api, http, brief):
    listed = api.list if brief else api.list_detail
    path = f'/v2.1/images{"" if brief else "/detail"}'
    page = nova.page([nova.image(1)])
    http.get(f'{nova.HOST}{path}', [REFUSED, {'json': page}])
    opts = ListOpts(visibility='shared', limit=2)
    pager = listed(opts, where=filters.name('cirros-1'))
    assert sent(http) == []
    assert numbers(pager) == numbers(pager) == [1]
    name = 'property-visibility'
    query = f'name=cirros-1&{name}=shared&limit=2'
    assert sent(http) == [
        f'GET {path}?{name}=no-such-visibility&limit=1',
        *[f'GET {path}?{query}'] * 2,
    ]


@pytest.mark.parametrize(
    ('answer', 'kind'),
    [
        ({'json': {'images': []}}, images.InvalidResponse),
        ({'json': {'images': [nova.image(1)]}}, images.InvalidResponse),
        (nova.fault(403, 'forbidden', 'no'), images.Forbidden),
        (nova.NO_ROUTE, images.ImagesNotServed),
    ],
)
def test_a_filter_that_is_not_shown_to_work_is_not_used(
    api, http, answer, kind
):
    http.get(f'{nova.ENDPOINT}/', json={'version': {}})
    http.get(nova.DETAIL, [answer, {'json': nova.page([nova.image(1)])}])
    with pytest.raises(kind):
        [*api.list_detail(ListOpts(visibility='public'))]
    assert all('no-such' in r for r in sent(http) if 'detail' in r)


def test_query_of_list_opts():
    plain = dict.fromkeys(('limit', 'marker', 'server', 'status', 'type'), 1)
    renamed = {'changes_since': 'x', 'min_disk': 0, 'min_ram': 512}
    made = ListOpts(**plain, **renamed, name='in:x', visibility='shared')
    assert made.to_image_list_query() == {
        **plain,
        'changes-since': 'x',
        'minDisk': 0,
        'minRam': 512,
        'name': 'eq:in:x',
        'property-visibility': 'shared',
    }
    assert ListOpts(name='').to_image_list_query() == {'name': ''}
    with pytest.raises(AttributeError):
        made.limit = 3


def test_list_has_ids_and_names(api, http):
    body = {'images': [{'id': ID, 'name': 'a'}, {'id': 'b', 'name': None}]}
    http.get(f'{nova.ENDPOINT}/images', json=body)
    where = ~filters.name('x') & filters.name_regex('^.$')
    assert [*api.list()] == [images.ImageRef(ID, 'a'), images.ImageRef('b')]
    for listed in (api.list(where=where), api.list(max_items=1)):
        assert [*listed] == [images.ImageRef(ID, 'a')]


TYPE_ERRORS = [
    (lambda api: api.list_detail(filters.name('x')), 'where='),
    (lambda api: api.list_detail([('name', 'x')]), 'ListOpts'),
    (lambda api: api.list_detail(where={'name': 'x'}), 'and opts for'),
    (lambda api: api.list_detail(where=str), 'use filters.Filter for a'),
    (lambda api: api.list_detail(max_items='3'), 'max_items must be'),
    (lambda api: api.find('x', where='y'), 'filters.Filter'),
    (lambda api: api.find_all('x', where=filters.name), 'filters.Filter'),
    (lambda api: api.get(7), 'uuid.UUID'),
    (lambda api: api.get(images.ServerRef(ID)), 'not ServerRef'),
    (images.ImagesAPI, 'keystoneauth1.adapter.Adapter'),
    (lambda api: api.list(where=NAMED | ACTIVE), r"E'\).*list_detail"),
    (lambda _: filters.created_after(datetime.date.today()), 'not date'),
]
VALUE_ERRORS = [
    (lambda api: api.list_detail(max_items=0), 'max_items must be 1'),
    (lambda api: api.list_detail({'limit': 0}), 'limit must be 1'),
    (lambda api: api.list_detail({'limit': 'x'}), "'x'"),
    (lambda api: api.list_detail({'min_disk': 1}), "'minDisk'"),
    (lambda api: api.list({'visibility': 'public'}), 'property-visib'),
    (lambda api: api.wait_for(ID, 'queued'), 'choose from ACTIVE'),
    (lambda _: ListOpts(visibility='Public'), 'private, public, '),
    (lambda _: ListOpts(limit=0), 'limit must be 1'),
    (lambda _: filters.created_after('yesterday'), 'ISO 8601'),
    (lambda _: filters.created_before('999999999y'), 'ISO 8601'),
    (lambda _: filters.changes_before('0001-01-01T00:00+14:00'), '8601'),
    (lambda _: filters.created_before(NAIVE), 'time zone'),
]


@pytest.mark.parametrize(
    ('kind', 'call', 'told'),
    [
        *((TypeError, *row) for row in TYPE_ERRORS),
        *((ValueError, *row) for row in VALUE_ERRORS),
    ],
)
def test_error_of_an_argument(api, http, kind, call, told):
    with pytest.raises(kind, match=told):
        call(api)
    assert sent(http) == []


def test_representations(api, http, ten):
    opts = {'type': 'x', 'limit': 10}
    pager = api.list_detail(opts, where=SINCE, max_items=3)
    assert f'{api} {pager}' == (
        "<ImagesAPI> <Pager of images, where=created_after('2026-11-15T00:00:"
        "00Z'), opts={'type': 'x'}, max_items=3>"
    )
    pages = api.list_detail({'limit': 10}).pages()
    assert repr([*pages]) == (
        '[<ImagePage with 10 images>, <ImagePage with 0 images, the last>]'
    )


def test_find_with_filter(api, http):
    saving = nova.image(1, name='Größe', status='SAVING')
    listed = [saving, nova.image(2, name='Größe')]
    # Some databases ignore case and trailing spaces.
    listed += [nova.image(3, name='größe'), nova.image(4, name='Größe ')]
    http.get(nova.DETAIL, json={'images': listed})
    http.get(ONE, json={'image': saving})
    active = filters.status('active')
    assert api.find('Größe', where=active).id == nova.image_id(2)
    asked = nova.query_of(http.last_request.url)
    assert (asked['name'], asked['status']) == ('Größe', 'active')
    assert [*api.find_all(ID, where=active)] == []
    assert api.find(ID, where=active, ignore_missing=True) is None
