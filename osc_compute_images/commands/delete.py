# SPDX-License-Identifier: Apache-2.0

"""Delete images of the Compute service."""

import argparse

from osc_lib import exceptions
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _regions
from osc_compute_images.commands import _values


class DeleteComputeImage(_connect.ImagesCommand):
    """Delete images."""

    _description = _('Delete image(s), through the Compute service')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'images',
            metavar='<image>',
            nargs='+',
            type=_values.name_or_id,
            help=_('Image(s) to delete (name or ID)'),
        )
        _regions.add_region(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        from osc_compute_images.api import ImagesAPI
        from osc_compute_images.api import ImagesError

        failed = 0
        with _connect.explained():
            places = _regions.chosen(self, parsed_args)

        def tell(image: str, e: ImagesError) -> None:
            nonlocal failed
            failed += 1
            self.log.error(
                _('Failed to delete image %(image)r: %(error)s'),
                {'image': image, 'error': _connect.explanation(e)},
            )

        # NOTE: all are found before the first one is deleted. A name that
        # two images have must not come to mean the one that is left.
        found: dict[tuple[ImagesAPI, str], str] = {}
        for image in dict.fromkeys(parsed_args.images):
            try:
                api, match = _regions.find(places, image)
                found.setdefault((api, match.id), image)
            except ImagesError as e:
                tell(image, e)
        total = len(found) + failed
        for (api, image_id), image in found.items():
            try:
                api.delete(image_id)
            except ImagesError as e:
                tell(image, e)
        if failed:
            raise exceptions.CommandError(
                _('%(failed)s of %(total)s images failed to delete.')
                % {'failed': failed, 'total': total}
            )
