# SPDX-License-Identifier: Apache-2.0

"""Filters: their query parameters and checks."""

import datetime
import fnmatch
import operator

from keystoneauth1 import adapter
from keystoneauth1 import session
import pytest

from osc_compute_images.api import filters
from osc_compute_images.api import Flavor
from osc_compute_images.api import Image
from osc_compute_images.api import ImageRef
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from osc_compute_images.api import ServerRef
from osc_compute_images.api.groups import summary

GB = 1024**3


def image(**fields):
    return Image(id='i', **fields)


def chosen(one, images):
    return [i.name for i in images if one.matches(i)]


@pytest.mark.parametrize(
    ('opts', 'query'),
    [
        (ListOpts(), {}),
        (
            ListOpts(
                changes_since='2026-11-23T16:11:28Z',
                limit=10,
                marker='m',
                name='n',
                server='s',
                status='queued',
                type='snapshot',
                min_disk=0,
                min_ram=512,
                visibility='shared',
            ),
            {
                'changes-since': '2026-11-23T16:11:28Z',
                'limit': 10,
                'marker': 'm',
                'name': 'n',
                'server': 's',
                'status': 'queued',
                'type': 'snapshot',
                'minDisk': 0,
                'minRam': 512,
                'property-visibility': 'shared',
            },
        ),
        (ListOpts(name='in:x'), {'name': 'eq:in:x'}),
        (ListOpts(name=''), {'name': ''}),
    ],
)
def test_query_of_list_opts(opts, query):
    assert opts.to_image_list_query() == query


@pytest.mark.parametrize('limit', [0, -1])
def test_limit_must_be_positive(limit):
    with pytest.raises(ValueError, match='limit'):
        ListOpts(limit=limit)


def test_list_opts_are_immutable():
    with pytest.raises(AttributeError):
        ListOpts().limit = 3


@pytest.mark.parametrize(
    ('one', 'query'),
    [
        (filters.EVERYTHING, {}),
        (filters.name('a:b'), {'name': 'eq:a:b'}),
        (filters.name_pattern('a*'), {}),
        (filters.status('active'), {'status': 'active'}),
        (filters.status('Saving'), {'status': 'in:queued,saving'}),
        (filters.status('ERROR'), {'status': 'killed'}),
        (filters.status('DELETED'), {'status': 'in:deleted,pending_delete'}),
        (filters.status('UNKNOWN'), {}),
        (filters.status('UNKNOWN', 'ERROR'), {}),
        (filters.image_type('snapshot'), {'property-image_type': 'snapshot'}),
        (filters.image_type('Base'), {}),
        (filters.image_type('SERVER'), {}),
        (filters.image_type('All'), {}),
        (filters.server('s'), {'server': 's'}),
        (filters.server(ServerRef('s')), {'server': 's'}),
        *(
            (filters.property_is(key, 'x'), {f'property-{key}': 'x'})
            for key in (
                *('hw_a', 'img_min_a', 'hw_minimum', 'architecture'),
                *('base_image_ref', 'image_type', 'instance_uuid', 'vm_mode'),
            )
        ),
        (filters.has_property('hw_disk_bus'), {}),
        (
            filters.property_is('hw_disk_bus', 'virtio'),
            {'property-hw_disk_bus': 'virtio'},
        ),
        # Nova strips their first letters.
        (filters.property_is('os_distro', 'ubuntu'), {}),
        (filters.property_is('type', 'x'), {}),
        # Glance has parameters of these names.
        (filters.property_is('visibility', 'x'), {}),
        (filters.property_is('hw_ram_min', '1'), {}),
        (filters.property_is('hw_ram_max', '1'), {}),
        # An empty value finds nothing.
        (filters.property_is('hw_disk_bus', ''), {}),
        (filters.min_disk(exactly=10), {'minDisk': 10}),
        (filters.min_disk(at_least=10), {}),
        (filters.min_ram(exactly=512), {'minRam': 512}),
        (filters.min_ram(exactly=2**31), {}),
        (filters.min_ram(exactly=2**31 - 1), {'minRam': 2**31 - 1}),
        (filters.min_disk(exactly=0), {'minDisk': 0}),
        (filters.min_disk(exactly=-1), {}),
        (filters.boots_on(Flavor('1', 'f', 1, 1)), {'status': 'active'}),
        (
            filters.name('a') & filters.name('b') & filters.server('s'),
            {'name': 'a', 'server': 's'},
        ),
        (filters.EVERYTHING & filters.server('s'), {'server': 's'}),
        (filters.server('s') & filters.EVERYTHING, {'server': 's'}),
    ],
)
def test_query_of_filters(one, query):
    assert dict(one.query) == query


NAMES = ['ubuntu-24.04', 'UBUNTU', 'debian', '', None, 'a[b]', 'two\nlines']


