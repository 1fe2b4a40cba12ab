# SPDX-License-Identifier: Apache-2.0

"""Snapshots of servers whose image Compute does not tell."""

import msgspec
import pytest

from osc_compute_images.api import Image
from osc_compute_images.api import Server
from osc_compute_images.api import ServerList
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.api.servers.fleet import Fleet
from testbed import nova


def snapshot(**fields):
    return msgspec.convert({'id': 'img', 'metadata': {}, **fields}, Image)


@pytest.mark.parametrize('status', ['ACTIVE', 'SHUTOFF'])
@pytest.mark.parametrize(
    'image',
    [snapshot(server={'id': 'srv'}), snapshot(name='web-shelved')],
)
@pytest.mark.parametrize('include_used', [False, True])
def test_snapshot_of_server_without_image_is_kept(status, image, include_used):
    server = Server('srv', 'web', status, may_use_any_image=True)
    usage = Usage(ServerList((server,)), [image], accept_gaps=True)
    protection = Protection(usage, include_used=include_used)
    assert protection.reason(image) == (
        'server web, which is not completely listed, may be stored in it'
    )


def test_unsettled_server_without_image_has_its_status():
    server = Server('srv', status='SHELVED', may_use_any_image=True)
    assert server.state == 'SHELVED'


def test_snapshot_of_server_with_image_is_not_kept():
    usage = Usage(ServerList((Server('srv', 'web', 'ACTIVE'),)), ())
    for image in (
        snapshot(server={'id': 'srv'}),
        snapshot(name='web-shelved'),
    ):
        assert Protection(usage).reason(image) is None


def test_named_images_are_not_checked_by_lists_alone(api, http):
    http.get(f'{nova.ENDPOINT}/servers/detail', json={'servers': []})
    record = {'id': 'srv', 'status': 'ERROR', 'image': ''}
    http.get(f'{nova.ENDPOINT}/servers/srv', json={'server': record})
    http.get(f'{nova.ENDPOINT}/os-services', json={'services': []})
    images = [snapshot(server={'id': 'srv'}), snapshot(name='web-shelved')]
    servers = Fleet([api]).servers_of(api, images)
    assert [s.id for s in servers.servers] == ['srv']
