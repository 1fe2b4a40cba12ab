# SPDX-License-Identifier: Apache-2.0

"""What each filter selects and sends; test_algebra combines them."""

import pytest

from osc_compute_images.api import filters
from osc_compute_images.api import Flavor
from osc_compute_images.api import Image
from osc_compute_images.api import ImageRef
from osc_compute_images.api import ListOpts
from osc_compute_images.api import ServerRef

GB = 1024**3


def image(**fields):
    return Image(id='i', **fields)


def test_query_of_list_opts():
    for opts, query in (
        ({}, {}),
        ({'name': 'in:x'}, {'name': 'eq:in:x'}),
        ({'name': ''}, {'name': ''}),
        ({'changes_since': 'x'}, {'changes-since': 'x'}),
        ({'min_disk': 0, 'min_ram': 512}, {'minDisk': 0, 'minRam': 512}),
        ({'visibility': 'shared'}, {'property-visibility': 'shared'}),
        *(
            ({key: 'x'}, {key: 'x'})
            for key in ('marker', 'name', 'server', 'status', 'type')
        ),
        ({'limit': 10}, {'limit': 10}),
    ):
        made = ListOpts(**opts)
        assert made.to_image_list_query() == query
        with pytest.raises(AttributeError):
            made.limit = 3


NAMED = filters.name('a')
ACTIVE = filters.status('Active')

#: Filters as they are written and shown, and the parameters that are sent.
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
    "image_type('snapshot')": {'property-image_type': 'snapshot'},
    "image_type('Base')": {},
    "image_type('SERVER')": {},
    "image_type('volume')": {},
    "server('s')": {'server': 's'},
    "has_property('hw_a')": {},
    "property_is('hw_a', 'x')": {'property-hw_a': 'x'},
    'min_disk(exactly=0)': {'minDisk': 0},
    'min_disk(exactly=-1)': {},
    'min_ram(at_least=3, exactly=2147483647)': {'minRam': 2**31 - 1},
    'min_ram(exactly=2147483648)': {},
    'size(exactly=3)': {},
    "created_after('2026-01-01T00:00:00Z')": {},
    "created_before('2026-01-01T00:00:00Z')": {},
    "changes_since('2026-01-01T00:00:00Z')": {
        'changes-since': '2026-01-01T00:00:00Z'
    },
    "changes_before('2026-01-01T00:00:00Z')": {},
    "(name('a') & name('b')) & server('s')": {'name': 'a', 'server': 's'},
    "name('a') | name('a')": {'name': 'a'},
    "name('a') | server('s')": {},
    "~name('a')": {},
    "~(name('a') | server('s'))": {},
}


@pytest.mark.parametrize('text', QUERIES)
def test_query_and_label_of_filters(text):
    one = eval(text, vars(filters).copy())
    assert (repr(one), one.query) == (text, QUERIES[text])


def test_labels_and_queries_of_other_filters():
    assert repr(filters.Filter(bool)) == "Filter(<class 'bool'>)"
    assert repr(ACTIVE) == "status('ACTIVE')"
    assert filters.image_type('All') is filters.EVERYTHING
    assert filters.server(ServerRef('s')).query == {'server': 's'}
    one = filters.boots_on(Flavor('1', 'f', 1, 1))
    assert (repr(one), one.query) == ("boots_on('f')", {'status': 'active'})


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
LIST = [{'device': 'vda'}]
#: A flavor of 1 GB of memory and 20 GB of disk, and one without a disk.
SMALL = filters.boots_on(Flavor('1', 'f', 1024, 20))
DISKLESS = filters.boots_on(Flavor('1', 'f', 1024, 0))
BOOTS = {'status': 'active', 'min_ram': 1024}


