# SPDX-License-Identifier: Apache-2.0

"""Use, newest images and summaries, compared with Glance and Nova."""

import json

import pytest

from tests.functional.conftest import as_shown
from tests.functional.test_filters import is_on_volume
from tests.functional.test_filters import Uses

LIST = ('compute', 'image', 'list')
SUMMARY = ('compute', 'image', 'summary')
JSON = ('-f', 'json')

UNKNOWN = 'Some uses of images are unknown: '


@pytest.fixture(scope='module')
def images(glance):
    """Provide the expected rows of the images that the user sees."""
    return [as_shown(image) for image in glance.images()]


@pytest.fixture(scope='module')
def uses(cloud, images):
    """Provide what uses these images, as far as visible to the user."""
    database = cloud.facts['regions']['RegionOne']['nova_db']
    return Uses(database, cloud.facts['projects']['demo'], images)


def ids(images):
    return [image['ID'] for image in images]


# -- use -------------------------------------------------------------------


def test_seed_has_images_that_are_used(uses, images):
    assert uses.homes
    used = [i for i in images if uses.of(i)]
    assert 3 < len(used) < len(images)
    orphans = [i for i in images if i['Server ID'] not in uses.servers]
    assert any(i['Server ID'] for i in orphans)
    assert any(i['Properties'].get('kernel_id') for i in images)


def test_usage_agrees_with_database(demo, images, uses):
    listed = demo(*LIST, '--usage', *JSON).json()
    assert ids(listed) == ids(images)
    for row, image in zip(listed, images, strict=True):
        assert set(row['Used By']) == uses.of(image), row
        assert row['Server Name'] == uses.servers.get(image['Server ID']), row


def test_table_shows_names_in_used_by(demo, uses, images):
    (home, *_) = (i for i in images if i['ID'] in uses.homes.values())
    (user,) = uses.of(home)
    words = ('--name', home['Name'], '--usage', '-c', 'Used By')
    name = uses.servers[user]
    assert f'| {name} ' in demo(*LIST, *words).out


def test_image_of_shelved_server_is_used(demo, uses):
    # Nova has its ID in its database only.
    listed = demo(*LIST, '--usage', *JSON).json()
    used = {row['ID']: set(row['Used By']) for row in listed}
    for server_id, image_id in uses.homes.items():
        assert server_id in used[image_id]
    for server_id, image_id in uses.homes.items():
        words = ('--used-by', server_id, *JSON)
        assert image_id in ids(demo(*LIST, *words).json())


def test_administrator_sees_servers_of_all_projects(
    admin, admin_glance, cloud
):
    seen = [as_shown(image) for image in admin_glance.images()]
    database = cloud.facts['regions']['RegionOne']['nova_db']
    everybody = Uses(database, None, seen)
    result = admin.run(*LIST, '--unused', *JSON)
    listed = set(ids(result.json()))
    assert listed == {i['ID'] for i in seen if not everybody.of(i)}
    assert 'other projects' not in result.err
    assert 'booted from volumes' in result.err


def test_unknown_use_is_reported_once(demo):
    for option in ('--unused', '--orphaned'):
        result = demo.run(*LIST, option, *JSON)
        assert result.code == 0
        [line] = result.err.splitlines()
        assert line.startswith(UNKNOWN)
        assert 'servers of other projects are not visible' in line
        assert UNKNOWN not in result.out
        quiet = demo.run('-q', *LIST, option, *JSON)
        assert (quiet.err, quiet.out) == ('', result.out)
    regions = demo.run(*LIST, '--unused', '--all-regions', *JSON)
    assert len(regions.err.splitlines()) == 1


# -- newest images and summaries -------------------------------------------


def newest(images, count, key=lambda _image: None):
    """Return the newest of each group, in Glance's order."""
    taken = {}
    kept = []
    for image in images:
        group = key(image)
        taken[group] = taken.get(group, 0) + 1
        if taken[group] <= count:
            kept.append(image['ID'])
    return kept


def kind_of(image):
    kind = image['Properties'].get('image_type')
    return kind or ('volume' if is_on_volume(image) else 'base')


KEYS = {
    'name': lambda i: i['Name'],
    'server': lambda i: i['Server ID'],
    'status': lambda i: i['Status'],
    'type': kind_of,
    'property:os_distro': lambda i: i['Properties'].get('os_distro'),
}


@pytest.mark.parametrize('count', [1, 2, 25, 500])
def test_newest(quick, images, count):
    listed = quick(*LIST, '--newest', str(count), *JSON).json()
    assert ids(listed) == newest(images, count)


