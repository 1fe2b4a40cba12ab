# SPDX-License-Identifier: Apache-2.0

"""Check that servers have good snapshots."""

import argparse

from osc_lib.command import command

from osc_compute_images import base
from osc_compute_images.options import parsers
from osc_compute_images.options import shared

#: Exit code that monitoring understands.
EXIT_UNKNOWN = 3


class CheckComputeImages(base.ImagesCommand, command.Lister):
    _description = (
        'Check that each server has a good snapshot, for monitoring, through '
        'the Compute service. Only an ACTIVE image is good. By default, all '
        'servers are checked'
    )
    arguments = ('[<server> ...]',)
    examples = (
        '--newest-within 26h --stuck-after 4h',
        '--with-metadata backup=yes --warning 26h --critical 50h -f json',
    )
    notes = (
        'Exit codes of this command alone: 0 OK, 1 WARNING, 2 CRITICAL, 3 '
        'UNKNOWN, which includes any error, and servers that could not be '
        'read. An invalid command line is 2 as well, as argparse has it.'
    )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        shared.add_servers(
            parser,
            'Choose all servers that no other option excludes (the default)',
        )
        shared.add_regions(parser)
        group = parser.add_argument_group('rules')
        critical = group.add_mutually_exclusive_group()
        older = (
            'CRITICAL if the newest good snapshot of a server is older than '
            'this time span (90min, 26h, 7d)'
        )
        stuck = 'WARNING if a snapshot has been SAVING for longer'
        for where, name, text in (
            (critical, 'newest-within', 'The same as --critical'),
            (critical, 'critical', older),
            (group, 'warning', 'WARNING if it is older than this time span'),
            (group, 'stuck-after', stuck),
        ):
            where.add_argument(
                f'--{name}',
                metavar='<span>',
                type=parsers.span,
                dest='critical' if where is critical else None,
                help=text,
            )
        group.add_argument(
            '--min-count',
            metavar='<n>',
            type=parsers.positive_integer,
            default=1,
            help='CRITICAL if a server has fewer good snapshots (default: 1)',
        )
        group.add_argument(
            '--accept-gaps',
            action='store_true',
            help='Not UNKNOWN if Compute would not list the servers of a cell '
            'that is down, as for a project with more than 1,000 servers; '
            'what is known not to be read is UNKNOWN all the same',
        )
        parser.add_argument_group('output').add_argument(
            '--include-ok',
            action='store_true',
            help='Also list the servers that are OK',
        )

    def check(self, parsed_args: argparse.Namespace) -> None:
        shared.check_servers(parsed_args)
        warning, critical = parsed_args.warning, parsed_args.critical
        if None not in (warning, critical) and warning > critical:
            raise base.UsageError('--warning is longer than --critical')

    def work(self, parsed_args: argparse.Namespace) -> base.Work:
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.views import check as view

        return view.CheckView(self, parsed_args)

    def run(self, parsed_args: argparse.Namespace) -> int:
        try:
            return super().run(parsed_args)
        except BrokenPipeError:
            # cliff handles it.
            raise
        except Exception as e:
            if self.app.options.debug:
                self.log.exception('Failed')
            self.log.error('UNKNOWN: %s', e)
            return EXIT_UNKNOWN