@pytest.mark.parametrize(
    'glob', ['ubuntu*', 'Ubuntu', '*', '?ebian', '[ud]*', 'a[[]b]', 'two*', '']
)
def test_name_pattern_is_a_shell_wildcard(glob):
    images = [image(name=name) for name in NAMES]
    assert chosen(filters.name_pattern(glob), images) == [
        name
        for name in NAMES
        if name is not None and fnmatch.fnmatchcase(name, glob)
    ]


@pytest.mark.parametrize('status', ['active', 'Active', 'ACTIVE'])
def test_statuses_are_compared_in_one_case(status):
    one = image(status=status)
    assert (one.status, one.state) == (status, 'ACTIVE')
    assert filters.status('active').matches(one)
    assert not filters.status('SAVING').matches(one)
    assert filters.boots_on(Flavor('1', 'f', 1, 1)).matches(one)
    others = [image(status='ACTIVE'), image(status='saving')]
    assert [
        s.count for s in summary.summarize([one, *others], ['status'])
    ] == [
        2,
        1,
    ]


def test_an_image_without_a_status_has_none():
    assert image().state is None
    assert not filters.status('ACTIVE').matches(image())


@pytest.mark.parametrize('word', ['', 'queued', 'BOGUS'])
def test_unknown_status_error_lists_statuses(word):
    with pytest.raises(ValueError, match='ACTIVE, SAVING, ERROR, DELETED'):
        filters.status(word)


@pytest.mark.parametrize(
    ('kind', 'names'),
    [
        ('snapshot', ['snapshot']),
        ('base', ['plain']),
        ('server', ['snapshot', 'backup']),
        ('all', ['plain', 'snapshot', 'backup', 'odd']),
        ('SNAPSHOT', []),
        ('7', ['odd']),
    ],
)
def test_image_type(kind, names):
    server = ServerRef('s')
    images = [
        image(name='plain'),
        image(
            name='snapshot', metadata={'image_type': 'snapshot'}, server=server
        ),
        image(name='backup', metadata={'image_type': 'backup'}, server=server),
        image(name='odd', metadata={'image_type': 7}),
    ]
    assert chosen(filters.image_type(kind), images) == names


@pytest.mark.parametrize(
    ('key', 'value', 'matches'),
    [
        ('s', 'x', True),
        ('s', 'X', False),
        ('list', "[{'device': 'vda'}]", True),
        ('list', '[{"device": "vda"}]', False),
        ('number', '7', True),
        ('null', 'None', True),
        ('none', 'None', False),
        ('empty', '', True),
    ],
)
def test_properties_are_compared_as_displayed(key, value, matches):
    metadata = {
        's': 'x',
        'list': [{'device': 'vda'}],
        'number': 7,
        'null': None,
        'empty': '',
    }
    one = filters.property_is(key, value)
    assert one.matches(image(metadata=metadata)) is matches
    has = filters.has_property(key)
    assert has.matches(image(metadata=metadata)) is (key in metadata)


@pytest.mark.parametrize(
    ('how', 'matching'),
    [
        ({'exactly': 5}, [5]),
        ({'at_least': 5}, [5, 6]),
        ({'at_most': 5}, [4, 5]),
        ({'more_than': 5}, [6]),
        ({'less_than': 5}, [4]),
        ({'at_least': 5, 'less_than': 6}, [5]),
        ({'at_least': 0}, [4, 5, 6]),
    ],
)
@pytest.mark.parametrize('field', ['min_disk', 'min_ram', 'size'])
def test_comparisons(field, how, matching):
    one = getattr(filters, field)(**how)
    images = [image(**{field: value}) for value in (4, 5, 6, None)]
    assert [getattr(i, field) for i in images if one.matches(i)] == matching


@pytest.mark.parametrize(
    ('fields', 'disk', 'boots'),
    [
        ({}, 20, True),
        ({'status': 'SAVING'}, 20, False),
        ({'min_ram': 1024}, 20, True),
        ({'min_ram': 1025}, 20, False),
        ({'min_disk': 20, 'size': 20 * GB}, 20, True),
        ({'min_disk': 21}, 20, False),
        ({'size': 20 * GB + 1}, 20, False),
        ({'size': 20 * GB + 1, 'min_disk': 30}, 0, True),
        ({'size': None, 'min_disk': None, 'min_ram': None}, 1, True),
    ],
)
def test_boots_on(fields, disk, boots):
    one = filters.boots_on(Flavor('1', 'f', 1024, disk))
    assert one.matches(image(**{'status': 'ACTIVE', **fields})) is boots


NAMED = filters.name('a')
ACTIVE = filters.status('ACTIVE')
OLDER = filters.created_after('2026-01-01')
NEWER = filters.created_after('2026-02-01')


def test_either_of_two_filters_sends_what_both_send():
    active = filters.status('ACTIVE')
    assert active.query
    for image_type in ('snapshot', 'backup'):
        part = active & filters.image_type(image_type)
        assert (part | active & NAMED).query == active.query
        assert (part | NAMED).query == {}
        assert (part & NAMED).query == {**part.query, **NAMED.query}


