# SPDX-License-Identifier: Apache-2.0

"""Delete images."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osc_compute_images.changes import command
from osc_compute_images.options import parsers

if TYPE_CHECKING:
    from osc_compute_images.api.changes.plan import Plan
    from osc_compute_images.changes.chosen import Chosen


class DeleteComputeImage(command.ChangeCommand):
    """Delete images."""

    _description = (
        'Delete image(s) by name or ID, or all images that filters select, '
        'through the Compute service'
    )
    arguments = ('[<image> ...]',)
    verb = 'delete'
    deletes = True
    examples = (
        'web-1-snapshot web-2-snapshot',
        '--unused --created-before 1y --dry-run',
    )
    advice = '. To delete it all the same, use --force'

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'images',
            metavar='<image>',
            nargs='*',
            type=parsers.name_or_id,
            help='Image(s) to delete (name or ID). A snapshot in which a '
            'server is, or may be, stored is kept',
        )
        self.add_planning(parser).add_argument(
            '--force',
            action='store_true',
            help='Delete the named images even if a server is stored in them, '
            'which destroys the server',
        )

    def names(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        images: list[str] = parsed_args.images
        return images

    def plan(
        self, chosen: 'Chosen', parsed_args: argparse.Namespace
    ) -> 'Plan':
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.api.changes import plan

        return plan.delete(
            chosen.images,
            chosen.protection,
            keep=parsed_args.keep,
            named=chosen.named,
        )
