# SPDX-License-Identifier: Apache-2.0

"""Servers of the real cloud, and their snapshots."""

from collections.abc import Callable
from collections.abc import Iterator
import json

import pytest

from tests.functional.conftest import Cloud
from tests.functional.conftest import Glance
from tests.functional.conftest import Shell
from tests.functional.servers import Compute
from tests.functional.servers import snapshots_held
from tests.functional.servers import wait_until
from tests.functional.terminal import Terminal

SHOW = ('compute', 'image', 'show', '-f', 'json')


@pytest.fixture(scope='module')
def compute(cloud: Cloud) -> Compute:
    """Provide Nova, for the ordinary user."""
    Compute(cloud, 'admin').wait_for_host()
    return Compute(cloud, 'demo')


@pytest.fixture(scope='module')
def base(demo: Shell) -> str:
    """Provide the ID of the image that servers boot from."""
    shown = demo(*SHOW, 'cirros-0.6.2').json()
    return str(shown['id'])


@pytest.fixture
def boot(
    compute: Compute, base: str, glance: Glance
) -> Iterator[Callable[[str], str]]:
    """Return a function that makes a server.

    The servers and their snapshots are deleted after the test.
    """
    made = []

    def make(name: str) -> str:
        server_id, reason = compute.boot(base, '1', name)
        assert server_id, reason
        made.append(server_id)
        compute.wait(server_id)
        return server_id

    yield make
    for server_id in made:
        if compute.server(server_id) is not None:
            compute.delete(server_id)
    for image in glance.images():
        if image.get('instance_uuid') in made:
            glance.delete(image['id'])


def test_create_and_delete_server(demo, compute, base):
    made = demo(
        *('server', 'create', '--image', 'cirros-0.6.2', '--nic', 'none'),
        *('--flavor', 'm1.tiny', '--wait', '-f', 'json', 'lives'),
        environment={'OS_COMPUTE_API_VERSION': '2.60'},
    )
    server_id = json.loads(made.out)['id']
    try:
        server = compute.server(server_id)
        assert (server['status'], server['image']['id']) == ('ACTIVE', base)
        listed = demo('server', 'list', '-f', 'json').json()
        (row,) = (row for row in listed if row['ID'] == server_id)
        assert (row['Name'], row['Image']) == ('lives', 'cirros-0.6.2')
    finally:
        demo('server', 'delete', '--wait', server_id)
    assert compute.server(server_id) is None


def test_wait_for_snapshot(cloud, demo, compute, boot, base):
    server_id = boot('snapped')
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


def test_shelve_and_unshelve(cloud, demo, compute, boot):
    server_id = boot('rests')
    compute.do(server_id, 'shelve')
    compute.wait(server_id, 'SHELVED')
    (image,) = demo.images('--server', server_id)
    assert (image['Name'], image['Status']) == ('rests-shelved', 'ACTIVE')
    Compute(cloud, 'admin').do(server_id, 'shelveOffload')
    compute.wait(server_id, 'SHELVED_OFFLOADED')
    assert demo.images('--server', server_id) == [image]
    compute.do(server_id, 'unshelve')
    compute.wait(server_id)
    # Nova deletes the image after unshelving.
    wait_until(lambda: demo.images('--server', server_id) == [])


def test_snapshots_of_deleted_server(demo, compute, boot):
    server_id = boot('mortal')
    compute.snapshot(server_id, 'keepsake')
    compute.delete(server_id)
    (image,) = demo.images('--server', server_id)
    assert (image['Name'], image['Status']) == ('keepsake', 'ACTIVE')
