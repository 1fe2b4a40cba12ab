# SPDX-License-Identifier: Apache-2.0

"""Use, visibility, summaries and regions, compared with Nova's database."""

import collections
from typing import Any

import pytest

from tests.functional.real import Cloud
from tests.functional.real import ids
from tests.functional.real import Images
from tests.functional.servers import nova_database

LIST = ('compute', 'image', 'list')
SUMMARY = ('compute', 'image', 'summary')
JSON = ('-f', 'json')


#: The image of each shelved server, in Nova's database only.
HOMES = """
SELECT instance_uuid, value FROM instance_system_metadata
WHERE deleted = 0 AND key = 'shelved_image_id'
"""


def uses(
    cloud: Cloud, images: list[dict[str, Any]], project: str | None = None
) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Return the names of servers, and what uses each image.

    No server of the cloud is in ERROR, or has a task.

    :param project: only servers of this project count; None for all
    """
    with nova_database(cloud) as db:
        rows = db.execute(
            'SELECT uuid, display_name, image_ref, vm_state, project_id '
            'FROM instances WHERE deleted = 0'
        ).fetchall()
    rows = [row for row in rows if project in (None, row[-1])]
    users = collections.defaultdict(set)
    for server_id, _name, image_id, state, _project in rows:
        users[image_id].add(server_id)
        if image_id and state.startswith('shelved'):
            for image in images:
                if image['Server ID'] == server_id:
                    users[image['ID']].add(server_id)
    for image in images:
        for key in ('kernel_id', 'ramdisk_id'):
            users[image['Properties'].get(key)].add(image['ID'])
    return {row[0]: row[1] for row in rows}, users


def test_usage_agrees_with_database(cloud, demo, images):
    seen = images.rows()
    names, users = uses(cloud, seen, cloud.facts['projects']['demo'])
    listed = demo(*LIST, '--usage', *JSON).json()
    assert ids(listed) == ids(seen)
    for row, image in zip(listed, seen, strict=True):
        assert set(row['Used By']) == users[image['ID']], row
        assert row['Server Name'] == names.get(image['Server ID']), row
    with nova_database(cloud) as db:
        homes = dict(db.execute(HOMES))
    homes = {server: homes[server] for server in names.keys() & homes.keys()}
    assert len(homes) > 1
    assert all(server in users[home] for server, home in homes.items())
    # There are images that an image or a server of a volume needs.
    assert any(i['Properties'].get('kernel_id') for i in seen)
    assert 'from-volume' in names.values()


def test_administrator_sees_servers_of_all_projects(
    cloud, admin, demo, images
):
    seen = Images(cloud, 'admin').rows()
    _names, users = uses(cloud, seen)
    result = admin.run(*LIST, '--unused', *JSON)
    unused = [image['ID'] for image in seen if not users[image['ID']]]
    assert ids(result.json()) == unused
    others = 'servers of other projects are not visible'
    assert others not in result.err
    assert others in demo.run(*LIST, '--unused').err
    assert 'booted from volumes' in result.err
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
        region: cloud.facts['servers'][region]['web-1']
        for region in ('RegionOne', 'RegionTwo')
    }
