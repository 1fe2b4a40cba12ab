# SPDX-License-Identifier: Apache-2.0

"""Newest images and summaries, compared with simple implementations."""

import datetime

from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.api import Image
from osc_compute_images.api import InvalidResponse
from osc_compute_images.api import ServerRef
from osc_compute_images.api.groups import selection
from osc_compute_images.api.groups import summary
from testbed import nova
from tests.unit.conftest import sent
from tests.unit.project.examples import examples

BEGIN = datetime.datetime(2026, 1, 1)


def image(age, name='n', **fields):
    """Return an image of this age in days."""
    created = BEGIN - datetime.timedelta(days=age)
    return Image(
        id=f'{name}-{age}',
        name=name,
        created=created.isoformat() + 'Z',
        **fields,
    )


def ids(images):
    return [i.id for i in images]


class Pages:
    """A pager that counts the requested pages."""

    def __init__(self, *pages):
        self._pages = pages
        self.asked = 0

    def pages(self):
        for page in self._pages:
            self.asked += 1
            yield type('Page', (), {'images': page})


def test_newest_ends_listing_early():
    pages = Pages([image(1)], [image(2), image(3)], [image(4)], [image(5)])
    assert ids(selection.newest(pages, 2)) == ['n-1', 'n-2']
    assert pages.asked == 2


def test_one_key_of_groups_may_be_a_text():
    images = [image(2), image(1), image(1, 'a')]
    assert [*selection.newest(images, group_by='status')] == [
        *selection.newest(images, group_by=['status'])
    ]


def test_images_of_equal_age_do_not_end_listing():
    pages = Pages([image(3, 'a')], [image(3, 'b')], [image(2)], [image(1)])
    assert ids(selection.newest(pages)) == ['n-1']
    pages = Pages([image(3, 'a')], [image(3, 'b')], [image(4)], [image(5)])
    assert ids(selection.newest(pages)) == ['a-3']
    assert pages.asked == 3


def test_newest_per_group_is_lazy():
    pages = Pages(
        [image(1, 'a'), image(2, 'b'), image(2, 'a')],
        [image(3, 'a'), image(4, 'c')],
    )
    found = selection.newest(pages, group_by=['name'])
    assert next(found).id == 'a-1'
    assert next(found).id == 'b-2'
    assert pages.asked == 1
    assert ids(found) == ['c-4']
    pages = Pages([image(1, 'a'), image(2, 'b')], [image(3, 'a'), image(4)])
    assert ids(selection.newest(pages, 2, group_by=['name'])) == [
        *('a-1', 'b-2', 'a-3', 'n-4')
    ]


def test_unsorted_listing_is_read_to_the_end():
    pages = Pages([image(5), image(3)], [image(1), image(4)])
    assert ids(selection.newest(pages, 2)) == ['n-1', 'n-3']
    assert pages.asked == 2
    pages = Pages([image(5, 'a'), image(3, 'b')], [image(1, 'a'), image(9)])
    assert ids(selection.newest(pages, group_by=['name'])) == [
        'a-1',
        'b-3',
        'n-9',
    ]


def test_late_change_of_order_is_an_error_if_it_matters():
    pages = Pages([image(3, 'a'), image(4, 'a')], [image(1, 'a')])
    found = selection.newest(pages, group_by=['name'])
    assert next(found).id == 'a-3'
    with pytest.raises(InvalidResponse, match='newest'):
        next(found)
    # In another group it does not matter.
    pages = Pages(
        [image(3, 'a'), image(4, 'a')], [image(9, 'a'), image(1, 'b')]
    )
    assert ids(selection.newest(pages, group_by=['name'])) == ['a-3', 'b-1']


def test_images_of_equal_age_keep_their_order():
    pages = [image(1, 'a'), image(1, 'b'), image(1, 'c')]
    assert ids(selection.newest(pages, 2)) == ['a-1', 'b-1']


def test_image_without_created_is_the_oldest():
    images = [Image(id='x'), image(9), Image(id='y', created='soon')]
    assert ids(selection.newest(images, 2)) == ['n-9', 'x']


@pytest.mark.parametrize('count', [0, -1])
def test_count_must_be_positive(count):
    with pytest.raises(ValueError, match='1 or more'):
        selection.newest([], count)


