# SPDX-License-Identifier: Apache-2.0

"""Count images and add up their sizes."""

import argparse

from osc_lib.command import command

from osc_compute_images import base
from osc_compute_images.options import select
from osc_compute_images.options import shared


class SummarizeComputeImages(base.ImagesCommand, command.Lister):
    """Count images and add up their sizes, by group."""

    _description = (
        'Count images and add up their sizes, through the Compute service'
    )

    examples = (
        '--group-by type,status --human-readable',
        '--all-regions --group-by property:os_distro -f json',
    )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        select.add_filters(parser, by_visibility=True)
        select.add_newest(
            parser.add_argument_group('how many'),
            'Group the images by name, server, type, status or '
            'property:<key>; repeat option to combine keys (default: all '
            'images are one group)',
        )
        shared.add_regions(parser)
        shared.add_human_readable(parser.add_argument_group('output'))

    def work(self, parsed_args: argparse.Namespace) -> base.Work:
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.views import summary as view

        return view.SummaryView(self, parsed_args)
