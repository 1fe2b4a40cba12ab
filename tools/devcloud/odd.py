# SPDX-License-Identifier: Apache-2.0

"""Images with unusual names and statuses."""

from collections.abc import Iterator
from typing import Any

from images import Image
from images import image_id


def odd_images(mine: dict[str, Any]) -> Iterator[Image]:
    """Yield the images, the newest first.

    :param mine: fields of an image of the ordinary user
    """
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

    yield Image('queued', **mine, data=0)
    yield Image('queued-too', data=0, min_disk=10)
    for status in (
        'saving', 'killed', 'importing', 'uploading', 'deactivated',
        'pending_delete', 'deleted',
    ):  # fmt: skip
        yield Image(f'is-{status}', status=status)
