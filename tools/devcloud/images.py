# SPDX-License-Identifier: Apache-2.0

"""The images, flavors and servers that a new cloud has."""

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
from typing import Any
import uuid

#: The IDs of all images are made from their region and number in it.
_NAMESPACE = uuid.UUID('5f2f0b57-7d5c-4a5e-9b0e-2d1f7c0c5a11')

MB = 1024**2
GB = 1024**3

#: A server that no longer exists.
GONE = 'd0e5a1b2-0000-4000-8000-00000000dead'

_X86 = {'architecture': 'x86_64', 'hw_disk_bus': 'virtio'}


@dataclasses.dataclass
class Image:
    """An image to make.

    :param data: bytes of data to upload; 0 for none, which leaves it queued
    :param status: Glance's word, to be set behind its back
    :param size: bytes, likewise
    """

    name: str | None
    visibility: str = 'public'
    owner: str = 'admin'
    min_disk: int = 0
    min_ram: int = 0
    data: int = 4096
    status: str | None = None
    size: int | None = None
    protected: bool = False
    properties: dict[str, str] = dataclasses.field(default_factory=dict)
    id: str | None = None


def image_id(region: str, number: int, kind: str = 'base') -> str:
    """Return the ID of an image by its number in a region."""
    return str(uuid.uuid5(_NAMESPACE, f'{region}/{kind}/{number}'))


def _distro(name: str, version: str, **more: str) -> dict[str, str]:
    return {'os_distro': name, 'os_version': version, **_X86, **more}


def _snapshot(server: str, **more: str) -> dict[str, str]:
    return {
        'image_type': 'snapshot',
        'instance_uuid': server,
        'base_image_ref': image_id('RegionOne', 0),
        'boot_roles': 'member,reader',
        'owner_project_name': 'demo',
        'owner_user_name': 'demo',
        'image_location': 'snapshot',
        'image_state': 'available',
        **_X86,
        **more,
    }


#: The newest image of each region.
CIRROS = Image(
    'cirros-0.6.2', data=1 * MB, min_disk=1,
    properties=_distro('cirros', '0.6.2'),
)  # fmt: skip


def _of_first_region(servers: dict[str, str]) -> Iterator[Image]:
    """Yield the images of the first region after that, the newest first.

    :param servers: the IDs of the project's servers, by their names
    """
    mine: dict[str, Any] = {'visibility': 'private', 'owner': 'demo'}
    yield Image(
        'ubuntu-24.04', size=620_000_000, min_disk=5, min_ram=1024,
        properties=_distro('ubuntu', '24.04', hw_qemu_guest_agent='yes'),
    )  # fmt: skip
    yield Image(
        'ubuntu-22.04', size=680_000_000, min_disk=5, min_ram=1024,
        properties=_distro('ubuntu', '22.04'),
    )  # fmt: skip
    yield Image(
        'debian-12', size=340_000_000, min_disk=2, min_ram=512,
        properties=_distro('debian', '12'),
    )  # fmt: skip
    yield Image(
        'fedora-40', size=430_000_000, min_disk=10, min_ram=2048,
        properties=_distro('fedora', '40', hw_firmware_type='uefi'),
    )  # fmt: skip
    yield Image(
        'windows-2022', size=12 * GB, min_disk=40, min_ram=4096,
        properties=_distro('windows', '2022', os_type='windows'),
    )  # fmt: skip
    yield Image('big-data', size=25 * GB, properties=_distro('centos', '9'))
    yield Image('min-disk-30', min_disk=30)
    yield Image('min-ram-8192', min_ram=8192)
    yield Image('exactly-20', size=20 * GB, min_disk=20, min_ram=2048)
    yield Image('one-byte-over-20', size=20 * GB + 1, min_disk=20)

    yield Image(
        'web-1-snapshot', **mine, properties=_snapshot(servers['web-1'])
    )
    yield Image(
        'web-1-snapshot-2', **mine, min_disk=20,
        properties=_snapshot(servers['web-1']),
    )  # fmt: skip
    yield Image(
        'web-2-snapshot', **mine, properties=_snapshot(servers['web-2'])
    )
    yield Image('old-server-snapshot', **mine, properties=_snapshot(GONE))
    yield Image(
        'nightly', **mine,
        properties=_snapshot(
            servers['web-2'], image_type='backup', backup_type='daily'
        ),
    )  # fmt: skip
    yield Image('odd-type', **mine, properties={'image_type': 'in:foo'})
    yield Image(
        'volume-backed', **mine, data=0, size=0, status='active',
        properties={
            'block_device_mapping': '[{"source_type": "snapshot", '
            '"boot_index": 0, "volume_size": 10}]',
            'bdm_v2': 'True',
            'root_device_name': '/dev/vda',
        },
    )  # fmt: skip
    yield Image(
        'with-mappings',
        properties={'mappings': '[{"virtual": "ami", "device": "sda1"}]'},
    )
    yield Image('auto-disk', properties={'auto_disk_config': 'True'})
    yield Image('manual-disk', properties={'auto_disk_config': 'False'})

    # The names that Nova and Glance, shells and terminals stumble over.
    for name in (
        'ubuntu:24.04', 'in:foo', 'in:golden,silver', 'eq:x', 'x', 'a,b',
        'say "hi"', "it's", ' leading', 'trailing ', 'a b', '', None,
        'Größe-café-映像', 'two\nlines', 'tab\there',
        '\x1b]0;pwned\x07', '\u202eevil', '*', '50%', 'a&b=c', '#1?', '/etc',
        '-dash', 'Mixed-Case', 'mixed-case',
    ):  # fmt: skip
        yield Image(name)
    for _ in range(3):
        yield Image('golden', properties={'edition': 'gold'})
    # The name of this one is the ID of another.
    yield Image(image_id('RegionOne', 0))

    yield Image('queued', **mine, data=0)
    yield Image('queued-too', data=0, min_disk=10)
    for status in (
        'saving', 'killed', 'importing', 'uploading', 'deactivated',
        'pending_delete', 'deleted',
    ):  # fmt: skip
        yield Image(f'is-{status}', status=status)

    yield Image('admin-private', visibility='private')
    yield Image('n' * 255, visibility='private')
    yield Image('admin-shared', visibility='shared')
    yield Image('admin-community', visibility='community')
    yield Image('demo-protected', **mine, protected=True)
    for number in range(4):
        yield Image(
            f'demo-{number}', **mine, min_disk=number * 5,
            properties={'build': str(number), 'hw_vif_model': 'virtio'},
        )  # fmt: skip


