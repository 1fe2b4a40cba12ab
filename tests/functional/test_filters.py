# SPDX-License-Identifier: Apache-2.0

"""Filters, where the real Nova and Glance filter, too.

What a list with filters selects is tested on the fake cloud. Here that is
compared with the real Nova, for what filters send, and for other queries. For
``--flavor``, Nova itself decides.
"""

from collections.abc import Iterator
from typing import Any

from openstack import exceptions
import pytest

from osc_compute_images.api import filters
from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api.filters import Filter
from testbed import nova_filters
from tests.functional.real import Images
from tests.functional.servers import Servers

NAMES = ('compute', 'image', 'list', '-f', 'value', '-c', 'Name')

NOBODY = '00000000-0000-4000-8000-000000000000'

#: Images in addition to those of a new cloud, for more cases.
FURTHER: tuple[dict[str, Any], ...] = (
    # Keys that begin with letters of "property-", which Nova strips.
    {'name': 'letters', 'pxe': 'on', 'root': 'sda', 'os_x': '1', 'tpm': '2'},
    {'name': 'letters-2', 'yum': 'on', '-k': 'v', 'property-x': '1'},
    # The same keys without these letters.
    {'name': 'without', 's_distro': 'ubuntu', 'xe': 'on', 'k': 'v', 'x': '1'},
    # Values that Glance interprets as operators.
    {'name': 'operators', 'hw_disk_bus': 'in:virtio,scsi', 'hw_rng': 'eq:x'},
    {'name': 'more', 'architecture': 'in:x86_64,i686', 'vm_mode': 'neq:a'},
    # Keys and values that contain "=" or spaces.
    {'name': 'equals', 'build': 'a=b', 'k': '=', 'Key Space': ' v '},
    {'name': 'text', 'ключ': 'значение', 'a,b': "it's", 'hw_serial': ''},
    # Types that have a meaning here.
    {'name': 'base', 'image_type': 'base', 'hw_disk_bus': 'VIRTIO'},
    {'name': 'server', 'image_type': 'server', 'architecture': 'X86_64'},
    {'name': 'all', 'image_type': 'all', 'min_ram': 512, 'min_disk': 5},
    {'name': 'range', 'hw_cpu_max': '4', 'hw_cpu_min': '2', 'size_min': '1'},
)


#: Parameters of Nova that do not select what their names say.
QUERIES = (
    *({'name': name} for name in ('in:golden,gold', 'in:foo', '')),
    *({'status': word} for word in ('SAVING', 'ERROR', 'UNKNOWN', 'Queued')),
    *({'type': word} for word in ('snapshot', 'base', 'BASE', 'ALL')),
    *({'minDisk': '5'}, {'minRam': '512'}, {'minDisk': 'abc'}),
    {'server': f'http://nova/v2.1/servers/{NOBODY}'},
    *({'type': 'snapshot', more: '5'} for more in ('minDisk', 'minRam')),
    {'changes-since': '2000-01-01T00:00:00Z', 'status': 'active'},
    {'name': 'in:golden,gold', 'property-hw_disk_bus': 'virtio'},
    *({'property-os_distro': 'ubuntu'}, {'property-pxe': 'on'}),
    *({'property-hw_disk_bus': 'virtio'}, {'property-hw_serial': ''}),
)


