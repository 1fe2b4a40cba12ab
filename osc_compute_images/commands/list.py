# SPDX-License-Identifier: Apache-2.0

"""List images, or count them and add up their sizes."""

import argparse

from osc_lib.command import command

from osc_compute_images import base
from osc_compute_images.options import habits
from osc_compute_images.options import parsers
from osc_compute_images.options import select
from osc_compute_images.options import shared


class ListComputeImage(base.ImagesCommand, command.Lister):
    _description = 'List images, through the Compute service'
    examples = (
        '--type snapshot --created-before 90d --long',
        '--all-regions --unused -f csv',
    )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        select.add_filters(parser, by_visibility=True)
        group = parser.add_argument_group('how many')
        select.add_newest(
            group,
            'List only the newest image (or --newest <n>) of each name, '
            'server, type, status or property:<key>; repeat option to '
            'combine keys',
        )
        group.add_argument(
            '--limit',
            metavar='<n>',
            type=parsers.positive_integer,
            help='List at most <n> images. With --max-items: number of '
            'images per request, at most 1,000',
        )
        group.add_argument(
            '--max-items',
            metavar='<n>',
            type=parsers.positive_integer,
            help='List at most <n> images, in pages of --limit images '
            '(default: no limit; 250,000 if all are held in memory, as for '
            'a table)',
        )
        group.add_argument(
            '--marker',
            metavar='<image>',
            type=parsers.name_or_id,
            help='List only images after this one (name or ID), which must '
            'still exist',
        )
        shared.add_regions(parser)
        group = parser.add_argument_group('output')
        group.add_argument(
            '--long',
            action='store_true',
            help='List all fields (also if -c or --sort-column names one)',
        )
        group.add_argument(
            '--usage',
            action='store_true',
            help='Also list the server of each image, and what uses it '
            '(implied by --used-by, --unused and --orphaned)',
        )
        shared.add_human_readable(group)
        habits.refuse(parser, habits.LISTING, 'list')

    def check(self, parsed_args: argparse.Namespace) -> None:
        if parsed_args.group_by and parsed_args.newest is None:
            parsed_args.newest = 1

    def work(self, parsed_args: argparse.Namespace) -> base.Work:
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.views import list as view

        return view.ListView(self, parsed_args)


class SummarizeComputeImages(base.ImagesCommand, command.Lister):
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
