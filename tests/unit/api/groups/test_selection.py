# SPDX-License-Identifier: Apache-2.0

"""Newest images and summaries, compared with simple implementations."""

import datetime

from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.api import Image
from osc_compute_images.api import InvalidResponse
from osc_compute_images.api import Pager
from osc_compute_images.api import ServerRef
from osc_compute_images.api.groups import selection
from osc_compute_images.api.groups import summary
from tests.unit.project.examples import examples

BEGIN = datetime.datetime(2026, 1, 1)


def image(age, name='n', **fields):
    """Return an image of this age in days, or of an unreadable time."""
    created = ''
    if age is not None:
        time = BEGIN - datetime.timedelta(days=age)
        created = time.isoformat() + 'Z'
    return Image(id=f'{name}-{age}', name=name, created=created, **fields)


def ids(images):
    return [i.id for i in images]


class Pages(Pager):
    """A pager that counts the requested pages."""

    def __init__(self, *pages):
        self._pages = pages
        self.asked = 0

    def pages(self):
        for page in self._pages:
            self.asked += 1
            yield type('Page', (), {'images': page})


@pytest.mark.parametrize(
    ('pages', 'count', 'newest', 'asked'),
    [
        ([[1], [2, 3], [4], [5]], 2, [1, 2], 2),
        # Images of equal age do not tell the order.
        ([[3], [3], [4], [5]], 1, [3], 3),
        ([[3], [3], [2], [1]], 1, [1], 4),
    ],
)
def test_newest_ends_listing_in_order(pages, count, newest, asked):
    pages = Pages(*([image(age) for age in page] for page in pages))
    found = selection.newest(pages, count)
    assert ids(found) == [f'n-{age}' for age in newest]
    assert pages.asked == asked


def test_newest_per_group_is_lazy():
    pages = Pages(
        [image(1, 'a'), image(2, 'b'), image(2, 'a')],
        [image(3, 'a'), image(4, 'c')],
    )
    found = selection.newest(pages, group_by='name')
    assert [next(found).id, next(found).id] == ['a-1', 'b-2']
    assert pages.asked == 1
    assert ids(found) == ['c-4']


def test_late_change_of_order_is_an_error_if_it_matters():
    # In another group it does not matter, nor before images are yielded.
    first = [image(3, 'a'), image(4, 'a')]
    pages = Pages(first, [image(9, 'a'), image(1, 'b')])
    assert ids(selection.newest(pages, group_by=['name'])) == ['a-3', 'b-1']
    found = selection.newest(Pages(first, [image(1, 'a')]), group_by=['name'])
    assert next(found).id == 'a-3'
    with pytest.raises(InvalidResponse, match='newest'):
        next(found)


def test_invalid_arguments_are_reported_at_once():
    for count in (0, -1):
        with pytest.raises(ValueError, match='1 or more'):
            selection.newest([], count)
    for key in ('', 'size', 'property:', 'property', 'Name'):
        for call in (selection.newest, summary.summarize):
            with pytest.raises(ValueError, match='server, type, status and'):
                call([], group_by=[key])


METADATA = st.dictionaries(
    st.sampled_from(['os_distro', 'image_type', 'block_device_mapping']),
    st.sampled_from(['ubuntu', 'snapshot', 7, None]),
)
IMAGES = st.lists(
    st.builds(
        image,
        st.integers(0, 9) | st.none(),
        st.sampled_from(['a', 'b', '']),
        status=st.sampled_from(['ACTIVE', 'active', 'SAVING', None]),
        size=st.none() | st.integers(0, 5),
        server=st.none() | st.sampled_from('st').map(ServerRef),
        metadata=METADATA,
    )
)
KEYS = st.lists(
    st.sampled_from(['name', 'server', 'type', 'status', 'property:os_distro'])
)


def key_of(one, key):
    if key == 'type' and 'image_type' not in one.metadata:
        mapped = 'block_device_mapping' in one.metadata
        return 'volume' if mapped and not one.size else 'base'
    value = {
        'name': one.name,
        'server': one.server_id,
        'type': str(one.metadata.get('image_type')),
        'status': one.status and one.status.upper(),
    }.get(key, one.metadata.get('os_distro'))
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
        # Python's sort is stable. An image without a time is the oldest.
        group.sort(key=lambda i: i.created, reverse=True)
        expected += group[:count]
    try:
        found = [*selection.newest(pages, count, group_by=keys)]
    except InvalidResponse:
        assert not in_order
        return
    # A change of order after the listing has ended goes unnoticed.
    if keys or in_order or len(images) <= size:
        assert sorted(map(id, found)) == sorted(map(id, expected))
    assert len(found) == len(expected)
    if in_order:
        assert found == sorted(found, key=lambda i: i.created, reverse=True)


@given(IMAGES, KEYS)
@examples()
def test_summarize_agrees_with_grouping(images, keys):
    expected = {
        group: summary.Summary(
            group,
            len(several),
            sum(i.size or 0 for i in several),
            min((i.created for i in several if i.created), default=None),
            max((i.created for i in several if i.created), default=None),
        )
        for group, several in grouped(images, keys).items()
    }
    if not keys and not images:
        expected = {(): summary.Summary((), 0, 0, None, None)}
    # None is last.
    order = sorted(
        expected, key=lambda g: ['~' if i is None else i for i in g]
    )
    found = summary.summarize(images, keys)
    assert found == [expected[group] for group in order]
