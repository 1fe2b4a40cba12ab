# SPDX-License-Identifier: Apache-2.0

"""Checks before the properties of an image are changed."""

import argparse
from collections.abc import Callable
from collections.abc import Mapping
import functools
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.changes.chosen import Chosen


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that allows images to become private."""
    parser.add_argument(
        '--allow-private',
        action='store_true',
        help='Allow the image to become private: with any change of '
        'properties, the Compute service makes a shared or community '
        'image private, so that other projects can no longer use it. '
        'Without this option, such images are not changed; "openstack '
        'image set" and "openstack image unset" keep the visibility',
    )


def visibility_check(
    chosen: 'Chosen', log: logging.Logger, parsed_args: argparse.Namespace
) -> 'Callable[[Image], str | None]':
    """Return a function that returns why an image must be kept, or None.

    Images whose visibility is unknown are kept, unless they were named.

    :param log: warns of named images whose visibility is unknown
    :raises ImagesError: if a request fails
    """
    if parsed_args.allow_private:
        return lambda _image: None
    if chosen.named:
        found = {
            image.id: chosen.api.find_visibility(image.id)
            for image in chosen.images
        }
        for image_id, visibility in found.items():
            if visibility is None:
                log.warning(
                    'The visibility of image %s is unknown: if it is '
                    'shared or community, the Compute service makes it '
                    'private; "openstack image set" does not',
                    image_id,
                )
    else:
        made_private = chosen.api.find_visibilities(chosen.images)
        if made_private is None:
            return lambda _image: (
                'its visibility is unknown, and a change might make it '
                'private: allow that with --allow-private'
            )
        found = {**made_private}
    return functools.partial(_reason, found)


def _reason(found: 'Mapping[str, str | None]', image: 'Image') -> str | None:
    from osc_compute_images.api.changes import properties

    visibility = found.get(image.id)
    if visibility not in properties.MADE_PRIVATE:
        return None
    return (
        f'its visibility is {visibility}, and a change would make it private: '
        f'allow that with --allow-private'
    )