@pytest.mark.parametrize(
    ('combined', 'label', 'brief'),
    [
        (NAMED & NAMED, "name('a') & name('a')", True),
        (NAMED & ACTIVE, "name('a') & status('ACTIVE')", False),
        (ACTIVE & NAMED, "status('ACTIVE') & name('a')", False),
        (NAMED | NAMED, "name('a') | name('a')", True),
        (NAMED | ACTIVE, "name('a') | status('ACTIVE')", False),
        (~NAMED, "~name('a')", True),
        (~ACTIVE, "~status('ACTIVE')", False),
        (NAMED & NAMED | NAMED, "(name('a') & name('a')) | name('a')", True),
        (~(NAMED | NAMED), "~(name('a') | name('a'))", True),
        (filters.EVERYTHING, 'EVERYTHING', True),
        (filters.min_disk(at_least=1), 'min_disk(at_least=1)', False),
        (filters.min_ram(at_most=1), 'min_ram(at_most=1)', False),
        (filters.size(more_than=1), 'size(more_than=1)', False),
        (filters.name_pattern('a*'), "name_pattern('a*')", True),
        *(
            (filters.image_type(kind), f'image_type({kind!r})', False)
            for kind in ('base', 'server', 'volume', 'snapshot')
        ),
        (filters.server('s'), "server('s')", False),
        (filters.has_property('k'), "has_property('k')", False),
        (filters.property_is('k', 'v'), "property_is('k', 'v')", False),
        *(
            (make('2026-01-01'), f"{name}('2026-01-01T00:00:00Z')", False)
            for name, make in (
                ('created_after', filters.created_after),
                ('created_before', filters.created_before),
                ('changes_since', filters.changes_since),
                ('changes_before', filters.changes_before),
            )
        ),
        (filters.name_regex('^a'), "name_regex('^a')", True),
        (filters.boots_on(Flavor('1', 'f', 1, 1)), "boots_on('f')", False),
    ],
)
def test_label_and_fields_of_combined_filters(combined, label, brief):
    assert (repr(combined), combined.brief) == (label, brief)


@pytest.mark.parametrize(
    ('combined', 'since'),
    [
        (OLDER & NEWER, NEWER),
        (NEWER & OLDER, NEWER),
        (OLDER & NAMED, OLDER),
        (NAMED & OLDER, OLDER),
        (OLDER | NEWER, OLDER),
        (NEWER | OLDER, OLDER),
        (OLDER | NAMED, NAMED),
        (NAMED | OLDER, NAMED),
        (~OLDER, NAMED),
    ],
    ids=repr,
)
def test_combined_filters_know_the_earliest_time(combined, since):
    assert combined.created_since == since.created_since


def test_everything_is_neutral():
    assert NAMED & filters.EVERYTHING is NAMED
    assert filters.EVERYTHING & NAMED is NAMED
    assert filters.EVERYTHING & filters.EVERYTHING is filters.EVERYTHING
    assert NAMED | filters.EVERYTHING is filters.EVERYTHING
    assert filters.EVERYTHING | NAMED is filters.EVERYTHING


class _Opts:
    def to_image_list_query(self):
        return {}


_WANTED = 'where takes a filter of osc_compute_images.api.filters'


@pytest.mark.parametrize(
    ('where', 'message'),
    [
        (filters.name, 'where=name is a function: call name(...)'),
        ({'a': 1}, f'{_WANTED}; pass query parameters or ListOpts as opts'),
        (_Opts(), f'{_WANTED}; pass query parameters or ListOpts as opts'),
        (7, f'{_WANTED}, not int; use filters.Filter for a function'),
        (image, f'{_WANTED}, not function; use filters.Filter for a function'),
    ],
)
def test_only_filters_are_accepted(where, message):
    api = ImagesAPI(adapter.Adapter(session.Session()))
    with pytest.raises(TypeError) as caught:
        api.list_detail(where=where)
    assert str(caught.value) == message


@pytest.mark.parametrize('matches', [NAMED, 7, None])
def test_filter_is_made_from_a_function(matches):
    with pytest.raises(TypeError) as caught:
        filters.Filter(matches)
    assert str(caught.value) == (
        f'A filter is made from a function of an image, not from '
        f'{type(matches).__name__}'
    )


def test_time_of_a_filter_has_a_zone():
    time = datetime.datetime(2026, 1, 1)
    with pytest.raises(ValueError, match='created_since has no time zone'):
        filters.Filter(bool, created_since=time)


def test_filter_refuses_what_it_cannot_judge():
    ref = ImageRef('i', 'a')
    assert NAMED.matches(ref)
    with pytest.raises(TypeError) as caught:
        ACTIVE.matches(ref)
    assert str(caught.value) == (
        "status('ACTIVE') needs more than the ID and name of an image: list "
        'images with list_detail()'
    )
    for one in (NAMED, ACTIVE):
        with pytest.raises(TypeError) as caught:
            one.matches('i')
        assert str(caught.value) == (
            'A filter is applied to an Image, not to str'
        )
    for operation in (operator.and_, operator.or_):
        with pytest.raises(TypeError, match='unsupported operand'):
            operation(NAMED, bool)
