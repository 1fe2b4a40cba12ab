# SPDX-License-Identifier: Apache-2.0

"""Find the image that a name or ID means, in several regions."""

from collections.abc import Iterable
from collections.abc import Sequence
import shlex
from typing import TypeVar

from osc_compute_images.api import AmbiguousName
from osc_compute_images.api import Image
from osc_compute_images.api import ImageNotFound
from osc_compute_images.api import ImagesError
from osc_compute_images.api import in_regions
from osc_compute_images.api import Server
from osc_compute_images.targets.scope import RegionKey
from osc_compute_images.targets.scope import Regions

_Found = TypeVar('_Found', bound=Image | Server)


def only_image(
    found: Iterable[tuple[RegionKey, Sequence[Image]]], name_or_id: str
) -> tuple[RegionKey, Image]:
    """Return the only image that was found in several regions."""
    matches = [(key, image) for key, images in found for image in images]
    missing = ImageNotFound(
        f'No image with a name or ID of {name_or_id!r} exists in these regions'
    )
    return only_one('image', name_or_id, matches, missing)


def only_one(
    noun: str,
    name_or_id: str,
    matches: Sequence[tuple[RegionKey, _Found]],
    missing: ImagesError,
) -> tuple[RegionKey, _Found]:
    """Return the only one that was found in several regions.

    :param noun: what was looked for
    :param missing: raised if there is none
    :raises AmbiguousName: if there are several
    """
    if not matches:
        raise missing
    if len(matches) > 1:
        choices = ', '.join(
            shlex.join((*key, found.id)) for key, found in matches
        )
        raise AmbiguousName(
            f'{len(matches)} {noun}s have the name or ID {name_or_id!r}; use '
            f'--region and the ID of one: {choices}',
            ids=tuple(found.id for _key, found in matches),
        )
    return matches[0]


def find(regions: Regions, name_or_id: str) -> tuple[RegionKey, Image]:
    """Find the one image to change, in the selected regions.

    If any region fails, it raises: that region might have the image, too.

    :returns: the key of its region, and the image
    :raises ImagesError: if there is none, or if there are several
    """
    for error in regions.failed.values():
        raise error
    if len(regions.apis) == 1:
        ((key, api),) = regions.apis.items()
        return key, api.find(name_or_id)
    found = [
        (result.region, result.unwrap())
        for result in in_regions(
            regions.apis, lambda api: api.find_all(name_or_id)
        )
    ]
    return only_image(found, name_or_id)
