# SPDX-License-Identifier: Apache-2.0

"""Arguments of lists: filters, options, max_items; and invalid ones."""

import copy
import datetime
import json
import pickle
import uuid

import msgspec
import pytest

from osc_compute_images.api import filters
from osc_compute_images.api import Forbidden
from osc_compute_images.api import Image
from osc_compute_images.api import ImageNotFound
from osc_compute_images.api import ImageRef
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesNotServed
from osc_compute_images.api import InvalidResponse
from osc_compute_images.api import ListOpts
from osc_compute_images.api import ServerRef
from osc_compute_images.api.listing import _order
from testbed import nova
from tests.unit.conftest import sent

ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'


def made(number, created):
    return nova.image(number, created=f'2026-11-{created:02}T00:00:00Z')


def numbers(images):
    return [int(image.id[-4:], 16) for image in images]


@pytest.fixture
def ten(http):
    """Serve ten images, one created on each day."""
    listed = [made(n, 20 - n) for n in range(1, 11)]
    http.get(nova.DETAIL, json=nova.Server(listed))
    return listed


def test_filter_is_sent_and_checked(api, http):
    listed = [nova.image(n, name='x' if n % 2 else 'X') for n in range(1, 6)]
    http.get(nova.DETAIL, json=nova.Server(listed))
    pager = api.list_detail({'limit': 2}, where=filters.name('x'))
    assert numbers(pager) == [1, 3, 5]
    pages = [numbers(page.images) for page in pager.pages()]
    assert pages == [[1], [3], [5]]
    assert all('name=x' in request for request in sent(http))


def test_opts_override_query_of_filter(api, http):
    http.get(nova.DETAIL, json={'images': []})
    where = filters.server('a')
    assert not [*api.list_detail(ListOpts(server='b', limit=3), where=where)]
    assert http.last_request.qs == {'server': ['b'], 'limit': ['3']}


@pytest.mark.parametrize(
    ('where', 'max_items', 'got', 'limits'),
    [
        (None, 3, [1, 2, 3], [3]),
        (filters.EVERYTHING, 10, [*range(1, 11)], [10]),
        (filters.name_pattern('*'), 3, [1, 2, 3], [100]),
        (filters.name_pattern('*-7'), 1, [7], [100]),
    ],
)
def test_max_items(api, http, ten, where, max_items, got, limits):
    pager = api.list_detail(where=where, max_items=max_items)
    assert numbers(pager) == got
    assert sent(http) == [f'GET /v2.1/images/detail?limit={n}' for n in limits]


@pytest.mark.parametrize(
    ('max_items', 'limit', 'sizes'),
    [(1500, 1000, [750, 750]), (5, 2, [2, 2, 2]), (4, 2, [2, 2])],
)
def test_max_items_limits_page_size(api, http, max_items, limit, sizes):
    http.get(nova.DETAIL, json=nova.Server(nova.images(*range(1600))))
    pager = api.list_detail(ListOpts(limit=limit), max_items=max_items)
    assert len([*pager]) == max_items
    asked = [int(request.qs['limit'][0]) for request in _pages(http)]
    assert asked == sizes


def _pages(http):
    return [r for r in http.request_history if r.url.startswith(nova.DETAIL)]


SINCE = filters.created_after('2026-11-15')


@pytest.mark.parametrize(
    ('where', 'got', 'pages'),
    [
        (SINCE, [1, 2, 3, 4, 5], 3),
        (SINCE & filters.created_before('2026-11-18'), [3, 4, 5], 3),
        (SINCE | filters.created_after('2026-11-19'), [1, 2, 3, 4, 5], 3),
        (SINCE & filters.created_after('2026-11-18'), [1, 2], 2),
        (SINCE | filters.name('cirros-9'), [1, 2, 3, 4, 5, 9], 5),
        (~SINCE, [6, 7, 8, 9, 10], 5),
        (filters.created_before('2026-11-15'), [6, 7, 8, 9, 10], 5),
    ],
)
def test_created_after_ends_listing(api, http, ten, where, got, pages):
    pager = api.list_detail(ListOpts(limit=2), where=where)
    assert numbers(pager) == got
    # Ten images have five full pages, and so an empty sixth one.
    assert len(_pages(http)) == (pages if pages < 5 else 6)


def test_created_after_ends_listing_with_images_of_the_same_age(api, http):
    days = [19, 18, 18, 14, 13, 12, 11, 10]
    listed = [made(n, day) for n, day in enumerate(days)]
    http.get(nova.DETAIL, json=nova.Server(listed))
    assert numbers(api.list_detail(ListOpts(limit=2), where=SINCE)) == [
        0,
        1,
        2,
    ]
    assert len(_pages(http)) == 2


