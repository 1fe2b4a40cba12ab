# SPDX-License-Identifier: Apache-2.0

"""Remove properties of an image of the Compute service."""

import argparse

from osc_lib import exceptions
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _regions
from osc_compute_images.commands import _values
from osc_compute_images.commands import _writing


class UnsetComputeImage(_connect.ImagesCommand):
    """Remove properties of an image."""

    _description = _('Unset image properties, through the Compute service')

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
            metavar='<key>',
            action='append',
            default=[],
            dest='properties',
            help=_(
                'Remove a property from this image '
                '(repeat option to remove multiple properties)'
            ),
        )
        _regions.add_region(parser)
        _writing.add_option(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        from osc_compute_images.api import PropertiesNotDeleted

        keys = dict.fromkeys(parsed_args.properties)
        with _connect.explained():
            places = _regions.chosen(self, parsed_args)
            api, image = _regions.find(places, parsed_args.image)
            if not keys:
                return
            _writing.check(
                api,
                image,
                self.log,
                allow_private=parsed_args.allow_private,
                replaced=keys,
            )
            try:
                api.delete_metadata_items(image.id, keys)
            except PropertiesNotDeleted as e:
                for key, error in e.errors.items():
                    self.log.error(
                        _('Failed to unset property %(key)r: %(error)s'),
                        {'key': key, 'error': _connect.explanation(error)},
                    )
                raise exceptions.CommandError(
                    _('%(failed)s of %(total)s properties failed to unset.')
                    % {'failed': len(e.errors), 'total': len(keys)}
                ) from e
