# SPDX-License-Identifier: Apache-2.0

"""Filters by server, and by flavor."""

from typing import Protocol

from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._server import Flavor

_GIB = 1024**3


class HasID(Protocol):
    """Anything with an ID, such as a server."""

    @property
    def id(self) -> str: ...


def server(server: HasID | str) -> Filter:
    """Select images that were taken from a server.

    :param server: its ID, or any object with an ``id``. To find the ID of a
        name, use :meth:`.ImagesAPI.find_server_id`
    """
    server_id = getattr(server, 'id', server)
    if not isinstance(server_id, str):
        raise TypeError(f'server takes an ID, not {type(server).__name__}')
    return Filter(
        lambda image: image.server_id == server_id,
        {'server': server_id},
        label=f'server({server_id!r})',
    )


def boots_on(flavor: Flavor) -> Filter:
    """Select the images that a server of a flavor can boot.

    As Nova checks: the image is ACTIVE, and the flavor has its minimum memory
    and disk, and disk for its size. The disk is not checked for servers that
    boot from a volume: those of flavors without a disk, and of snapshots of
    volume-backed servers.
    """
    if not isinstance(flavor, Flavor):
        raise TypeError(
            f'boots_on takes a Flavor, not {type(flavor).__name__}: use '
            f'ImagesAPI.find_flavor()'
        )

    def matches(image: Image) -> bool:
        if image.state != 'ACTIVE' or (image.min_ram or 0) > flavor.ram:
            return False
        if flavor.disk == 0 or image.is_volume_backed:
            return True
        return (image.min_disk or 0) <= flavor.disk and (
            (image.size or 0) <= flavor.disk * _GIB
        )

    return Filter(
        matches, {'status': 'active'}, label=f'boots_on({flavor.name!r})'
    )