@pytest.mark.parametrize('key', ['', 'size', 'property:', 'property', 'Name'])
def test_unknown_key_error_lists_valid_keys(key):
    for function in (
        lambda: selection.newest([], group_by=[key]),
        lambda: summary.summarize([], [key]),
    ):
        with pytest.raises(ValueError, match='name, server, type, status and'):
            function()


def test_newest_requests_only_needed_pages(api, http):
    listed = [
        nova.image(n, created=f'2026-01-{30 - n:02}T00:00:00Z')
        for n in range(20)
    ]
    http.get(nova.DETAIL, json=nova.Server(listed))
    from osc_compute_images.api import ListOpts

    pager = api.list_detail(ListOpts(limit=5))
    found = [i.name for i in selection.newest(pager, 6)]
    assert found == [f'cirros-{n}' for n in range(6)]
    assert len(sent(http)) == 2


METADATA = st.dictionaries(
    st.sampled_from(['os_distro', 'image_type', 'block_device_mapping']),
    st.sampled_from(['ubuntu', 'snapshot', 7, None]),
)
IMAGES = st.lists(
    st.builds(
        image,
        st.integers(0, 9),
        st.sampled_from(['a', 'b', '']),
        status=st.sampled_from(['ACTIVE', 'SAVING', None]),
        size=st.none() | st.integers(0, 5),
        server=st.none() | st.sampled_from('st').map(ServerRef),
        metadata=METADATA,
    )
)
KEYS = st.lists(
    st.sampled_from(['name', 'server', 'type', 'status', 'property:os_distro'])
)


def key_of(one, key):
    match key:
        case 'name':
            return one.name
        case 'server':
            return None if one.server is None else one.server.id
        case 'status':
            return one.status
        case 'type' if 'image_type' in one.metadata:
            return str(one.metadata['image_type'])
        case 'type':
            mapped = 'block_device_mapping' in one.metadata
            return 'volume' if mapped and not one.size else 'base'
    value = one.metadata.get('os_distro')
    return None if value is None else str(value)


def grouped(images, keys):
    groups = {}
    for one in images:
        group = tuple(key_of(one, key) for key in keys)
        groups.setdefault(group, []).append(one)
    return groups


@pytest.mark.no_cover
@given(IMAGES, st.integers(1, 4), KEYS, st.integers(1, 4), st.booleans())
@examples(500)
def test_newest_agrees_with_sorting(images, count, keys, size, in_order):
    if in_order:
        images.sort(key=lambda i: i.created, reverse=True)
    pages = Pages(*(images[n : n + size] for n in range(0, len(images), size)))
    expected = []
    for group in grouped(images, keys).values():
        # Python's sort is stable.
        group.sort(key=lambda i: i.created, reverse=True)
        expected += group[:count]
    try:
        found = [*selection.newest(pages, count, group_by=keys)]
    except InvalidResponse:
        assert not in_order
        return
    known = sorted(map(id, found))
    # A change of order after the listing has ended goes unnoticed.
    if keys or in_order or len(images) <= size:
        assert known == sorted(map(id, expected))
    assert len(found) == len(expected)
    if in_order:
        assert found == sorted(found, key=lambda i: i.created, reverse=True)


def test_summaries_are_in_order_of_keys_without_one_last():
    images = [image(n, name) for n, name in enumerate(('A', '', None, 'b'))]
    sums = summary.summarize(images, ['name'])
    assert [each.key for each in sums] == [('',), ('A',), ('b',), (None,)]


@given(IMAGES, KEYS)
@examples()
def test_summarize_agrees_with_grouping(images, keys):
    expected = {
        group: (
            len(several),
            sum(i.size or 0 for i in several),
            min(i.created for i in several),
            max(i.created for i in several),
        )
        for group, several in grouped(images, keys).items()
    }
    if not keys and not images:
        expected = {(): (0, 0, None, None)}
    sums = summary.summarize(images, keys)
    assert {
        s.key: (s.count, s.size, s.oldest, s.newest) for s in sums
    } == expected
    order = [[(v is None, v or '') for v in s.key] for s in sums]
    assert order == sorted(order)
