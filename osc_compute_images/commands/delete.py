# SPDX-License-Identifier: Apache-2.0

"""Delete images."""

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osc_lib import exceptions
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _naming
from osc_compute_images.commands import _protecting
from osc_compute_images.commands import _regions
from osc_compute_images.commands import _values

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.plan import Plan
    from osc_compute_images.api.usage import Usage


class DeleteComputeImage(_naming.NamingCommand):
    """Delete images."""

    _description = _(
        'Delete image(s) by name or ID, or all images that filters select, '
        'through the Compute service'
    )
    verb = 'delete'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'images',
            metavar='<image>',
            nargs='*',
            type=_values.name_or_id,
            help=_('Image(s) to delete (name or ID)'),
        )
        self.add_choice(parser)
        _protecting.add_option(parser)
        return parser

    def named(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        images: list[str] = parsed_args.images
        return images

    def plan(
        self, api: 'ImagesAPI', parsed_args: argparse.Namespace
    ) -> 'tuple[Plan, Usage | None]':
        from osc_compute_images.api import plan

        images, protection = _protecting.select(api, parsed_args)
        return plan.delete(images, protection), protection.usage

    def plan_for(
        self,
        api: 'ImagesAPI',  # noqa: ARG002
        images: 'Iterable[Image]',
        parsed_args: argparse.Namespace,  # noqa: ARG002
    ) -> 'Plan':
        from osc_compute_images.api import plan
        from osc_compute_images.api import ServerList
        from osc_compute_images.api.protection import Protection

        images = [*images]
        named = {image.id for image in images}
        return plan.delete(images, Protection(ServerList(()), (), named=named))

    def change_named(
        self, regions: _regions.Regions, parsed_args: argparse.Namespace
    ) -> None:
        from osc_compute_images.api import ImagesAPI
        from osc_compute_images.api import ImagesError

        failed = 0

        def report(image: str, e: ImagesError) -> None:
            nonlocal failed
            failed += 1
            self.log.error(
                _('Failed to delete image %(image)r: %(error)s'),
                {'image': image, 'error': _connect.describe_error(e)},
            )

        # NOTE: find all images before deleting the first: an ambiguous name
        # must not become unique by a deletion.
        found: dict[tuple[ImagesAPI, str], str] = {}
        for image in dict.fromkeys(parsed_args.images):
            try:
                api, match = _regions.find(regions, image)
                found.setdefault((api, match.id), image)
            except ImagesError as e:
                report(image, e)
        total = len(found) + failed
        for (api, image_id), image in found.items():
            try:
                api.delete(image_id)
            except ImagesError as e:
                report(image, e)
        if failed:
            raise exceptions.CommandError(
                _('%(failed)s of %(total)s images failed to delete.')
                % {'failed': failed, 'total': total}
            )
