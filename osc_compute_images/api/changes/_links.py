# SPDX-License-Identifier: Apache-2.0

"""What images tell of the images and servers that they belong to."""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._image import ImageRef
from osc_compute_images.api.records._server import Server

#: The suffixes that Nova adds to the name of a server for the snapshots in
#: which it stores it.
_STORED = ('-shelved', '-resize-temp')


def needing(images: Iterable[Image]) -> dict[str, list[ImageRef]]:
    """Return which images need an image, by its ID in lower case."""
    found: dict[str, list[ImageRef]] = defaultdict(list)
    for image in images:
        for needed in _needs(image):
            if isinstance(needed, str):
                ref = ImageRef(image.id, image.name)
                found[needed.lower()].append(ref)
    return found


def _needs(image: Image) -> Iterator[Any]:
    yield image.metadata.get('kernel_id')
    yield image.metadata.get('ramdisk_id')
    volumes: Any = image.metadata.get('block_device_mapping')
    if isinstance(volumes, list | tuple):
        yield from (v.get('image_id') for v in volumes if hasattr(v, 'get'))


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