def with_odd_values(images: list[Image]) -> Iterator[Filter]:
    """Yield filters with values that Nova or Glance may understand wrongly."""
    names = {image.name for image in images if image.name is not None} | {
        *('in:golden', 'in:golden,x', 'neq:x', 'eq:', ':', 'g*', 'eq:golden'),
        *('gold', 'GOLDEN', 'golden ', 'None', 'null', 'm' * 256, 'ubuntu'),
        *('\U0001f427', 'a\nb', '--', '%', '\\'),
    }
    yield from map(filters.name, names)
    pairs = {(k, str(v)) for i in images for k, v in i.metadata.items()} | {
        *(('hw_disk_bus', 'in:virtio'), ('hw_disk_bus', 'in:virtio,ide')),
        *(('hw_disk_bus', 'eq:virtio'), ('hw_disk_bus', ' virtio')),
        *(('architecture', 'x' * 300), ('hw_rng', 'x'), ('s_distro', 'x')),
        # Fields of images, which are not properties.
        *(('name', 'golden'), ('status', 'active'), ('size', '4096')),
        *(('visibility', 'public'), ('min_disk', '5'), ('id', NOBODY)),
        *(('size_min', '0'), ('limit', '1'), ('sort', 'name:asc')),
        *(('marker', NOBODY), ('created_at', 'gt:2020-01-01T00:00:00Z')),
        *(('tag', 'x'), ('owner', 'x'), ('protected', 'True')),
    }
    yield from (filters.property_is(*pair) for pair in pairs)
    yield from map(filters.status, (*filters.STATUSES, 'Saving'))
    for kind in ('snapshot', 'backup', 'in:foo', 'SNAPSHOT', 'neq:backup'):
        yield filters.image_type(kind)
    yield from (filters.server(i.server.id) for i in images if i.server)
    for number in (0, 5, 512, 2**31 - 1):
        yield filters.min_disk(exactly=number)
        yield filters.min_ram(exactly=number)
    updated = images[len(images) // 2].updated.removesuffix('Z')
    for end in ('Z', '.000001Z', '+05:30', '-08:00'):
        yield filters.changes_since(f'{updated}{end}')


def test_fake_cloud_filters_as_nova(cloud, images):
    compute = cloud.connection('demo').compute

    def answer(query: dict[str, Any]) -> Any:
        params = {'limit': '1000', **query}
        return compute.get('/images/detail', params=params, microversion=None)

    def listed(**query: str) -> list[dict[str, Any]]:
        return answer(query).json()['images']

    for fields in FURTHER:
        images(**fields)
    statuses = {image['id']: image['status'] for image in images.images()}
    everything = listed()
    times = sorted(image['created'] for image in everything)
    size = max(image['OS-EXT-IMG-SIZE:size'] for image in everything)
    queries = {
        str(one.query): {k: str(v) for k, v in one.query.items()}
        for one in with_odd_values(list(ImagesAPI(compute).list_detail()))
    }
    assert len(queries) > 100
    for query in (
        *queries.values(),
        *QUERIES,
        {'property-created_at': f'lt:{times[len(times) // 2]}'},
        {'property-created_at': f'lt:{times[0]}'},
        {'property-size_min': '1'},
        {'property-size_min': f'{size}'},
        {'property-size_min': f'{size + 1}'},
    ):
        assert [image['name'] for image in listed(**query)] == [
            image['name']
            for image in everything
            if nova_filters.keeps(
                {**image, nova_filters.STATUS: statuses[image['id']]},
                query,
            )
        ], query
    for query in (
        {'property-created_at': 'lt:no-such-time'},
        {'property-size_min': 'no-such-size'},
        {'property-visibility': 'no-such-visibility'},
    ):
        assert answer(query).status_code == 400
        assert nova_filters.problem(query)


# -- flavors, compared with Nova -------------------------------------------


#: Too big, just big enough or small for a flavor; and those of no use.
BOOTED = (
    *('cirros-0.6.2', 'debian-12', 'fedora-40', 'windows-2022', 'big-data'),
    *('min-disk-30', 'min-ram-8192', 'exactly-20', 'one-byte-over-20'),
    *('queued', 'is-deactivated', 'is-deleted', 'volume-backed'),
)


@pytest.mark.parametrize(
    ('user', 'name'),
    [
        ('demo', 'm1.tiny'),
        ('demo', 'm1.small'),
        ('demo', 'm1.large'),
        # Nova lets only an administrator boot an image that is not on a
        # volume on a flavor without a disk.
        ('admin', 'v1.volume'),
    ],
)
def test_flavor_agrees_with_nova(cloud, user, name):
    ids = {each['name']: each['id'] for each in Images(cloud, user).images()}
    listed = cloud.shell(user)(*NAMES, '--flavor', name).out.splitlines()
    servers = Servers(cloud, user)
    flavor_id = servers.api.find_flavor(name).id
    booted = []
    for image in BOOTED:
        if image in listed:
            booted.append(servers.boot(ids[image], flavor_id))
        else:
            with pytest.raises(
                (exceptions.BadRequestException, exceptions.ForbiddenException)
            ):
                servers.boot(ids[image], flavor_id)
    servers.delete(*booted)
