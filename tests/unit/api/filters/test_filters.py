# SPDX-License-Identifier: Apache-2.0

"""What each filter selects, sends and says; test_algebra combines them."""

import datetime

import pytest

from osc_compute_images.api import filters
from osc_compute_images.api import Flavor
from osc_compute_images.api import Image
from osc_compute_images.api import ImageRef
from osc_compute_images.api import ServerRef

GB = 1024**3

#: What filters are made of. SMALL has 1 GB of memory and 20 GB of disk.
NAMES = {
    'DISKLESS': Flavor('1', 'f', 1024, 0),
    'ImageRef': ImageRef,
    'NAIVE': datetime.datetime(2026, 1, 1),
    'SMALL': Flavor('1', 'f', 1024, 20),
}


def image(**fields):
    return Image(id='i', **fields)


def made(text):
    """Make a filter from its repr."""
    return eval(text, vars(filters) | NAMES)


#: The parameters that are sent for a filter, by its repr.
QUERIES = {
    'EVERYTHING': {},
    "name('a:b')": {'name': 'eq:a:b'},
    "name_pattern('a*')": {},
    "name_regex('^a')": {},
    "status('ACTIVE')": {'status': 'active'},
    "status('SAVING')": {'status': 'in:queued,saving'},
    "status('ERROR')": {'status': 'killed'},
    "status('DELETED')": {'status': 'in:deleted,pending_delete'},
    "status('UNKNOWN', 'ERROR')": {},
    "status('DELETED', 'UNKNOWN', 'ERROR', 'SAVING', 'ACTIVE')": {},
    "image_type('snapshot')": {'property-image_type': 'snapshot'},
    "image_type('Base')": {},
    "image_type('volume')": {},
    "server('s')": {'server': 's'},
    "has_property('hw_a')": {},
    "property_is('hw_a', 'x')": {'property-hw_a': 'x'},
    'min_disk(exactly=0)': {'minDisk': 0},
    'min_disk(exactly=-1)': {},
    'min_ram(at_least=3, exactly=2147483647)': {'minRam': 2**31 - 1},
    'min_ram(exactly=2147483648)': {},
    "created_after('2026-01-01T00:00:00Z')": {},
    "created_before('2026-01-01T00:00:00Z')": {},
    "changes_since('2026-01-01T00:00:00Z')": {
        'changes-since': '2026-01-01T00:00:00Z'
    },
    "changes_before('2026-01-01T00:00:00Z')": {},
    "(name('a') & name('b')) & server('s')": {'name': 'a', 'server': 's'},
    "name('a') | name('a')": {'name': 'a'},
    "~(name('a') | server('s'))": {},
}


@pytest.mark.parametrize('text', QUERIES)
def test_query_and_label_of_filters(text):
    one = made(text)
    assert (repr(one), one.query) == (text, QUERIES[text])


def test_labels_and_queries_of_other_filters():
    assert repr(filters.Filter(bool)) == "Filter(<class 'bool'>)"
    assert repr(filters.status('Active', 'ACTIVE')) == "status('ACTIVE')"
    assert filters.image_type('All') is filters.EVERYTHING
    assert filters.server(ServerRef('s')).query == {'server': 's'}
    one = filters.boots_on(NAMES['SMALL'])
    assert (repr(one), one.query) == ("boots_on('f')", {'status': 'active'})


@pytest.mark.parametrize(
    ('text', 'hint'),
    [
        ('size(at_least=5)', 5),
        ('size(more_than=0)', 1),
        ('size(exactly=9, at_least=3, more_than=7)', 9),
        ('size(exactly=2**63 - 1)', 2**63 - 1),
        ('size(exactly=2**63)', None),
        ('size(at_least=0, at_most=3)', None),
        ('min_disk(at_least=5)', None),
        ("created_before('2026-01-01')", 'lt:2026-01-01T00:00:02Z'),
        ("created_before('9999-12-31T23:59:59Z')", None),
        ("size(at_least=5) & name('x')", 5),
        ("size(at_least=5) & created_before('9999-12-31T23:59:59Z')", 5),
        ('size(at_least=5) | size(at_least=5)', 5),
        ('~size(at_least=5)', None),
    ],
)
def test_hints_for_servers_that_filter(text, hint):
    name = 'property-created_at' if 'lt' in str(hint) else 'property-size_min'
    assert made(text).hints == ({} if hint is None else {name: hint})


def test_properties_that_nova_filters():
    for key in (
        *('hw_a', 'img_min_a', 'hw_minimum', 'architecture', 'vm_mode'),
        *('base_image_ref', 'image_type', 'instance_uuid'),
    ):
        query = filters.property_is(key, 'x').query
        assert query == {f'property-{key}': 'x'}
        # An empty value finds nothing.
        assert not filters.property_is(key, '').query
    # Nova strips their first letters, or Glance has such parameters.
    for key in ('os_distro', 'type', 'visibility', 'hw_ram_min', 'hw_ram_max'):
        assert not filters.property_is(key, 'x').query


def having(**metadata):
    """Return the fields of an image with these properties."""
    return {'metadata': metadata}


PLAIN = having()
SNAPSHOT = having(image_type='snapshot') | {'server': ServerRef('s')}
MAPPED = having(block_device_mapping=[]) | {'size': 0}
ODD = having(image_type=7)
LIST = having(s=[{'device': 'vda'}])
BOOTS = {'status': 'active', 'min_ram': 1024}


