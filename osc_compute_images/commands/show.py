# SPDX-License-Identifier: Apache-2.0

"""Show an image; wait until it is active."""

import argparse

from osc_lib.command import command

from osc_compute_images import base
from osc_compute_images.options import parsers
from osc_compute_images.options import shared

#: Exit codes of --wait, if the image does not become active.
EXIT_ERROR = 3
EXIT_DELETED = 4
EXIT_VANISHED = 5
EXIT_TIMEOUT = 6


class ShowComputeImage(base.ImagesCommand, command.ShowOne):
    _description = 'Show details of an image, through the Compute service'
    examples = (
        'cirros --human-readable',
        'web-1-snapshot --wait --timeout 600',
    )
    notes = (
        'With --wait, the exit code is 3 if the image has status ERROR, 4 '
        'for DELETED, 5 if the image no longer exists, and 6 if --timeout '
        'expired.'
    )
    arguments = ('<image>',)

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'image',
            metavar='<image>',
            type=parsers.name_or_id,
            help='Image to display (name or ID)',
        )
        shared.add_waiting(parser, 'Wait until the image is active')
        shared.add_human_readable(parser, 'the size')
        shared.add_regions(parser)

    def check(self, parsed_args: argparse.Namespace) -> None:
        shared.check_waiting(parsed_args)

    def work(self, parsed_args: argparse.Namespace) -> base.Work:
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.views import show as view

        return view.ImageView(self, parsed_args)
