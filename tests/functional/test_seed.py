# SPDX-License-Identifier: Apache-2.0

"""The servers that a new cloud has: one of each kind that images come with."""

import pytest

from tests.functional.conftest import Cloud
from tests.functional.servers import Compute


@pytest.fixture(scope='module')
def compute(cloud: Cloud) -> Compute:
    """Provide Nova, for the ordinary user."""
    return Compute(cloud, 'demo')


@pytest.mark.parametrize(
    ('name', 'status', 'image'),
    [
        ('web-1', 'ACTIVE', 'cirros-0.6.2'),
        ('from-snapshot', 'ACTIVE', 'web-1-snapshot'),
        ('from-volume', 'ACTIVE', None),
        ('shelved', 'SHELVED', 'demo-1'),
        ('offloaded', 'SHELVED_OFFLOADED', 'demo-2'),
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
    (image,) = demo.images('--server', server_id)
    assert (image['Name'], image['Status']) == ('gone-snapshot', 'ACTIVE')


def test_a_server_of_another_project_is_the_administrators(cloud, compute):
    server_id = cloud.facts['other_servers']['RegionOne']['of-admin']
    assert compute.server(server_id) is None
    server = Compute(cloud, 'admin').server(server_id)
    assert server['name'] == 'of-admin'
    assert server['tenant_id'] == cloud.facts['projects']['admin']
