# SPDX-License-Identifier: Apache-2.0

"""Combined filters, compared with sets and with a model of Nova's filters."""

import operator

from hypothesis import given
import hypothesis.strategies as st
from keystoneauth1 import adapter
import msgspec
import pytest
import requests_mock

from osc_compute_images.api import filters
from osc_compute_images.api import Flavor
from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from testbed import nova
from testbed import nova_filters
from tests.unit.conftest import new_session
from tests.unit.conftest import set_catalog
from tests.unit.project.examples import examples

TIMES = [
    f'2026-11-2{day}T00:00:0{second}Z' for day in '123' for second in '01'
]
KEYS = ['hw_disk_bus', 'os_distro', 'image_type', 'hw_ram_max', 'type']
VALUES = ['virtio', 'snapshot', '7', '']
NAMES = ['web-1', 'WEB-1', 'in:web-1', 'eq:x', 'a,b', '']
SERVERS = [nova.image_id(n) for n in (7, 8)]


@st.composite
def entries(draw):
    """Draw a record of an image, with its status in Glance."""
    status = draw(st.sampled_from([*nova_filters.GLANCE_STATUSES]))
    metadata = draw(
        st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))
    )
    more = {}
    server = draw(st.none() | st.sampled_from(SERVERS))
    if server is not None:
        metadata['instance_uuid'] = server
        more['server'] = {'id': server, 'links': []}
    size = draw(st.sampled_from([0, 5, 2 * 1024**3]))
    if not size and draw(st.booleans()):
        metadata['block_device_mapping'] = [{'snapshot_id': 'x'}]
    return nova.image(
        name=draw(st.none() | st.sampled_from(NAMES)),
        status=status,
        minDisk=draw(st.integers(0, 3)),
        minRam=draw(st.integers(0, 3)),
        created=draw(st.sampled_from(TIMES)),
        updated=draw(st.sampled_from(TIMES)),
        metadata=metadata,
        **{
            'OS-EXT-IMG-SIZE:size': size,
            nova_filters.STATUS: draw(
                st.sampled_from(nova_filters.GLANCE_STATUSES[status])
            ),
        },
        **more,
    )


LISTS = st.lists(entries(), max_size=12).map(
    lambda listed: [
        {**entry, 'id': nova.image_id(number)}
        for number, entry in enumerate(listed)
    ]
)


COMPARE = {
    'at_least': operator.ge,
    'at_most': operator.le,
    'exactly': operator.eq,
    'more_than': operator.gt,
    'less_than': operator.lt,
}


def numbers(make, field):
    """Make filters by a number, and simple functions that select the same."""

    def pair(how):
        return make(**how), lambda image: all(
            COMPARE[word](getattr(image, field), number)
            for word, number in how.items()
        )

    words = st.sampled_from([*COMPARE])
    return st.dictionaries(words, st.integers(0, 3), min_size=1).map(pair)


def times(make, field, compare):
    return st.sampled_from(TIMES).map(
        lambda time: (
            make(time),
            lambda image: compare(getattr(image, field), time),
        )
    )


OTHERS = (
    st.just(filters.EVERYTHING),
    st.sampled_from(NAMES).map(filters.name),
    st.sampled_from(['w*', '?', '*:*']).map(filters.name_pattern),
    st.sampled_from(['(?i)^web', '1$', ':']).map(filters.name_regex),
    st.lists(st.sampled_from(filters.STATUSES), min_size=1, max_size=3).map(
        lambda words: filters.status(*words)
    ),
    st.lists(
        st.sampled_from(['base', 'server', 'volume', 'all', *VALUES]),
        min_size=1,
        max_size=2,
    ).map(lambda kinds: filters.image_type(*kinds)),
    st.sampled_from(SERVERS).map(filters.server),
    st.sampled_from(KEYS).map(filters.has_property),
    st.builds(
        filters.property_is, st.sampled_from(KEYS), st.sampled_from(VALUES)
    ),
    st.integers(0, 2).map(
        lambda disk: filters.boots_on(Flavor('1', 'f', 2, disk))
    ),
)
LEAVES = st.one_of(
    numbers(filters.min_disk, 'min_disk'),
    numbers(filters.min_ram, 'min_ram'),
    numbers(filters.size, 'size'),
    times(filters.created_after, 'created', operator.ge),
    times(filters.created_before, 'created', operator.lt),
    times(filters.changes_since, 'updated', operator.ge),
    times(filters.changes_before, 'updated', operator.lt),
    *(each.map(lambda one: (one, one.matches)) for each in OTHERS),
)


#: Filters, and how they are combined: an operator and its operands.
TREES = st.recursive(
    st.tuples(LEAVES),
    lambda inner: st.one_of(
        st.tuples(st.just(operator.and_), inner, inner),
        st.tuples(st.just(operator.or_), inner, inner),
        st.tuples(st.just(operator.invert), inner),
    ),
    max_leaves=6,
)


def combined(tree, value_of):
    """Combine the filters of a tree, or their values."""
    first, *operands = tree
    if not operands:
        return value_of(first)
    return first(*(combined(each, value_of) for each in operands))


@pytest.mark.no_cover
@given(
    LISTS,
    TREES,
    st.integers(1, 5),
    st.none() | st.integers(1, 5),
    st.booleans(),
    st.booleans(),
)
@examples(250)
def test_listing_agrees_with_sets(
    listed, tree, limit, max_items, newest_first, supported
):
    if newest_first:
        listed.sort(key=lambda entry: entry['created'], reverse=True)
    images = [msgspec.convert(nova_filters.shown(i), Image) for i in listed]
    where = combined(tree, lambda pair: pair[0])
    # A set of images is a number with a bit for each.
    chosen = combined(
        tree,
        lambda pair: sum(pair[1](i) << n for n, i in enumerate(images)),
    )
    expected = [i.id for n, i in enumerate(images) if chosen >> n & 1]
    assert [i.id for i in images if where.matches(i)] == expected
    with requests_mock.Mocker() as mocker:
        set_catalog(mocker, {'RegionOne': nova.ENDPOINT})
        server = nova.Nova(listed)
        server.filters = supported
        mocker.get(nova.DETAIL, text=nova.mocked(nova.ENDPOINT, server.answer))
        api = ImagesAPI(adapter.Adapter(new_session(), service_type='compute'))
        pager = api.list_detail(
            {'limit': limit}, where=where, max_items=max_items
        )
        assert [image.id for image in pager] == expected[:max_items]
