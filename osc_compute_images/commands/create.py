# SPDX-License-Identifier: Apache-2.0

"""Create snapshots of servers."""

import argparse
from collections.abc import Sequence

from osc_lib.cli import parseractions

from osc_compute_images import base
from osc_compute_images.changes import command
from osc_compute_images.options import parsers
from osc_compute_images.options import shared

#: Each snapshot costs a hypervisor.
_PARALLEL = 4


class CreateComputeImages(command.PlanCommand):
    _description = (
        'Create snapshots of servers that are named, or that options choose, '
        'through the Compute service'
    )
    arguments = ('[<server> ...]',)
    examples = (
        'web-1 web-2 --wait',
        '--with-metadata backup=yes --not-within 20h --auto-approve',
    )
    notes = (
        'Exit codes: 0 if all snapshots succeeded, 1 if some servers failed, '
        'were skipped because of their state, or could not be read, or if '
        'the plan was not approved, 7 if the plan was refused, and no '
        'snapshot was created.'
    )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        shared.add_servers(
            parser, 'Choose all servers that no other option excludes'
        )
        shared.add_regions(parser)
        group = parser.add_argument_group('snapshots')
        group.add_argument(
            '--image-name',
            metavar='<template>',
            type=parsers.not_empty(str),
            help='Name of the images, with {server}, {date} and {time} '
            '(UTC); where names would be equal, the ID of the server is '
            'added (default: {server}-{date})',
        )
        group.add_argument(
            '--property',
            metavar='<key=value>',
            action=parseractions.KeyValueAction,
            dest='properties',
            help='Set a property on the images (repeat option to set more)',
        )
        group.add_argument(
            '--not-within',
            metavar='<span>',
            type=parsers.span,
            help='Skip servers that have an ACTIVE snapshot younger than this '
            'time span (90min, 20h, 7d), so that a second run creates none',
        )
        group.add_argument(
            '--include-volumes',
            action='store_true',
            help='Also create snapshots of servers that were booted from a '
            'volume. The Block Storage service keeps the snapshots of their '
            'volumes: deleting the image does not remove them',
        )
        shared.add_waiting(
            group, 'Wait until each image is ACTIVE', ', for each image'
        )
        group.add_argument(
            '--parallel',
            metavar='<n>',
            type=parsers.positive_integer,
            default=_PARALLEL,
            help='Number of snapshots at a time; with --wait, until they are '
            f'ACTIVE, as each costs a hypervisor (default: {_PARALLEL})',
        )
        self.add_applying(
            parser.add_argument_group('plan'),
            noun='servers',
            dry_run='Show the planned snapshots, but do not create them',
        )

    def names(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        return [*parsed_args.servers]

    def check(self, parsed_args: argparse.Namespace) -> None:
        shared.check_waiting(parsed_args)
        shared.check_servers(parsed_args)
        if not (parsed_args.servers or shared.are_chosen(parsed_args)):
            raise base.UsageError(
                'No servers chosen: give names or IDs, options that choose '
                'servers, or --all'
            )
        super().check(parsed_args)

    def work(self, parsed_args: argparse.Namespace) -> base.Work:
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.changes import created
        from osc_compute_images.changes import creation

        return creation.Creation(self, parsed_args, created.Report(self.log))
