# SPDX-License-Identifier: Apache-2.0

"""What images tell of the images and servers that they belong to."""

from collections.abc import Iterator
from typing import Any

from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._server import Server

_NEEDS = ('kernel_id', 'ramdisk_id')
_VOLUMES = 'block_device_mapping'

#: The suffixes that Nova adds to the name of a server for the snapshots in
#: which it stores it.
_STORED = ('-shelved', '-resize-temp')


def needs(image: Image) -> Iterator[str]:
    """Yield the IDs of the images that an image needs."""
    volumes: Any = image.metadata.get(_VOLUMES)
    if not isinstance(volumes, list | tuple):
        volumes = ()
    for needed in (
        *(image.metadata.get(key) for key in _NEEDS),
        *(v.get('image_id') for v in volumes if hasattr(v, 'get')),
    ):
        if needed and isinstance(needed, str):
            yield needed


def names_as_stored(server: Server) -> Iterator[str]:
    """Yield the names of the images in which Nova stores a server.

    That of a server without a name is unknown: it is ``''``.
    """
    for suffix in _STORED if server.name else ('',):
        yield f'{server.name}{suffix}'


def is_named_as_stored(image: Image) -> bool:
    """Return whether an image may be that of a server which it does not name.

    It has the name that Nova gives the image of a shelved server, and has lost
    the property with the server's ID.
    """
    return image.server_id is None and (image.name or '').endswith(_STORED)