@pytest.mark.parametrize(
    ('text', 'matching', 'others'),
    [
        ("image_type('snapshot')", [SNAPSHOT], [PLAIN, ODD, MAPPED]),
        ("image_type('base')", [PLAIN], [SNAPSHOT, ODD, MAPPED]),
        ("image_type('Volume')", [MAPPED], [PLAIN, SNAPSHOT, ODD]),
        ("image_type('server')", [SNAPSHOT], [PLAIN, ODD, MAPPED]),
        ("image_type('all')", [PLAIN, SNAPSHOT, ODD, MAPPED], []),
        ("image_type('SNAPSHOT')", [], [SNAPSHOT]),
        ("image_type('7', 'x')", [ODD], [SNAPSHOT]),
        ("server('s')", [SNAPSHOT], [PLAIN]),
        ("name('a')", [{'name': 'a'}], [{'name': 'A'}, {'name': None}]),
        # Properties are compared as displayed.
        ("property_is('s', 'x')", [having(s='x')], [having(s='X')]),
        ("""property_is('s', "[{'device': 'vda'}]")""", [LIST], [PLAIN]),
        ("""property_is('s', '[{"device": "vda"}]')""", [], [LIST]),
        ("property_is('s', '7')", [having(s=7), having(s='7')], [PLAIN]),
        ("property_is('s', 'None')", [having(s=None)], [PLAIN]),
        ("property_is('s', '')", [having(s='')], [PLAIN]),
        ('size(at_least=5)', [{'size': 5}], [{'size': 4}, {'size': None}]),
        (
            "changes_before('2026-01-02')",
            [{'updated': '2026-01-01'}],
            [{'updated': '2026-01-02T00:00:00Z'}, {'updated': ''}],
        ),
        ("has_property('s')", [having(s=None)], [PLAIN, having(x='s')]),
        (
            "status('Active')",
            [{'status': s} for s in ('active', 'Active', 'ACTIVE')],
            [PLAIN, {'status': 'x'}],
        ),
        (
            'boots_on(SMALL)',
            [
                BOOTS,
                BOOTS | {'min_disk': 20, 'size': 20 * GB},
                BOOTS | {'min_ram': None},
                BOOTS | MAPPED | {'min_disk': 30},
            ],
            [
                BOOTS | {'status': 'SAVING'},
                BOOTS | {'min_ram': 1025},
                BOOTS | {'min_disk': 21},
                BOOTS | {'size': 20 * GB + 1},
            ],
        ),
        (
            'boots_on(DISKLESS)',
            [BOOTS | {'min_disk': 21, 'size': GB}],
            [BOOTS | {'min_ram': 1025}],
        ),
    ],
)
def test_filter_selects(text, matching, others):
    one = made(text)
    assert all(one.matches(image(**fields)) for fields in matching)
    assert not any(one.matches(image(**fields)) for fields in others)


@pytest.mark.parametrize(
    ('text', 'is_brief', 'since'),
    [
        ("name('a') & name('b')", True, None),
        ("name_pattern('a*') | name_regex('a')", True, None),
        ("~name('a')", True, None),
        ("name('a') & status('ACTIVE')", False, None),
        ("status('ACTIVE') | name('a')", False, None),
        ("~status('ACTIVE')", False, None),
        ("created_after('2026') & created_after('2025')", False, 2026),
        ("created_after('2025') & created_after('2026')", False, 2026),
        ("name('a') & created_after('2025')", False, 2025),
        ("created_after('2025') | created_after('2026')", False, 2025),
        ("created_after('2026') | created_after('2025')", False, 2025),
        ("created_after('2026') | name('a')", False, None),
        ("~created_after('2026')", False, None),
    ],
)
def test_what_combined_filters_need(text, is_brief, since):
    one = made(text)
    assert one.brief is is_brief
    assert (one.created_since and one.created_since.year) == since
    if is_brief:
        assert one.matches(ImageRef('i', 'a')) in (True, False)


def test_everything_is_neutral():
    everything, one = filters.EVERYTHING, filters.name('a')
    assert one & everything is everything & one is one
    assert one | everything is everything | one is everything


#: What is wrong, by what is said of it.
TYPE_ERRORS = {
    'A filter is made from a function of an image, not from Filter': (
        'Filter(name("x"))'
    ),
    'A filter is applied to an Image, not to dict': 'name("x").matches({})',
    "status('ERROR') needs more than the ID and name of an image: list images "
    'with list_detail()': 'status("error").matches(ImageRef("i"))',
    'A filter has no truth value: combine filters with &, | and ~ instead of '
    '"and", "or" and "not", or compare with None': 'name("x") and name("y")',
    "unsupported operand type(s) for &: 'Filter' and 'int'": 'name("x") & 1',
    "unsupported operand type(s) for |: 'Filter' and 'int'": 'name("x") | 1',
    'server takes an ID, not int': 'server(7)',
    'property_is takes a str as value, not bool': 'property_is("k", True)',
    'boots_on takes a Flavor, not str: use ImagesAPI.find_flavor()': (
        'boots_on("small")'
    ),
    'size(at_least=...) takes an int, not str': 'size(at_least="3")',
}
VALUE_ERRORS = {
    'created_since has no time zone': 'Filter(bool, created_since=NAIVE)',
    'status takes one or more of ACTIVE, SAVING, ERROR, DELETED, UNKNOWN, not '
    "'Active', 'queued'": 'status("Active", "queued")',
    'status takes one or more of ACTIVE, SAVING, ERROR, DELETED, UNKNOWN, not '
    'none': 'status()',
    'image_type takes at least one type': 'image_type()',
    'size takes at least one of at_least=, at_most=, exactly=, more_than=, '
    'less_than=': 'size()',
}


@pytest.mark.parametrize('told', [*TYPE_ERRORS, *VALUE_ERRORS])
def test_error_of_an_argument(told):
    kind = TypeError if told in TYPE_ERRORS else ValueError
    with pytest.raises(kind) as caught:
        made((TYPE_ERRORS | VALUE_ERRORS)[told])
    assert str(caught.value) == told
