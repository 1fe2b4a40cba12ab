# SPDX-License-Identifier: Apache-2.0

"""What images tell of the images and servers that they belong to."""

from collections.abc import Iterator
import itertools
from typing import Any

from osc_compute_images.api.listing._page import ImagePage
from osc_compute_images.api.records._image import Image

#: The suffixes that Nova adds to the name of a server for the snapshots in
#: which it stores it.
STORED = ('-shelved', '-resize-temp')


def entries(page: ImagePage[Image]) -> Iterator[Image]:
    """Yield the images of a page, and one without an ID for each other entry.

    An entry that is no image may be one that needs any other.
    """
    yield from page.images
    yield from itertools.repeat(Image(id=''), page.unreadable)


def needs(image: Image) -> Iterator[str]:
    """Yield the IDs of the images that an image needs."""
    needed: list[Any] = [
        image.metadata.get('kernel_id'),
        image.metadata.get('ramdisk_id'),
    ]
    volumes: Any = image.metadata.get('block_device_mapping')
    if isinstance(volumes, list | tuple):
        needed += (v.get('image_id') for v in volumes if hasattr(v, 'get'))
    return (each for each in needed if isinstance(each, str))


def is_of_another_project(image: Image) -> bool:
    """Return whether an image tells that its server is of another project.

    Nova notes the project of the server in it, as where an administrator has
    shelved the server. Other users do not see that server.
    """
    return 'instance_owner' in image.metadata


def is_named_as_stored(image: Image) -> bool:
    """Return whether an image may be that of a server which it does not name.

    It has the name that Nova gives the image of a shelved server, and has lost
    the property with the server's ID.
    """
    return image.server_id is None and (image.name or '').endswith(STORED)
