# SPDX-License-Identifier: Apache-2.0

"""What the commands that change properties have in common."""

import abc
import argparse
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osc_compute_images.changes import command
from osc_compute_images.options import habits
from osc_compute_images.options import parsers

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.changes.chosen import Chosen


class PropertyCommand(command.ChangeCommand):
    """A command that changes properties of one image, or of those chosen."""

    arguments = ('[<image>]',)

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'image',
            metavar='<image>',
            nargs='?',
            type=parsers.name_or_id,
            help='Image to modify (name or ID)',
        )
        self.add_property(parser)
        self.add_planning(parser, 'with-').add_argument(
            '--allow-private',
            action='store_true',
            help='Allow images to become private: with any change of '
            'properties, the Compute service makes a shared or community '
            'image private, so that other projects can no longer use it. '
            'Without this option, such images are not changed; "openstack '
            'image set" and "unset" keep the visibility',
        )
        habits.refuse(parser, habits.ASSIGNING, self.verb)

    @abc.abstractmethod
    def add_property(self, parser: argparse.ArgumentParser) -> None:
        """Add the options that name properties."""

    def names(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        return () if parsed_args.image is None else (parsed_args.image,)

    def made_private(
        self, chosen: 'Chosen', parsed_args: argparse.Namespace
    ) -> 'Callable[[Image], str | None] | None':
        """Return a function that returns why an image must be kept, or None.

        Images whose visibility is unknown are kept, unless they were named.

        :returns: None if images may become private
        :raises ImagesError: if a request fails
        """
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.api.changes import properties

        if parsed_args.allow_private:
            return None
        images, api = chosen.images, chosen.api
        found: Mapping[str, str | None] | None
        if chosen.named:
            found = {i.id: api.find_visibility(i.id) for i in images}
            for image_id in (i for i in found if found[i] is None):
                self.log.warning(
                    'The visibility of image %s is unknown: if it is shared '
                    'or community, the Compute service makes it private; '
                    '"openstack image set" does not',
                    image_id,
                )
        else:
            found = api.find_visibilities(images)

        def reason(image: 'Image') -> str | None:
            visibility, would = 'unknown', 'might'
            if found is not None:
                visibility, would = found.get(image.id) or '', 'would'
                if visibility not in properties.MADE_PRIVATE:
                    return None
            return (
                f'its visibility is {visibility}, and a change {would} make '
                f'it private: allow that with --allow-private'
            )

        return reason
