# SPDX-License-Identifier: Apache-2.0

"""The servers of the real cloud, and the images that Nova makes of them."""

from collections.abc import Callable
from collections.abc import Iterator
import json
from typing import Any

import pytest

from tests.functional.conftest import Cloud
from tests.functional.conftest import Glance
from tests.functional.conftest import Shell
from tests.functional.servers import Compute
from tests.functional.servers import snapshots_held
from tests.functional.servers import wait_until
from tests.functional.terminal import Terminal

LIST = ('compute', 'image', 'list', '--long', '-f', 'json')
SHOW = ('compute', 'image', 'show', '-f', 'json')


@pytest.fixture(scope='module')
def compute(cloud: Cloud) -> Compute:
    """Provide Nova, for the ordinary user."""
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
    """Provide a maker of servers; they go, and all that is made of them."""
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


def images_of(demo: Shell, server_id: str) -> list[dict[str, Any]]:
    """Return the images of a server, as they are listed."""
    listed: list[dict[str, Any]] = demo(*LIST, '--server', server_id).json()
    return listed


def test_a_server_lives_and_is_deleted(demo, compute, base):
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


def test_a_snapshot_that_nova_is_making_is_waited_for(
    cloud, demo, compute, boot, base
):
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
    # Those of the image that the server was made of come with it.
    assert properties['os_distro'] == 'cirros'


def test_the_server_of_a_snapshot_that_is_being_made_may_go(
    cloud, demo, compute, boot
):
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
    assert f'Image {made["image_id"]} vanished; it was SAVING' in seen


def test_backups_are_rotated(demo, compute, boot):
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
    listed = images_of(demo, server_id)
    assert [i['Name'] for i in listed] == ['backup-2', 'backup-1']
    for image in listed:
        assert image['Status'] == 'ACTIVE'
        assert image['Properties']['image_type'] == 'backup'
        assert image['Properties']['backup_type'] == 'daily'


def test_a_server_is_shelved_offloaded_and_back(cloud, demo, compute, boot):
    server_id = boot('rests')
    compute.do(server_id, 'shelve')
    compute.wait(server_id, 'SHELVED')
    (image,) = images_of(demo, server_id)
    assert (image['Name'], image['Status']) == ('rests-shelved', 'ACTIVE')
    Compute(cloud, 'admin').do(server_id, 'shelveOffload')
    compute.wait(server_id, 'SHELVED_OFFLOADED')
    assert images_of(demo, server_id) == [image]
    compute.do(server_id, 'unshelve')
    compute.wait(server_id)
    # Nova has no more use for it.
    wait_until(lambda: images_of(demo, server_id) == [])


def test_the_images_of_a_server_outlive_it(demo, compute, boot, glance):
    server_id = boot('mortal')
    made = compute.do(server_id, 'createImage', name='keepsake')
    wait_until(lambda: glance.image(made['image_id'])['status'] == 'active')
    compute.wait(server_id)
    compute.delete(server_id)
    (image,) = images_of(demo, server_id)
    assert (image['Name'], image['Status']) == ('keepsake', 'ACTIVE')


# --- the servers that a new cloud has --------------------------------------


@pytest.mark.parametrize(
    ('name', 'status', 'image'),
    [
        ('web-1', 'ACTIVE', 'cirros-0.6.2'),
        ('from-snapshot', 'ACTIVE', 'web-1-snapshot'),
        ('from-volume', 'ACTIVE', None),
        ('shelved', 'SHELVED', 'ubuntu-24.04'),
        ('offloaded', 'SHELVED_OFFLOADED', 'ubuntu-22.04'),
        ('with-kernel', 'ACTIVE', 'with-kernel'),
    ],
)
def test_there_is_a_server_of_each_kind(
    cloud, compute, glance, name, status, image
):
    server = compute.server(cloud.facts['servers']['RegionOne'][name])
    assert (server['name'], server['status']) == (name, status)
    if image is None:
        assert server['image'] == ''
    else:
        assert glance.image(server['image']['id'])['name'] == image


def test_a_server_may_need_a_kernel_and_a_ramdisk(cloud, glance):
    server_id = cloud.facts['servers']['RegionOne']['with-kernel']
    server = Compute(cloud, 'admin').server(server_id)
    for kind in ('kernel', 'ramdisk'):
        image_id = server[f'OS-EXT-SRV-ATTR:{kind}_id']
        assert glance.image(image_id)['name'] == kind


def test_the_image_of_a_server_may_be_gone(cloud, compute, glance):
    server_id = cloud.facts['servers']['RegionOne']['image-gone']
    server = compute.server(server_id)
    assert server['status'] == 'ACTIVE'
    assert glance.image(server['image']['id']) is None


def test_a_server_may_be_gone_and_its_snapshot_remain(cloud, demo, compute):
    server_id = cloud.facts['other_servers']['RegionOne']['gone']
    assert compute.server(server_id) is None
    (image,) = images_of(demo, server_id)
    assert (image['Name'], image['Status']) == ('gone-snapshot', 'ACTIVE')


def test_a_server_of_another_project_is_the_administrators(cloud, compute):
    server_id = cloud.facts['other_servers']['RegionOne']['of-admin']
    assert compute.server(server_id) is None
    server = Compute(cloud, 'admin').server(server_id)
    assert server['name'] == 'of-admin'
    assert server['tenant_id'] == cloud.facts['projects']['admin']
