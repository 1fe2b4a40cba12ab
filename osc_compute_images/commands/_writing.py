# SPDX-License-Identifier: Apache-2.0

"""What is checked before the properties of an image are changed."""

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

#: The option that chooses by a property, where another is to be changed.
RENAMED = MappingProxyType({'property': 'with-property'})


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that accepts what a change does to other projects."""
    parser.add_argument(
        '--allow-private',
        action='store_true',
        default=False,
        help=_(
            'Allow that the image becomes private: the Compute service makes '
            'a shared or community image private with any change of its '
            'properties, so that other projects can no longer use it. '
            'Without this option such an image is not changed; "openstack '
            'image set" and "openstack image unset" leave the visibility as '
            'it is'
        ),
    )


def keeper(
    api: 'ImagesAPI',
    images: 'Iterable[Image]',
    parsed_args: argparse.Namespace,
) -> 'Callable[[Image], str | None]':
    """Return what tells why an image must stay as it is, or None.

    What cannot be known is not changed: there may be many such images.

    :raises ImagesError: if the server could not be asked
    """
    if parsed_args.allow_private:
        return lambda _image: None
    made_private = api.find_made_private(images)
    if made_private is None:
        return lambda _image: _(
            'its visibility is not known, and a change might make it '
            'private: allow that with --allow-private'
        )

    def reason(image: 'Image') -> str | None:
        visibility = made_private.get(image.id)
        return (
            visibility
            and _(
                'it is a %s image, which a change would make private: allow '
                'that with --allow-private'
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
    """Check that a change does no more to an image than was asked for.

    :param log: where it is told that this is not known
    :param replaced: keys of the properties that are set or removed
    :raises CommandError: if the image would become private
    :raises ImagesError: if the change would spoil another property, or the
        server could not be asked
    """
    from osc_compute_images.api import properties

    properties.check_kept(image.metadata, frozenset(replaced))
    if allow_private:
        return
    visibility = api.find_visibility(image.id)
    if visibility in properties.MADE_PRIVATE:
        raise exceptions.CommandError(
            _(
                'Image %(id)s is not changed: it is a %(visibility)s image, '
                'and the Compute service would make it private. Use '
                '"openstack image set" or "openstack image unset", which '
                'leave the visibility as it is, or accept this with '
                '--allow-private'
            )
            % {'id': image.id, 'visibility': visibility}
        )
    if visibility is None:
        log.warning(
            _(
                'The visibility of image %s is not known: if it is shared or '
                'community, the Compute service makes it private; '
                '"openstack image set" would not'
            ),
            image.id,
        )
