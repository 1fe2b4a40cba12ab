# SPDX-License-Identifier: Apache-2.0

"""Delete images of the Compute service."""

import argparse

from osc_lib import exceptions
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _regions


class DeleteComputeImage(_connect.ImagesCommand):
    """Delete images."""

    _description = _('Delete image(s), through the Compute service')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'images',
            metavar='<image>',
            nargs='+',
            help=_('Image(s) to delete (name or ID)'),
        )
        _regions.add_region(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        from osc_compute_images.api import ImagesError

        failed = 0
        with _connect.explained():
            places = _regions.chosen(self, parsed_args)
        for image in parsed_args.images:
            try:
                api, found = _regions.find(places, image)
                api.delete(found.id)
            except ImagesError as e:
                failed += 1
                self.log.error(
                    _('Failed to delete image %(image)r: %(error)s'),
                    {'image': image, 'error': _connect.explanation(e)},
                )
        if failed:
            raise exceptions.CommandError(
                _('%(failed)s of %(total)s images failed to delete.')
                % {'failed': failed, 'total': len(parsed_args.images)}
            )
