# SPDX-License-Identifier: Apache-2.0

"""Set the properties of an image of the Compute service."""

import argparse

from osc_lib import exceptions
from osc_lib.cli import parseractions
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _regions


class SetComputeImage(_connect.ImagesCommand):
    """Set the properties of an image."""

    _description = _('Set image properties, through the Compute service')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'image',
            metavar='<image>',
            help=_('Image to modify (name or ID)'),
        )
        parser.add_argument(
            '--property',
            metavar='<key=value>',
            action=parseractions.KeyValueAction,
            dest='properties',
            help=_(
                'Set a property on this image '
                '(repeat option to set multiple properties)'
            ),
        )
        parser.add_argument(
            '--no-property',
            action='store_true',
            default=False,
            help=_(
                'Remove all properties from this image (specify both '
                '--property and --no-property to replace them)'
            ),
        )
        _regions.add_region(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        wanted = parsed_args.properties or {}
        if not wanted and not parsed_args.no_property:
            raise exceptions.CommandError(
                _('Nothing to set: give --property or --no-property')
            )
        with _connect.explained():
            places = _regions.chosen(self, parsed_args)
            api, image = _regions.find(places, parsed_args.image)
            if parsed_args.no_property:
                api.replace_metadata(image.id, wanted)
                # The answer of Nova repeats what was sent.
                stored = api.get_metadata(image.id)
            else:
                stored = api.update_metadata(image.id, wanted)
        # Nova accepts the names of an image's own fields, and ignores them.
        ignored = [key for key in wanted if key not in stored]
        if ignored:
            raise exceptions.CommandError(
                _('The server accepted but did not store: %s')
                % ', '.join(ignored)
            )
