# SPDX-License-Identifier: Apache-2.0

"""Delete images: those that are chosen, or those that no rule keeps."""

import argparse
from collections.abc import Sequence
from typing import Any
from typing import TYPE_CHECKING

from osc_compute_images import base
from osc_compute_images.changes import command
from osc_compute_images.options import parsers

if TYPE_CHECKING:
    from osc_compute_images.api.changes.plan import Plan
    from osc_compute_images.changes.chosen import Chosen

#: Help of the options that keep a number of images, by rule.
_COUNTS = {
    'last': ('Keep the <n> newest images of each group (0, in this and the '
              'other rules, is the same as no rule)'),
    'hourly': ('Keep the newest image of each of the last <n> hours that '
                'have images, and the oldest image if they are fewer'),
    'daily': 'Likewise for days (starting at midnight UTC)',
    'weekly': 'Likewise for weeks (starting on Monday)',
    'monthly': 'Likewise for months',
    'yearly': 'Likewise for years',
}  # fmt: skip


class DeleteComputeImage(command.ChangeCommand):
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
        return [*parsed_args.images]

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


class PruneComputeImages(command.ChangeCommand):
    _description = (
        'Delete the images that no retention rule keeps, through the Compute '
        'service. By default, the rules apply to images that were taken from '
        'servers, grouped by server. The newest image of each group is '
        'always kept'
    )
    verb = 'delete'
    deletes = True
    needs_choice = False
    examples = (
        '--keep-last 3 --dry-run',
        '--keep-daily 7 --keep-weekly 4 --auto-approve',
    )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group('rules')
        for rule, text in _COUNTS.items():
            group.add_argument(
                f'--keep-{rule}',
                metavar='<n>',
                type=parsers.non_negative_integer,
                help=text,
            )
        group.add_argument(
            '--keep-within',
            metavar='<span>',
            type=parsers.span,
            help='Keep all images of a group that are older than its newest '
            'image by less than this time span (90min, 24h, 7d, 2w, 1y)',
        )
        group.add_argument(
            '--group-by',
            metavar='<key>[,<key>...]',
            action='extend',
            type=parsers.group_keys,
            help='Apply the rules to each group of images with the same '
            'server, name, type, status or property:<key> (default: '
            'server). Images without it are kept',
        )
        self.add_planning(parser)

    def check(self, parsed_args: argparse.Namespace) -> None:
        rules = _rules(parsed_args)
        if all(value is None for value in rules.values()):
            names = ', '.join(f'--keep-{rule}' for rule in rules)
            raise base.UsageError(f'at least one rule is required: {names}')
        parsed_args.type = parsed_args.type or ['server']
        super().check(parsed_args)

    def plan(
        self, chosen: 'Chosen', parsed_args: argparse.Namespace
    ) -> 'Plan':
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.api.changes import plan
        from osc_compute_images.api.changes import retention

        return plan.prune(
            chosen.images,
            retention.Rules(**_rules(parsed_args)),
            chosen.protection,
            keep=parsed_args.keep,
            group_by=parsed_args.group_by or ['server'],
        )


def _rules(parsed_args: argparse.Namespace) -> dict[str, Any]:
    return {
        rule: getattr(parsed_args, f'keep_{rule}')
        for rule in (*_COUNTS, 'within')
    }
