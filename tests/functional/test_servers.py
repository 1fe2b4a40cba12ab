# SPDX-License-Identifier: Apache-2.0

"""Servers of the real cloud, and their snapshots."""

import json

from tests.functional.processes import Terminal
from tests.functional.servers import snapshots_held

SHOW = ('compute', 'image', 'show', '-f', 'json')


def test_wait_for_snapshot(cloud, demo, servers, boot):
    server_id = boot('snapped', os_distro='cirros')
    base = servers.api.get_server(server_id).image.id
    with snapshots_held(cloud) as release:
        image_id = servers.api.create_server_image(server_id, 'snapped-now').id
        shown = demo(*SHOW, 'snapped-now').json()
        assert (shown['id'], shown['status']) == (image_id, 'SAVING')
        terminal = Terminal(demo, *SHOW, '--wait', image_id, stdout=False)
        terminal.wait_for('25%')
        release()
        code, seen, out = terminal.end()
    assert code == 0
    assert '100%' in seen
    image = json.loads(out)
    assert (image['id'], image['status']) == (image_id, 'ACTIVE')
    assert (image['size'] > 0, image['server_id']) == (True, server_id)
    expected = {
        'image_type': 'snapshot',
        'base_image_ref': base,
        'instance_uuid': server_id,
        # A snapshot inherits the properties of the server's image.
        'os_distro': 'cirros',
    }
    assert image['properties'] == image['properties'] | expected


def test_delete_server_while_snapshot_is_saving(cloud, demo, servers, boot):
    server_id = boot('goes')
    with snapshots_held(cloud):
        image_id = servers.api.create_server_image(server_id, 'unfinished').id
        terminal = Terminal(demo, *SHOW, '--wait', image_id, stdout=False)
        terminal.wait_for('25%')
        servers.delete(server_id)
    # Nova deletes the image, too.
    code, seen, out = terminal.end()
    assert (code, out) == (5, '')
    assert f'{image_id} no longer exists; its last status was SAVING' in seen
