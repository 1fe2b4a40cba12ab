# SPDX-License-Identifier: Apache-2.0

"""List images."""

import argparse

from osc_lib.command import command

from osc_compute_images import base
from osc_compute_images.options import habits
from osc_compute_images.options import parsers
from osc_compute_images.options import regions
from osc_compute_images.options import select


class ListComputeImage(base.ImagesCommand, command.Lister):
    """List images."""

    _description = 'List images, through the Compute service'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        select.add_options(
            parser,
            'List only the newest image (or as many as --newest says) for '
            'each value of name, server, type, status or property:<key>; '
            'repeat option to combine keys',
        )
        parser.add_argument(
            '--long',
            action='store_true',
            help='List additional fields in output (implied if --column or '
            '--sort-column names one of them)',
        )
        parser.add_argument(
            '--usage',
            action='store_true',
            help='Also list the server that each image was taken from, and '
            'what uses the image (implied by --used-by, --unused and '
            '--orphaned)',
        )
        parser.add_argument(
            '--human-readable',
            action='store_true',
            help='Print image sizes in a human-friendly format',
        )
        parser.add_argument(
            '--limit',
            metavar='<limit>',
            type=parsers.positive_integer,
            help='Maximum number of images to display. With --max-items: '
            'number of images per request, at most 1,000',
        )
        parser.add_argument(
            '--max-items',
            metavar='<max-items>',
            type=parsers.positive_integer,
            help='Maximum number of images to display, in pages of --limit '
            'images (default: no maximum; 250,000 if all are held in '
            'memory, as for a table)',
        )
        parser.add_argument(
            '--marker',
            metavar='<image>',
            type=parsers.name_or_id,
            help='Display only images after this one (name or ID), the last '
            'image of a previous list; it must still exist',
        )
        regions.add_options(parser)
        habits.add_listing(parser)
        return parser

    def check(self, parsed_args: argparse.Namespace) -> None:
        if parsed_args.group_by and parsed_args.newest is None:
            parsed_args.newest = 1

    def work(self, parsed_args: argparse.Namespace) -> base.Work:
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.views import list as view

        return view.ListView(self, parsed_args)