@pytest.mark.parametrize(
    'days',
    [
        [10, 11, 12, 13, 14, 15, 16],
        [16, 10, 15, 10, 9, 14],
        # The first images have the same age, so the order is unknown.
        [10, 10, 10, 10, 16, 16, 16],
        # Only the last image is out of order.
        [19, 18, 17, 16, 15, 14, 16],
    ],
)
@pytest.mark.parametrize('limit', [3, 4])
def test_created_after_reads_unsorted_listing_to_the_end(
    api, http, days, limit
):
    listed = [made(n, day) for n, day in enumerate(days)]
    http.get(nova.DETAIL, json=nova.Server(listed))
    pager = api.list_detail(
        ListOpts(limit=limit), where=filters.created_after('2026-11-14')
    )
    expected = [n for n, day in enumerate(days) if day >= 14]
    assert numbers(pager) == expected


@pytest.mark.parametrize('limit', [1, 2])
def test_single_image_does_not_end_listing(api, http, limit):
    listed = [made(n, day) for n, day in enumerate([10, 10, 11, 12, 16])]
    http.get(nova.DETAIL, json=nova.Server(listed))
    pager = api.list_detail(ListOpts(limit=limit), where=SINCE)
    assert numbers(pager) == [4]


def test_image_without_created_does_not_end_listing(api, http):
    listed = [
        made(1, 20),
        made(2, 10),
        nova.image(3, created=None),
        made(4, 20),
    ]
    http.get(nova.DETAIL, json=nova.Server(listed))
    pager = api.list_detail(ListOpts(limit=3), where=SINCE)
    assert numbers(pager) == [1, 4]


def test_created_after_ends_listing_with_marker(api, http, ten):
    opts = ListOpts(limit=2, marker=nova.image_id(4))
    assert numbers(api.list_detail(opts, where=SINCE)) == [5]
    assert len(_pages(http)) == 1


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
        ({'json': {'images': []}}, InvalidResponse),
        ({'json': {'images': [nova.image(1)]}}, InvalidResponse),
        (nova.fault(403, 'forbidden', 'no'), Forbidden),
        (nova.NO_ROUTE, ImagesNotServed),
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


def test_list_accepts_filters_of_id_and_name(api, http):
    body = {'images': [{'id': ID, 'name': 'a'}, {'id': 'b', 'name': None}]}
    http.get(f'{nova.ENDPOINT}/images', json=body)
    where = ~filters.name('x') & filters.name_regex('^.$')
    assert [*api.list(where=where)] == [ImageRef(ID, 'a')]
    assert [*api.list(max_items=1)] == [ImageRef(ID, 'a')]
    assert ImageRef(ID, 'a').to_dict() == {'id': ID, 'name': 'a'}


def test_list_rejects_filters_of_other_fields(api, http):
    where = filters.name('x') | filters.status('ACTIVE')
    with pytest.raises(TypeError, match=r"status\('ACTIVE'\).*list_detail"):
        api.list(where=where)
    with pytest.raises(TypeError, match='list_detail'):
        where.matches(ImageRef(ID, 'x'))
    assert filters.name('x').matches(ImageRef(ID, 'x'))
    assert sent(http) == []


@pytest.mark.parametrize(
    ('call', 'told'),
    [
        (lambda api: api.list_detail(filters.name('x')), 'where='),
        (lambda api: api.list_detail('x'), 'where='),
        (lambda api: api.list_detail([('name', 'x')]), 'ListOpts'),
        (lambda api: api.list_detail(where={'name': 'x'}), 'as opts'),
        (lambda api: api.list_detail(where=ListOpts()), 'as opts'),
        (lambda api: api.list_detail(where=filters.name), r'call name\(...\)'),
        (lambda api: api.list_detail(where=lambda i: True), 'filters.Filter'),
        (lambda api: api.list_detail(where=api), 'filters.Filter'),
        (lambda api: api.list_detail(max_items='3'), 'max_items must be'),
        (lambda api: api.list_detail(first_page_size=True), 'first_page'),
        (lambda api: api.find('x', where='y'), 'filters.Filter'),
        (lambda api: api.find_all('x', where=filters.status), 'call status'),
        (lambda api: api.get(7), 'uuid.UUID'),
        (lambda api: api.delete(None), 'uuid.UUID'),
        (lambda api: api.get(ServerRef(ID)), 'not ServerRef'),
        (lambda api: ImagesAPI(api), 'keystoneauth1.adapter.Adapter'),
        (lambda api: ImagesAPI(api.adapter.session), 'openstacksdk'),
        (lambda api: api.list_detail()[0], r'next\(iter\(pager\), None\)'),
        (lambda api: len(api.list_detail()), r'len\(\[\*pager\]\)'),
        (lambda _: filters.name('x') and filters.name('y'), '&, | and ~'),
        (lambda _: not filters.name('x'), '&, | and ~'),
        (lambda _: filters.name('x') & {'name': 'x'}, 'unsupported operand'),
        (lambda _: filters.name('x') | 'y', 'unsupported operand'),
        (lambda _: filters.Filter(filters.name('x')), 'function of an image'),
        (lambda _: filters.Filter({'name': 'x'}), 'function of an image'),
        (lambda _: filters.name('x').matches({'name': 'x'}), 'not to dict'),
        (lambda _: filters.min_disk('>=', 3), 'positional'),
        (lambda _: filters.min_disk(at_least='3'), 'takes an int, not str'),
        (
            lambda _: filters.boots_on('small'),
            r'^boots_on takes a Flavor, not str: use .*find_flavor',
        ),
        (lambda _: filters.server(7), 'ID'),
        (lambda _: filters.created_after(datetime.date.today()), 'not date'),
    ],
)
def test_wrong_type_is_a_type_error(api, http, call, told):
    with pytest.raises(TypeError, match=told):
        call(api)
    assert sent(http) == []