@pytest.mark.parametrize('key', KEYS)
def test_newest_per_group(quick, images, key):
    listed = quick(*LIST, '--group-by', key, *JSON).json()
    assert ids(listed) == newest(images, 1, KEYS[key])
    words = ('--newest', '2', '--group-by', f'{key},type')
    listed = quick(*LIST, *words, *JSON).json()
    both = newest(images, 2, lambda i: (KEYS[key](i), kind_of(i)))
    assert ids(listed) == both


def summed(images):
    return {
        'Count': len(images),
        'Size': sum(i['Size'] for i in images),
        'Oldest': min((i['Created At'] for i in images), default=None),
        'Newest': max((i['Created At'] for i in images), default=None),
    }


HEADERS = {'name': 'Name', 'server': 'Server ID', 'status': 'Status'}


@pytest.mark.parametrize('key', KEYS)
def test_summary_agrees_with_list(quick, images, key):
    groups = {}
    for image in images:
        groups.setdefault(KEYS[key](image), []).append(image)
    header = {**HEADERS, 'type': 'Type'}.get(key, 'os_distro')
    rows = quick(*SUMMARY, '--group-by', key, *JSON).json()
    shown = {row.pop(header): row for row in rows}
    assert shown == {group: summed(of) for group, of in groups.items()}


def test_summary_with_filters(quick, images):
    some = [i for i in images if i['Properties'].get('os_distro')]
    words = ('--property', 'os_distro', *JSON)
    assert quick(*SUMMARY, *words).json() == [summed(some)]
    words = ('--name', 'no such image', *JSON)
    assert quick(*SUMMARY, *words).json() == [summed([])]


def test_summary_of_all_regions(demo):
    rows = demo(*SUMMARY, '--all-regions', *JSON).json()
    assert [row['Region'] for row in rows] == ['RegionOne', 'RegionTwo']
    for row in rows:
        region = ('--region', row['Region'])
        assert len(demo.images(*region)) == row['Count']


# -- visibility ------------------------------------------------------------


def of_visibility(glance, visibility):
    """Return what Glance lists, as Compute is to show it."""
    page = glance.get(f'/images?limit=1000&visibility={visibility}')
    return [as_shown(image) for image in page['images']]


@pytest.mark.parametrize(
    'visibility', ['public', 'private', 'shared', 'community']
)
def test_a_visibility_is_that_of_glance(quick, glance, visibility):
    listed = of_visibility(glance, visibility)
    word = f'--{visibility}'
    assert quick.images(word) == listed
    # In pages that Nova makes, and with what is checked here.
    some = [i for i in listed if i['Properties'].get('os_distro')]
    words = ('--limit', '5', '--max-items', '999', '--property', 'os_distro')
    assert ids(quick.images(word, *words)) == ids(some)
    [sums] = quick(*SUMMARY, word, *JSON).json()
    assert sums == summed(listed)


def test_administrator_lists_shared_images(admin, admin_glance):
    listed = of_visibility(admin_glance, 'shared')
    assert listed
    assert admin.images('--shared') == listed


def test_the_visibilities_share_the_images_among_them(quick, images):
    shown = [
        image_id
        for word in ('--public', '--private', '--shared')
        for image_id in ids(quick.images(word))
    ]
    assert len(shown) == len(images)
    assert {*shown} == {*ids(images)}
    # Community images of others are not in a list without words.
    assert ids(quick.images('--community'))


# -- JSON Lines ------------------------------------------------------------


@pytest.mark.parametrize(
    'words',
    [
        ('flavor', 'list', '--long'),
        ('server', 'list'),
        ('region', 'list'),
        ('compute', 'image', 'list', '--long'),
        ('compute', 'image', 'summary', '--group-by', 'status'),
    ],
)
def test_jsonl_of_other_lists(demo, words):
    result = demo(*words, '-f', 'jsonl')
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert lines
    assert lines == demo(*words, *JSON).json()


# -- columns ---------------------------------------------------------------


def test_column_of_long_implies_long(demo, images):
    listed = demo(*LIST, '-c', 'Size', '-c', 'ID', *JSON).json()
    assert listed == [{'ID': i['ID'], 'Size': i['Size']} for i in images]
    listed = demo(*LIST, '--sort-column', 'size', '-c', 'ID', *JSON).json()
    sizes = {i['ID']: i['Size'] for i in images}
    assert [sizes[row['ID']] for row in listed] == sorted(sizes.values())


def test_human_readable(demo):
    words = ('--human-readable', '-f', 'value', '-c')
    named = ('--name', 'ubuntu-24.04')
    assert demo(*LIST, *named, *words, 'Size').out == '620M\n'
    show = ('compute', 'image', 'show', 'ubuntu-24.04')
    assert demo(*show, *words, 'size').out == '620M\n'
