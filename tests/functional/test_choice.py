# SPDX-License-Identifier: Apache-2.0

"""Use, visibility and summaries, compared with Nova's database and Glance."""

import pytest

from tests.functional.real import as_shown
from tests.functional.real import Glance
from tests.functional.real import ids
from tests.functional.servers import nova_database

LIST = ('compute', 'image', 'list')
SUMMARY = ('compute', 'image', 'summary')
JSON = ('-f', 'json')


class Uses:
    """What uses which image, from the database of Nova.

    No server of the cloud is in ERROR, or has a task.

    :param project: only servers of this project count; None for all
    :ivar servers: names of servers, by ID
    :ivar homes: the image of each shelved server, in Nova's database
    """

    def __init__(self, cloud, project, images):
        with nova_database(cloud) as db:
            rows = db.execute(
                'SELECT uuid, display_name, image_ref, vm_state, project_id '
                'FROM instances WHERE deleted = 0'
            ).fetchall()
            homes = dict(
                db.execute(
                    'SELECT instance_uuid, value '
                    'FROM instance_system_metadata WHERE deleted = 0 '
                    "AND key = 'shelved_image_id'"
                )
            )
        rows = [row for row in rows if project in (None, row[-1])]
        self.servers = {row[0]: row[1] for row in rows}
        self.homes = {}
        self._users = {}
        for server_id, _name, image_id, state, _project in rows:
            if image_id:
                self._add(image_id, server_id)
            if image_id and state.startswith('shelved'):
                self.homes[server_id] = homes[server_id]
                for image in images:
                    if image['Server ID'] == server_id:
                        self._add(image['ID'], server_id)
        for image in images:
            for key in ('kernel_id', 'ramdisk_id'):
                self._add(image['Properties'].get(key), image['ID'])

    def _add(self, image_id, user):
        self._users.setdefault(image_id, set()).add(user)

    def of(self, image):
        """Return the IDs of what uses an image."""
        return self._users.get(image['ID'], set())


def test_usage_agrees_with_database(cloud, demo, glance):
    seen = [as_shown(image) for image in glance.images()]
    uses = Uses(cloud, cloud.facts['projects']['demo'], seen)
    listed = demo(*LIST, '--usage', *JSON).json()
    assert ids(listed) == ids(seen)
    for row, image in zip(listed, seen, strict=True):
        assert set(row['Used By']) == uses.of(image), row
        assert row['Server Name'] == uses.servers.get(image['Server ID']), row
    # Nova has the image of a shelved server in its database only.
    used = {row['ID']: row['Used By'] for row in listed}
    assert len(uses.homes) > 1
    assert all(server in used[home] for server, home in uses.homes.items())
    # There are images that an image or a server of a volume needs.
    assert any(i['Properties'].get('kernel_id') for i in seen)
    assert 'from-volume' in uses.servers.values()


def test_administrator_sees_servers_of_all_projects(admin, cloud):
    seen = [as_shown(image) for image in Glance(cloud, 'admin').images()]
    everybody = Uses(cloud, None, seen)
    result = admin.run(*LIST, '--unused', *JSON)
    listed = set(ids(result.json()))
    assert listed == {i['ID'] for i in seen if not everybody.of(i)}
    assert 'other projects' not in result.err
    assert 'booted from volumes' in result.err


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
    of_user = Glance(cloud, user).images(visibility=visibility)
    listed = [as_shown(image) for image in of_user]
    assert listed
    word = f'--{visibility}'
    # In pages that Nova makes.
    words = ('--limit', '5', '--max-items', '999')
    assert shell.images(word, *words) == listed
    [sums] = shell(*SUMMARY, word, *JSON).json()
    size = sum(image['Size'] for image in listed)
    assert (sums['Count'], sums['Size']) == (len(listed), size)
