# SPDX-License-Identifier: Apache-2.0

"""The filter by flavor."""

from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._server import Flavor

_GIB = 1024**3


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
