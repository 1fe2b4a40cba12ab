# SPDX-License-Identifier: Apache-2.0

"""Servers of the real cloud, and their snapshots."""

import json

from tests.functional.servers import snapshots_held
from tests.functional.terminal import Terminal

SHOW = ('compute', 'image', 'show', '-f', 'json')


def test_wait_for_snapshot(cloud, demo, compute, boot):
    server_id = boot('snapped', os_distro='cirros')
    base = compute.server(server_id)['image']['id']
    with snapshots_held(cloud) as release:
        made = compute.do(server_id, 'createImage', name='snapped-now')
        image_id = made['image_id']
        shown = demo(*SHOW, 'snapped-now').json()
        assert (shown['id'], shown['status']) == (image_id, 'SAVING')
        assert shown['server_id'] == server_id
        terminal = Terminal(demo, *SHOW, '--wait', image_id, stdout=False)
        assert terminal.shows('25%')
        release()
        code, seen, out = terminal.end()
    assert code == 0
    assert '100%' in seen
    image = json.loads(out)
    assert (image['id'], image['status']) == (image_id, 'ACTIVE')
    assert image['size'] > 0
    properties = image['properties']
    assert properties['image_type'] == 'snapshot'
    assert properties['base_image_ref'] == base
    assert properties['instance_uuid'] == server_id
    # A snapshot inherits the properties of the server's image.
    assert properties['os_distro'] == 'cirros'


def test_delete_server_while_snapshot_is_saving(cloud, demo, compute, boot):
    server_id = boot('goes')
    with snapshots_held(cloud):
        made = compute.do(server_id, 'createImage', name='unfinished')
        terminal = Terminal(
            demo, *SHOW, '--wait', made['image_id'], stdout=False
        )
        assert terminal.shows('25%')
        compute.delete(server_id)
    # Nova deletes the image, too.
    code, seen, out = terminal.end()
    assert (code, out) == (5, '')
    assert (
        f'{made["image_id"]} no longer exists; its last status was SAVING'
        in seen
    )


def test_rotated_backups(demo, compute, boot):
    server_id = boot('backed-up')
    for number in range(3):
        compute.do(
            server_id,
            'createBackup',
            name=f'backup-{number}',
            backup_type='daily',
            rotation=2,
        )
        compute.wait(server_id)
    listed = demo.images('--server', server_id)
    assert [i['Name'] for i in listed] == ['backup-2', 'backup-1']
    for image in listed:
        assert image['Status'] == 'ACTIVE'
        assert image['Properties']['image_type'] == 'backup'
        assert image['Properties']['backup_type'] == 'daily'