@pytest.mark.parametrize(
    ('call', 'told'),
    [
        (lambda api: api.list_detail(max_items=0), 'max_items must be 1'),
        (lambda api: api.list_detail(first_page_size=0), '^first_page_size '),
        (lambda api: api.list_detail({'limit': 0}), 'limit must be 1'),
        (lambda api: api.list_detail({'limit': 'x'}), "'x'"),
        (lambda api: api.list_detail({'min_disk': 1}), "'minDisk'"),
        (lambda api: api.list({'visibility': 'public'}), 'property-visib'),
        (lambda _api: ListOpts(visibility='Public'), 'private, public, '),
        (lambda api: api.list_detail({'changes_since': 'x'}), 'changes-since'),
        (lambda _: filters.min_disk(), 'at_least=, at_most=, exactly='),
        (lambda _: filters.status(), 'ACTIVE, SAVING'),
        (lambda _: filters.image_type(), 'at least one'),
        (lambda _: filters.name_regex('('), 'not a regular expression'),
        (lambda _: filters.created_after('yesterday'), 'ISO 8601'),
        (lambda _: filters.created_after(''), 'ISO 8601'),
        (lambda _: filters.changes_before('0001-01-01T00:00+14:00'), '8601'),
        (
            lambda _: filters.created_before(datetime.datetime(2026, 1, 1)),
            'time zone',
        ),
        (
            lambda _: filters.Filter(
                bool,
                created_since=datetime.datetime(2026, 1, 1),
            ),
            'time zone',
        ),
    ],
)
def test_invalid_value_is_a_value_error(api, http, call, told):
    with pytest.raises(ValueError, match=told):
        call(api)
    assert sent(http) == []


@pytest.mark.parametrize(
    ('make', 'matching'),
    [
        (filters.created_after, [2, 3]),
        (filters.created_before, [1]),
        (filters.changes_since, [2, 3]),
        (filters.changes_before, [1]),
    ],
)
@pytest.mark.parametrize(
    'time',
    [
        '2026-11-12T00:00:00Z',
        '2026-11-12',
        '2026-11-12 02:00+02:00',
        datetime.datetime(2026, 11, 12, tzinfo=datetime.UTC),
    ],
)
def test_time_filters(make, time, matching):
    images = [
        Image(
            id=str(day),
            created=f'2026-11-{day + 10}T00:00:00Z',
            updated=f'2026-11-{day + 10}T00:00:00Z',
        )
        for day in (1, 2, 3)
    ]
    images += [Image(id='none'), Image(id='odd', created='x', updated='y')]
    chosen = [i.id for i in images if make(time).matches(i)]
    assert chosen == [*map(str, matching)]


@pytest.mark.parametrize(
    ('where', 'text'),
    [
        (
            filters.name('x') & ~filters.status('saving'),
            "name('x') & ~status('SAVING')",
        ),
        (
            ~(filters.name('x') | filters.size(at_most=1)),
            "~(name('x') | size(at_most=1))",
        ),
        (filters.EVERYTHING, 'EVERYTHING'),
        (filters.Filter(bool), "Filter(<class 'bool'>)"),
        (filters.image_type('a', 'b'), "image_type('a') | image_type('b')"),
        (
            filters.min_ram(at_least=1, less_than=3),
            'min_ram(at_least=1) & min_ram(less_than=3)',
        ),
        (
            filters.created_after('2026-11-12'),
            "created_after('2026-11-12T00:00:00Z')",
        ),
    ],
)
def test_repr_of_filters(where, text):
    assert repr(where) == text


