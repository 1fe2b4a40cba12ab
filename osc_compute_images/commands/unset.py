# SPDX-License-Identifier: Apache-2.0

"""Remove properties of an image of the Compute service."""

import argparse

from osc_lib import exceptions
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _regions


class UnsetComputeImage(_connect.ImagesCommand):
    """Remove properties of an image."""

    _description = _('Unset image properties, through the Compute service')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'image',
            metavar='<image>',
            help=_('Image to modify (name or ID)'),
        )
        parser.add_argument(
            '--property',
            metavar='<key>',
            action='append',
            required=True,
            dest='properties',
            help=_(
                'Remove a property from this image '
                '(repeat option to remove multiple properties)'
            ),
        )
        _regions.add_region(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        from osc_compute_images.api import ImagesError

        failed = 0
        with _connect.explained():
            places = _regions.chosen(self, parsed_args)
            api, image = _regions.find(places, parsed_args.image)
            for key in parsed_args.properties:
                try:
                    api.delete_metadata_item(image.id, key)
                except ImagesError as e:
                    failed += 1
                    self.log.error(
                        _('Failed to unset property %(key)r: %(error)s'),
                        {'key': key, 'error': e},
                    )
        if failed:
            raise exceptions.CommandError(
                _('%(failed)s of %(total)s properties failed to unset.')
                % {'failed': failed, 'total': len(parsed_args.properties)}
            )
