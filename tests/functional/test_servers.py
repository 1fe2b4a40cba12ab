# SPDX-License-Identifier: Apache-2.0

"""Servers of the real cloud, and their snapshots."""

import json

from tests.functional.real import told
from tests.functional.servers import snapshots_held
from tests.functional.terminal import Terminal

IMAGE = ('compute', 'image')
SHOW = (*IMAGE, 'show', '-f', 'json')


def test_wait_for_snapshot(cloud, demo, compute, boot):
    [server_id] = boot('snapped', os_distro='cirros')
    base = compute.server(server_id)['image']['id']
    with snapshots_held(cloud) as release:
        made = compute.do(server_id, 'createImage', name='snapped-now')
        image_id = made['image_id']
        shown = demo(*SHOW, 'snapped-now').json()
        assert (shown['id'], shown['status']) == (image_id, 'SAVING')
        assert shown['server_id'] == server_id
        terminal = Terminal(demo, *SHOW, '--wait', image_id, stdout=False)
        terminal.wait_for('25%')
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
    [server_id] = boot('goes')
    with snapshots_held(cloud):
        made = compute.do(server_id, 'createImage', name='unfinished')
        image_id = made['image_id']
        terminal = Terminal(demo, *SHOW, '--wait', image_id, stdout=False)
        terminal.wait_for('25%')
        compute.delete(server_id)
    # Nova deletes the image, too.
    code, seen, out = terminal.end()
    assert (code, out) == (5, '')
    assert f'{image_id} no longer exists; its last status was SAVING' in seen


def test_rotated_backups(demo, compute, boot):
    [server_id] = boot('backed-up')
    how = {'backup_type': 'daily', 'rotation': 1}
    for number in range(2):
        compute.do(server_id, 'createBackup', name=f'backup-{number}', **how)
        compute.wait(server_id)
    words = ('--server', 'backed-up', '--type', 'backup')
    [image] = demo.images(*words)
    assert (image['Name'], image['Status']) == ('backup-1', 'ACTIVE')
    assert image['Properties']['backup_type'] == 'daily'
    # A deleted server is found by its ID only.
    compute.delete(server_id)
    demo.fails(*IMAGE, 'list', *words)
    assert demo.images('--server', server_id) == [image]


def test_create_check_and_prune(demo, boot):
    """What is run every night."""

    def run(command, *words, code=0):
        result = demo.run(*IMAGE, command, *words, '-f', 'json')
        assert result.code == code, result.err
        return result.json()

    names = ('loop-1', 'loop-2', 'loop-3')
    servers = boot(*names)
    ours = ('--name-pattern', 'loop-?')
    check = ('check', *ours, '--newest-within', '1h', '--min-count', '2')
    create = ('create', *ours, '--wait', '--auto-approve')
    assert len(run(*check, code=2)) == 3
    for number in (1, 2):
        done = run(*create, '--image-name', f'{{server}}-{number}')
        assert {(row['Image Name'], row['Result']) for row in done} == {
            (f'{name}-{number}', 'done') for name in names
        }
    again = run(*create, '--not-within', '1h')
    assert {row['Result'] for row in again} == {'skipped'}
    rows = run(*check, '--include-ok')
    assert [(row['Level'], row['Count']) for row in rows] == [('OK', 2)] * 3
    assert sorted(row['Server ID'] for row in rows) == sorted(servers)
    words = ('--keep-last', '1', '--name-pattern', 'loop-?-?')
    pruned = run('prune', *words, '--auto-approve')
    assert told(pruned, 'Action') == {
        f'{name}-{number}': ('delete' if number == 1 else 'keep',)
        for name in names
        for number in (1, 2)
    }
    assert len(run(*check, code=2)) == 3
    run(*check[:-2])
