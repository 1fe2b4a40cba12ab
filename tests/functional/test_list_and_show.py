# SPDX-License-Identifier: Apache-2.0

"""Lists, summaries and images, compared with Glance and Nova."""

import pytest

from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from tests.functional.real import ids
from tests.functional.real import Images

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')
SUMMARY = ('compute', 'image', 'summary')
IDS = (*LIST, '-f', 'value', '-c', 'ID')
JSON = ('-f', 'json')

NOBODY = 'cf84aa10-0000-4000-8000-000000000000'


@pytest.mark.parametrize('user', ['demo', 'admin', 'reader'])
def test_list_agrees_with_glance(cloud, user):
    images = Images(cloud, user).rows()
    assert len(images) > 40
    shell = cloud.shell(user)
    assert shell.images() == images
    error = shell.fails(*IDS, '--marker', NOBODY)
    assert f'No image found with ID {NOBODY}' in error


def test_show_agrees_with_list(demo, images):
    by_name = {image['Name']: image for image in images.rows()}
    for name in (
        *('web-1-snapshot', 'auto-disk', 'manual-disk'),
        *('in:foo', 'two\nlines', '-dash', '*', 'Größe-café-映像'),
    ):
        image = by_name[name]
        fields = {k.lower().replace(' ', '_'): v for k, v in image.items()}
        config = image['Properties'].get('auto_disk_config')
        if config is not None:
            fields['disk_config'] = 'AUTO' if config == 'True' else 'MANUAL'
        for given in (name, image['ID'].upper()):
            shown = demo(*SHOW, *JSON, '--', given).json()
            assert [*shown.items()] == sorted(fields.items())


def test_list_thousands_of_images(cloud, admin):
    cloud.do('seed', '2100')
    try:
        images = Images(cloud, 'admin').rows()
        assert len(images) > 2100
        assert admin.images() == images
        # Nova does not link from such a page to the next one.
        api = ImagesAPI(cloud.connection('admin').compute)
        listed = api.list_detail(ListOpts(limit=1001), max_items=1500)
        assert [image.id for image in listed] == ids(images)[:1500]
        # The marker and the next image were created in the same second.
        marker = next(
            n
            for n in range(800, len(images))
            if images[n]['Created At'] == images[n + 1]['Created At']
        )
        words = ('--marker', images[marker]['Name'], '--limit', '1100')
        expected = ids(images)[marker + 1 : marker + 1101]
        assert admin(*IDS, *words).out.split() == expected
    finally:
        cloud.do('seed', '0')


# --- use, visibility and regions -------------------------------------------

#: The names of what uses an image; ``from-volume`` uses none.
USED = {
    'cirros-0.6.2': ['twin', 'twin', 'web-1', 'web-2'],
    'web-1-snapshot': ['from-snapshot'],
    **{name: ['shelved'] for name in ('demo-1', 'shelved-shelved')},
    **{name: ['offloaded'] for name in ('demo-2', 'offloaded-shelved')},
    **{name: ['with-kernel'] for name in ('with-kernel', 'kernel', 'ramdisk')},
}


#: What only an administrator sees: also that a server has a kernel.
USED_BY_OTHERS = {
    'admin-private': ['of-admin'],
    **{name: ['with-kernel', 'with-kernel'] for name in ('kernel', 'ramdisk')},
}


@pytest.mark.parametrize(
    ('user', 'more'), [('demo', {}), ('admin', USED_BY_OTHERS)]
)
def test_usage(cloud, user, more):
    compute = cloud.connection(user).compute
    servers = compute.servers(all_projects=bool(more))
    names = {server.id: server.name for server in servers}
    listed = cloud.shell(user).images('--usage')
    for row in listed:
        assert row['Server Name'] == names.get(row['Server ID']), row
    names |= {row['ID']: row['Name'] for row in listed}
    assert {
        row['Name']: sorted(names[each] for each in row['Used By'])
        for row in listed
        if row['Used By']
    } == USED | more


def test_administrator_sees_servers_of_all_projects(
    cloud, admin, demo, images
):
    unused = admin.run(*LIST, '--unused', *JSON)
    assert 'booted from volumes' in unused.err
    listed = admin.images('--usage')
    free = [row['ID'] for row in listed if not row['Used By']]
    assert ids(unused.json()) == free
    others = 'servers of other projects are not visible'
    assert others not in unused.err
    assert others in demo.run(*LIST, '--unused').err
    # The server is in the project of the ordinary user.
    listed = admin(*LIST, '--server', 'web-2', *JSON).json()
    assert {i['Name'] for i in listed} == {'web-2-snapshot', 'nightly'}
    # Whoever owns an image may claim that it was taken from any server.
    victim = cloud.facts['other_servers']['RegionOne']['of-admin']
    forged = images('forged', image_type='snapshot', instance_uuid=victim)
    assert forged in ids(admin.images('--server', victim))


@pytest.mark.parametrize(
    ('user', 'visibility'),
    [
        *(('demo', each) for each in ('public', 'private', 'community')),
        *(('demo', 'shared'), ('admin', 'shared')),
    ],
)
def test_a_visibility_is_that_of_glance(cloud, images, user, visibility):
    images('ours-shared', visibility='shared')
    shell = cloud.shell(user)
    listed = Images(cloud, user).rows(visibility=visibility)
    assert listed
    word = f'--{visibility}'
    # In pages that Nova makes.
    words = ('--limit', '5', '--max-items', '999')
    assert shell.images(word, *words) == listed
    [sums] = shell(*SUMMARY, word, *JSON).json()
    size = sum(image['Size'] for image in listed)
    assert (sums['Count'], sums['Size']) == (len(listed), size)


def test_two_regions(cloud, demo):
    one, two = (
        [
            {'Region': region, **row}
            for row in Images(cloud, 'demo', region).rows()
        ]
        for region in ('RegionOne', 'RegionTwo')
    )
    assert demo.images('--all-regions') == one + two
    assert demo.images('--region', 'RegionTwo') == two
    rows = demo.images('--all-clouds', '--all-regions')
    assert {row['Cloud'] for row in rows} == {*cloud.clouds()}
    assert [row for row in rows if row.pop('Cloud') == 'demo'] == one + two
    # Another server of each region has this name.
    rows = demo.images('--all-regions', '--server', 'web-1')
    assert {row['Region']: row['Server ID'] for row in rows} == {
        region: servers['web-1']
        for region, servers in cloud.facts['servers'].items()
    }
