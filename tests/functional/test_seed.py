# SPDX-License-Identifier: Apache-2.0

"""The servers of a new cloud: one of each kind that matters for images."""

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
def test_servers_of_each_kind(cloud, compute, glance, name, status, image):
    server = compute.server(cloud.facts['servers']['RegionOne'][name])
    assert (server['name'], server['status']) == (name, status)
    if image is None:
        assert server['image'] == ''
    else:
        assert glance.image(server['image']['id'])['name'] == image


def test_server_with_kernel_and_ramdisk(cloud, glance):
    server_id = cloud.facts['servers']['RegionOne']['with-kernel']
    server = Compute(cloud, 'admin').server(server_id)
    for kind in ('kernel', 'ramdisk'):
        image_id = server[f'OS-EXT-SRV-ATTR:{kind}_id']
        assert glance.image(image_id)['name'] == kind


def test_server_of_deleted_image(cloud, compute, glance):
    server_id = cloud.facts['servers']['RegionOne']['image-gone']
    server = compute.server(server_id)
    assert server['status'] == 'ACTIVE'
    assert glance.image(server['image']['id']) is None


def test_snapshot_of_deleted_server(cloud, demo, compute):
    server_id = cloud.facts['other_servers']['RegionOne']['gone']
    assert compute.server(server_id) is None
    (image,) = demo.images('--server', server_id)
    assert (image['Name'], image['Status']) == ('gone-snapshot', 'ACTIVE')


def test_server_of_another_project(cloud, compute):
    server_id = cloud.facts['other_servers']['RegionOne']['of-admin']
    assert compute.server(server_id) is None
    server = Compute(cloud, 'admin').server(server_id)
    assert server['name'] == 'of-admin'
    assert server['tenant_id'] == cloud.facts['projects']['admin']
