# SPDX-License-Identifier: Apache-2.0

"""Set the properties of an image of the Compute service."""

import argparse

from osc_lib.cli import parseractions
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _regions
from osc_compute_images.commands import _values
from osc_compute_images.commands import _writing


class SetComputeImage(_connect.ImagesCommand):
    """Set the properties of an image."""

    _description = _('Set image properties, through the Compute service')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'image',
            metavar='<image>',
            type=_values.name_or_id,
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
                'Remove all properties from this image, among them those '
                'that make it a snapshot of a server (specify both '
                '--property and --no-property to replace them)'
            ),
        )
        _regions.add_region(parser)
        _writing.add_option(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        from osc_compute_images.api import properties

        wanted = parsed_args.properties or {}
        with _connect.explained():
            properties.check_properties(wanted)
            places = _regions.chosen(self, parsed_args)
            api, image = _regions.find(places, parsed_args.image)
            if not wanted and not parsed_args.no_property:
                return
            _writing.check(
                api,
                image,
                self.log,
                allow_private=parsed_args.allow_private,
                replaced=image.metadata if parsed_args.no_property else wanted,
            )
            if parsed_args.no_property:
                api.replace_metadata(image.id, wanted)
            else:
                api.update_metadata(image.id, wanted)
