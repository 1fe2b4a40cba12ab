# SPDX-License-Identifier: Apache-2.0

"""Find the image that a name or ID means, in several regions."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
import itertools
import shlex
from typing import TypeVar

from osc_compute_images.api import AmbiguousName
from osc_compute_images.api import Image
from osc_compute_images.api import ImageNotFound
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api import in_regions
from osc_compute_images.api import RegionFailure
from osc_compute_images.api import Server
from osc_compute_images.targets.results import describe_region
from osc_compute_images.targets.scope import RegionKey
from osc_compute_images.targets.scope import Regions

_Found = TypeVar('_Found', bound=Image | Server)
_Result = TypeVar('_Result')


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

    :returns: the key of its region, and the image
    :raises ImagesError: if there is none, or if there are several
    """
    if len(regions.apis) == 1 and not regions.failed:
        ((key, api),) = regions.apis.items()
        return key, api.find(name_or_id)
    found = in_each(regions, lambda api: api.find_all(name_or_id))
    return only_image(found, name_or_id)


def in_each(
    regions: Regions, call: Callable[[ImagesAPI], _Result]
) -> list[tuple[RegionKey, _Result]]:
    """Call a function for each region, and return the results.

    :raises ImagesError: if any region fails, with its name: that region might
        have what is looked for, too
    """
    found: list[tuple[RegionKey, _Result]] = []
    failed = [*itertools.starmap(RegionFailure, regions.failed.items())]
    for result in failed or in_regions(regions.apis, call):
        try:
            found.append((result.region, result.unwrap()))
        except ImagesError as e:
            if result.region:
                e.message = f'{describe_region(result.region)}: {e.message}'
            raise
    return found
