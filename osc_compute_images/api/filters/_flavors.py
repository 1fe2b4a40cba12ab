# SPDX-License-Identifier: Apache-2.0

"""The filter by what a flavor can boot."""

from osc_compute_images.api._image import Image
from osc_compute_images.api._lookup import Flavor
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.filters._states import status

_GIB = 1024**3


def boots_on(flavor: Flavor) -> Filter:
    """Choose the images that a server of a flavor can boot.

    It is what Nova checks before it builds a server: the image is ACTIVE, the
    flavor has the memory and the disk that the image needs at least, and the
    disk holds the image. Where the server boots from a volume, it is the
    volume that must have the disk, whatever the flavor: so do flavors without
    a disk, and the snapshots of servers on volumes.
    """
    if not isinstance(flavor, Flavor):
        raise TypeError(
            f'boots_on takes a Flavor, not {type(flavor).__name__}: '
            f'ImagesAPI.find_flavor finds it'
        )

    def matches(image: Image) -> bool:
        if image.status != 'ACTIVE' or (image.min_ram or 0) > flavor.ram:
            return False
        if flavor.disk == 0 or image.is_volume_backed:
            return True
        return (image.min_disk or 0) <= flavor.disk and (
            (image.size or 0) <= flavor.disk * _GIB
        )

    return Filter(
        matches, status('ACTIVE').query, label=f'boots_on({flavor.name!r})'
    )