def test_repr_of_other_objects(api, http, ten):
    assert repr(api) == '<ImagesAPI>'
    pager = api.list_detail({'type': 'x'}, where=SINCE, max_items=3)
    assert repr(pager) == (
        "<Pager of images, where created_after('2026-11-15T00:00:00Z'), "
        "by {'type': 'x'}, at most 3>"
    )
    assert repr(api.list()) == '<Pager of images>'
    (page,) = api.list_detail().pages()
    assert repr(page) == '<ImagePage with 10 images, the last>'
    assert repr(page.images[0]) == (
        f"<Image {nova.image_id(1)} 'cirros-1' ACTIVE>"
    )


@pytest.mark.parametrize(
    'hostile', ['x' * 500, '\x1b[2J\u202e\n' * 50, '\N{CAT FACE}' * 300]
)
def test_repr_of_image_is_one_printable_line(hostile):
    image = Image(id=nova.image_id(1), name=hostile, status='ACTIVE')
    for record in (image, ImageRef(image.id, hostile)):
        text = repr(record)
        assert text.isprintable()
        assert len(text) < 160


FULL = Image(
    id=ID,
    name='x',
    server=ServerRef('s'),
    metadata={'a': 'b', 'list': [{'device': ['vda']}], 'map': {'k': {}}},
)


def test_to_dict():
    fields = FULL.to_dict()
    assert fields == {
        'id': ID,
        'name': 'x',
        'status': None,
        'progress': None,
        'min_disk': None,
        'min_ram': None,
        'created': None,
        'updated': None,
        'size': None,
        'metadata': {
            'a': 'b',
            'list': [{'device': ['vda']}],
            'map': {'k': {}},
        },
        'disk_config': None,
        'server_id': 's',
    }
    # It is a copy.
    fields['metadata']['list'][0]['device'].append('vdb')
    fields['metadata']['map']['k']['x'] = 1
    assert FULL.metadata['list'] == [{'device': ['vda']}]
    assert json.loads(json.dumps(FULL.to_dict())) == FULL.to_dict()
    assert type(fields['metadata']) is dict
    assert type(fields['metadata']['list']) is list


def test_hash_and_equality_of_images():
    newer = msgspec.structs.replace(FULL, name='y')
    assert newer != FULL
    assert hash(newer) == hash(FULL)
    assert {FULL: 1}[pickle.loads(pickle.dumps(FULL))] == 1
    assert copy.deepcopy(FULL) == copy.copy(FULL) == FULL


@pytest.mark.parametrize('make', [str, uuid.UUID, ImageRef, lambda i: FULL])
def test_methods_accept_ids_and_images(api, http, make):
    http.get(ONE, json={'image': nova.image(1)})
    http.delete(ONE, status_code=204)
    http.get(f'{ONE}/metadata', json={'metadata': {'a': 'b'}})
    one = make(ID)
    assert api.get(one).id == api.find(one).id == api.wait_for(one).id == ID
    assert api.get_metadata(one) == {'a': 'b'}
    assert api.delete(one) is None


def test_ignore_missing(api, http):
    http.get(nova.DETAIL, json={'images': []})
    http.delete(ONE, **nova.NOT_FOUND)
    http.get(f'{nova.ENDPOINT}/images/x', **nova.NOT_FOUND)
    assert api.find('x', ignore_missing=True) is None
    assert api.delete(ID, ignore_missing=True) is None
    with pytest.raises(ImageNotFound):
        api.find('x')
    with pytest.raises(ImageNotFound):
        api.delete(ID)


def test_find_with_filter(api, http):
    http.get(
        nova.DETAIL,
        json={
            'images': [
                nova.image(1, name='x', status='SAVING'),
                nova.image(2, name='x'),
            ]
        },
    )
    http.get(ONE, json={'image': nova.image(1, status='SAVING')})
    active = filters.status('active')
    assert api.find('x', where=active).id == nova.image_id(2)
    assert [*api.find_all(ID, where=active)] == []
    assert api.find(ID, where=active, ignore_missing=True) is None


def test_times_are_sent_in_utc(set_zone):
    set_zone('America/New_York')
    assert filters.changes_since('2026-01-01T12:00:00+02:00').query == {
        'changes-since': '2026-01-01T10:00:00Z'
    }
    assert filters.changes_since('2026-01-01T12:00:00').query == {
        'changes-since': '2026-01-01T12:00:00Z'
    }


def test_listing_is_over_only_if_images_arrive_newest_first():
    def over(*pages):
        order = _order.Order()
        since = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
        return [
            order.is_older(
                [
                    Image(id='x', created=f'2026-11-{day:02}T00:00:00Z')
                    for day in page
                ],
                since,
            )
            for page in pages
        ]

    assert over([25, 21], [20, 19]) == [False, True]
    # Once they have not, their order means nothing.
    assert over([21, 25], [19, 18], [17, 16]) == [False] * 3
    # Images of the same age do not reveal it.
    assert over([19, 19]) == [False]
    assert over([25, 19, 19]) == [True]
    assert over([25, 19], [19]) == [True, True]
