# SPDX-License-Identifier: Apache-2.0

"""Checks before the properties of an image are changed."""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
import logging
from types import MappingProxyType
from typing import TYPE_CHECKING

from osc_lib import exceptions
from osc_lib.i18n import _

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI

#: The filter option --property is renamed where --property is what to change.
RENAMED = MappingProxyType({'property': 'with-property'})


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that allows images to become private."""
    parser.add_argument(
        '--allow-private',
        action='store_true',
        help=_(
            'Allow the image to become private: with any change of '
            'properties, the Compute service makes a shared or community '
            'image private, so that other projects can no longer use it. '
            'Without this option, such images are not changed; "openstack '
            'image set" and "openstack image unset" keep the visibility'
        ),
    )


def visibility_check(
    api: 'ImagesAPI',
    images: 'Iterable[Image]',
    parsed_args: argparse.Namespace,
) -> 'Callable[[Image], str | None]':
    """Return a function that returns why an image must be kept, or None.

    Images whose visibility is unknown are kept.

    :raises ImagesError: if a request fails
    """
    if parsed_args.allow_private:
        return lambda _image: None
    made_private = api.find_made_private(images)
    if made_private is None:
        return lambda _image: _(
            'its visibility is unknown, and a change might make it private: '
            'allow that with --allow-private'
        )

    def reason(image: 'Image') -> str | None:
        visibility = made_private.get(image.id)
        return (
            visibility
            and _(
                'its visibility is %s, and a change would make it private: '
                'allow that with --allow-private'
            )
            % visibility
        )

    return reason


def check(
    api: 'ImagesAPI',
    image: 'Image',
    log: logging.Logger,
    *,
    allow_private: bool,
    replaced: Iterable[str],
) -> None:
    """Check that a change has no side effects on an image.

    :param log: warns if the visibility is unknown
    :param replaced: keys of the properties that are set or removed
    :raises CommandError: if the image would become private
    :raises ImagesError: if the change would corrupt another property, or a
        request fails
    """
    from osc_compute_images.api import properties

    properties.check_kept(image.metadata, frozenset(replaced))
    if allow_private:
        return
    visibility = api.find_visibility(image.id)
    if visibility in properties.MADE_PRIVATE:
        raise exceptions.CommandError(
            _(
                'Image %(id)s was not changed: its visibility is '
                '%(visibility)s, and the Compute service would make it '
                'private. Use "openstack image set" or "openstack image '
                'unset", which keep the visibility, or add --allow-private '
                'if no other project uses the image'
            )
            % {'id': image.id, 'visibility': visibility}
        )
    if visibility is None:
        log.warning(
            _(
                'The visibility of image %s is unknown: if it is shared or '
                'community, the Compute service makes it private; '
                '"openstack image set" does not'
            ),
            image.id,
        )