@pytest.mark.parametrize(
    ('one', 'matching', 'others'),
    [
        (filters.image_type('snapshot'), [SNAPSHOT], [PLAIN, ODD, MAPPED]),
        (filters.image_type('base'), [PLAIN], [SNAPSHOT, ODD, MAPPED]),
        (filters.image_type('Volume'), [MAPPED], [PLAIN, SNAPSHOT, ODD]),
        (filters.image_type('server'), [SNAPSHOT], [PLAIN, ODD, MAPPED]),
        (filters.image_type('all'), [PLAIN, SNAPSHOT, ODD, MAPPED], []),
        (filters.image_type('SNAPSHOT'), [], [SNAPSHOT]),
        (filters.image_type('7', 'x'), [ODD], [SNAPSHOT]),
        # Properties are compared as displayed.
        (filters.property_is('s', 'x'), [having(s='x')], [having(s='X')]),
        (filters.property_is('s', str(LIST)), [having(s=LIST)], [PLAIN]),
        (
            filters.property_is('s', '[{"device": "vda"}]'),
            [],
            [having(s=LIST)],
        ),
        (filters.property_is('s', '7'), [having(s=7), having(s='7')], [PLAIN]),
        (filters.property_is('s', 'None'), [having(s=None)], [PLAIN]),
        (filters.property_is('s', ''), [having(s='')], [PLAIN]),
        (filters.has_property('s'), [having(s=None)], [PLAIN, having(x='s')]),
        (
            ACTIVE,
            [{'status': s} for s in ('active', 'Active', 'ACTIVE')],
            [PLAIN, {'status': 'x'}],
        ),
        (
            SMALL,
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
            DISKLESS,
            [BOOTS | {'min_disk': 21, 'size': GB}],
            [BOOTS | {'min_ram': 1025}],
        ),
    ],
    ids=str,
)
def test_filter_selects(one, matching, others):
    assert all(one.matches(image(**fields)) for fields in matching)
    assert not any(one.matches(image(**fields)) for fields in others)


@pytest.mark.parametrize('field', ['min_disk', 'min_ram', 'size'])
def test_comparisons(field):
    images = [image(**{field: value}) for value in (4, 5, 6, None)]
    for how, matching in (
        ({'exactly': 5}, [5]),
        ({'at_least': 5}, [5, 6]),
        ({'at_most': 5}, [4, 5]),
        ({'more_than': 5}, [6]),
        ({'less_than': 5}, [4]),
        ({'at_least': 5, 'less_than': 6}, [5]),
        ({'at_least': 0}, [4, 5, 6]),
    ):
        one = getattr(filters, field)(**how)
        chosen = [getattr(i, field) for i in images if one.matches(i)]
        assert chosen == matching


@pytest.mark.parametrize(
    ('make', 'matching'),
    [
        (filters.created_after, ['2', '3']),
        (filters.created_before, ['1']),
        (filters.changes_since, ['2', '3']),
        (filters.changes_before, ['1']),
    ],
)
def test_time_filters(make, matching):
    times = {'1': '2026-11-11', '2': '2026-11-12', '3': '2026-11-13', '4': ''}
    field = 'created' if 'created' in make.__name__ else 'updated'
    images = [image(name=n, **{field: t}) for n, t in times.items()]
    for time in ('2026-11-12T00:00:00Z', '2026-11-12 02:00+02:00'):
        one = make(time)
        chosen = [i.name for i in (*images, image()) if one.matches(i)]
        assert chosen == matching


def test_filters_of_brief_records():
    patterns = filters.name_pattern('a*') | filters.name_regex('a')
    for combined in (NAMED & NAMED, ~NAMED, filters.EVERYTHING, patterns):
        assert combined.brief
        assert combined.matches(ImageRef('i', 'a')) in (True, False)
    for combined in (NAMED & ACTIVE, ACTIVE | NAMED, ~ACTIVE):
        assert not combined.brief


def test_everything_is_neutral():
    everything = filters.EVERYTHING
    assert NAMED & everything is everything & NAMED is NAMED
    assert NAMED | everything is everything | NAMED is everything


def test_combined_filters_know_the_earliest_time():
    older, newer = map(filters.created_after, ('2026-01-01', '2026-02-01'))
    for combined, one in (
        *((older & newer, newer), (newer & older, newer)),
        *((NAMED & older, older), (older | newer, older)),
        *((newer | older, older), (older | NAMED, NAMED), (~older, NAMED)),
    ):
        assert combined.created_since == one.created_since, combined