def _of_second_region(servers: dict[str, str]) -> Iterator[Image]:
    """Yield the images of the second region after that."""
    mine: dict[str, Any] = {'visibility': 'private', 'owner': 'demo'}
    yield Image(
        'ubuntu-24.04', size=620_000_000, min_disk=5, min_ram=1024,
        properties=_distro('ubuntu', '24.04'),
    )  # fmt: skip
    yield Image('only-in-two', min_disk=2)
    yield Image(
        'web-1-snapshot', **mine, properties=_snapshot(servers['web-1'])
    )
    # The same image, by ID, as in the first region.
    yield Image('replicated', id=image_id('RegionOne', 4))
    for number in range(4):
        yield Image(f'two-{number}', **mine)


@dataclasses.dataclass
class Region:
    """What a region has.

    :param flavors: id, name, memory (MB) and disk (GB) of each
    :param servers: names
    :param images: yields the images, given the IDs of the servers by name
    """

    flavors: tuple[tuple[str, str, int, int], ...]
    servers: tuple[str, ...]
    images: Callable[[dict[str, str]], Iterator[Image]]


_FLAVORS = (
    ('1', 'm1.tiny', 512, 1),
    ('2', 'm1.small', 2048, 20),
    ('3', 'm1.medium', 4096, 40),
    ('4', 'm1.large', 8192, 80),
    ('5', 'v1.volume', 4096, 0),
)

REGIONS = {
    'RegionOne': Region(
        (*_FLAVORS, ('6', 'gpu.only-one', 16384, 100)),
        ('web-1', 'web-2', 'twin', 'twin'),
        _of_first_region,
    ),
    'RegionTwo': Region(_FLAVORS, ('web-1',), _of_second_region),
}


def bulk(number: int, owners: dict[str, str]) -> Image:
    """Return one of any number of further images."""
    distro, version = (
        ('cirros', '0.6.2'), ('ubuntu', '24.04'), ('debian', '12'),
        ('fedora', '40'), ('rocky', '9'),
    )[number % 5]  # fmt: skip
    properties = _distro(distro, version, build=str(number))
    if number % 7 == 3:
        properties = _snapshot(str(uuid.UUID(int=number // 70 + 1)))
    return Image(
        f'{distro}-{version}-{number:05}',
        visibility='public' if number % 3 else 'private',
        owner=owners[('admin', 'demo')[number % 2]],
        min_disk=(0, 1, 5, 20)[number % 4],
        min_ram=(0, 512, 1024)[number % 3],
        status='active' if number % 11 else 'queued',
        size=10 * MB + number if number % 11 else None,
        properties=properties,
    )
