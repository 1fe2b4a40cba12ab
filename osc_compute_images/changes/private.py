# SPDX-License-Identifier: Apache-2.0

"""Images that a change of properties would make private."""

import argparse
from collections.abc import Callable
from collections.abc import Mapping
import logging

from osc_compute_images.api import Image
from osc_compute_images.api.changes import properties
from osc_compute_images.changes.chosen import Chosen


def made_private(
    log: logging.Logger, chosen: Chosen, parsed_args: argparse.Namespace
) -> Callable[[Image], str | None] | None:
    """Return a function that returns why an image must be kept, or None.

    Images whose visibility is unknown are kept, unless they were named.

    :returns: None if images may become private
    :raises ImagesError: if a request fails
    """
    if parsed_args.allow_private:
        return None
    images, api = chosen.images, chosen.api
    found: Mapping[str, str | None] | None
    if chosen.named:
        found = {i.id: api.find_visibility(i.id) for i in images}
        for image_id in (i for i in found if found[i] is None):
            log.warning(
                'The visibility of image %s is unknown: if it is shared or '
                'community, the Compute service makes it private; "openstack '
                'image set" does not',
                image_id,
            )
    else:
        found = api.find_visibilities(images)

    def reason(image: Image) -> str | None:
        visibility, would = 'unknown', 'might'
        if found is not None:
            visibility, would = found.get(image.id) or '', 'would'
            if visibility not in properties.MADE_PRIVATE:
                return None
        return (
            f'its visibility is {visibility}, and a change {would} make it '
            f'private: allow that with --allow-private'
        )

    return reason
