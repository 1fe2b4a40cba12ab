# SPDX-License-Identifier: Apache-2.0

"""The flavors, images and servers of each region of a new cloud."""

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
from typing import Any

from images import distro
from images import GB
from images import Image
from images import image_id
from images import MB
from images import snapshot

#: A server that no longer exists.
GONE = 'd0e5a1b2-0000-4000-8000-00000000dead'

#: The IDs of a kernel and a ramdisk, which a third image needs.
KERNEL = image_id('RegionOne', 0, 'kernel')
RAMDISK = image_id('RegionOne', 0, 'ramdisk')

#: Fields of an image of the ordinary user.
_MINE: dict[str, Any] = {'visibility': 'private', 'owner': 'demo'}


def _base(
    name: str, version: str, size: int, disk: int, ram: int = 0, **more: str
) -> Image:
    return Image(
        f'{name}-{version}',
        size=size,
        min_disk=disk,
        min_ram=ram,
        properties=distro(name, version, **more),
    )


#: The newest image of each region.
CIRROS = _base('cirros', '0.6.2', 1 * MB, 1)


def _of_first_region(servers: dict[str, str]) -> Iterator[Image]:
    """Yield the other images of the first region, the newest first.

    :param servers: the IDs of the project's servers, by name
    """
    yield _base(
        'ubuntu', '24.04', 620_000_000, 5, 1024, hw_qemu_guest_agent='yes'
    )
    yield _base('ubuntu', '22.04', 680_000_000, 5, 1024)
    yield _base('debian', '12', 340_000_000, 2, 512)
    yield _base('fedora', '40', 430_000_000, 10, 2048, hw_firmware_type='uefi')
    yield _base('windows', '2022', 12 * GB, 40, 4096, os_type='windows')
    yield Image('big-data', size=25 * GB, properties=distro('centos', '9'))
    yield Image('min-disk-30', min_disk=30)
    yield Image('min-ram-8192', min_ram=8192)
    yield Image('exactly-20', size=20 * GB, min_disk=20, min_ram=2048)
    yield Image('one-byte-over-20', size=20 * GB + 1, min_disk=20)

    one, two = snapshot(servers['web-1']), snapshot(servers['web-2'])
    yield Image('web-1-snapshot', **_MINE, properties=one)
    yield Image('web-1-snapshot-2', **_MINE, min_disk=20, properties=one)
    yield Image('web-2-snapshot', **_MINE, properties=two)
    yield Image('old-server-snapshot', **_MINE, properties=snapshot(GONE))
    daily = {**two, 'image_type': 'backup', 'backup_type': 'daily'}
    yield Image('nightly', **_MINE, properties=daily)
    yield Image('odd-type', **_MINE, properties={'image_type': 'in:foo'})
    yield Image(
        'volume-backed', **_MINE, size=0,
        properties={
            'block_device_mapping': '[{"source_type": "snapshot", '
            '"boot_index": 0, "volume_size": 10}]',
            'bdm_v2': 'True',
            'root_device_name': '/dev/vda',
        },
    )  # fmt: skip
    mappings = '[{"virtual": "ami", "device": "sda1"}]'
    yield Image('with-mappings', properties={'mappings': mappings})
    yield Image('auto-disk', properties={'auto_disk_config': 'True'})
    yield Image('manual-disk', properties={'auto_disk_config': 'False'})

    yield from _odd_images()

    yield Image('admin-private', visibility='private')
    yield Image('n' * 255, visibility='private')
    yield Image('admin-shared', visibility='shared')
    yield Image('admin-community', visibility='community')
    yield Image('demo-protected', **_MINE, protected=True)
    for number in range(4):
        yield Image(
            f'demo-{number}', **_MINE, min_disk=number * 5,
            properties={'build': str(number), 'hw_vif_model': 'virtio'},
        )  # fmt: skip

    # Images of the servers below. IDs depend on the position: add at the end.
    for name, own_id, kind in (
        ('kernel', KERNEL, 'aki'), ('ramdisk', RAMDISK, 'ari')
    ):  # fmt: skip
        yield Image(name, id=own_id, disk_format=kind, container_format=kind)
    needed = {'kernel_id': KERNEL, 'ramdisk_id': RAMDISK}
    yield Image('with-kernel', properties=needed)
    yield Image('going', **_MINE)


def _odd_images() -> Iterator[Image]:
    """Yield images with unusual names and statuses."""
    # Names that are difficult for Nova, Glance, shells or terminals.
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
    # The name of this image is the ID of another one.
    yield Image(image_id('RegionOne', 0))

    queued: dict[str, Any] = {'status': 'queued', 'size': None}
    yield Image('queued', **_MINE, **queued)
    yield Image('queued-too', **queued, min_disk=10)
    for status in (
        'saving', 'killed', 'importing', 'uploading', 'deactivated',
        'pending_delete', 'deleted',
    ):  # fmt: skip
        yield Image(f'is-{status}', status=status)


def _of_second_region(servers: dict[str, str]) -> Iterator[Image]:
    yield _base('ubuntu', '24.04', 620_000_000, 5, 1024)
    yield Image('only-in-two', min_disk=2)
    one = snapshot(servers['web-1'])
    yield Image('web-1-snapshot', **_MINE, properties=one)
    # An image with the same ID is in the first region.
    yield Image('replicated', id=image_id('RegionOne', 4))
    for number in range(4):
        yield Image(f'two-{number}', **_MINE)


@dataclasses.dataclass(frozen=True)
class Server:
    """A server to create.

    :param image: name of the image that it boots from
    :param fate: its final state: empty, ``shelved``, ``offloaded``,
        ``deleted`` (its snapshot is kept), ``image deleted``, or ``volume``:
        it looks as if it had been booted from a volume
    """

    name: str
    image: str
    fate: str = ''
    project: str = 'demo'


@dataclasses.dataclass
class Region:
    """The contents of a region.

    :param flavors: id, name, memory (MB) and disk (GB) of each flavor
    :param servers: names of the first servers, which boot from the newest
        image
    :param images: yields the other images, given the IDs of these servers
    :param more: servers that boot from the other images
    """

    flavors: tuple[tuple[str, str, int, int], ...]
    servers: tuple[str, ...]
    images: Callable[[dict[str, str]], Iterator[Image]]
    more: tuple[Server, ...]


_FLAVORS = (
    ('1', 'm1.tiny', 512, 1),
    ('2', 'm1.small', 2048, 20),
    ('3', 'm1.medium', 4096, 40),
    ('4', 'm1.large', 8192, 80),
    ('5', 'v1.volume', 4096, 0),
)

CONTENT = {
    'RegionOne': Region(
        (*_FLAVORS, ('6', 'gpu.only-one', 16384, 100)),
        ('web-1', 'web-2', 'twin', 'twin'),
        _of_first_region,
        (
            Server('from-snapshot', 'web-1-snapshot'),
            Server('from-volume', 'debian-12', 'volume'),
            Server('shelved', 'demo-1', 'shelved'),
            Server('offloaded', 'demo-2', 'offloaded'),
            Server('with-kernel', 'with-kernel'),
            Server('image-gone', 'going', 'image deleted'),
            Server('gone', 'demo-3', 'deleted'),
            Server('of-admin', 'admin-private', project='admin'),
        ),
    ),
    'RegionTwo': Region(
        _FLAVORS,
        ('web-1',),
        _of_second_region,
        (Server('of-replicated', 'replicated'),),
    ),
}
