# SPDX-License-Identifier: Apache-2.0

"""Delete the images that no retention rule keeps."""

import argparse
from typing import Any
from typing import TYPE_CHECKING

from osc_lib.i18n import _

from osc_compute_images.commands import _planning
from osc_compute_images.commands import _protecting
from osc_compute_images.commands import _values

if TYPE_CHECKING:
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.plan import Plan
    from osc_compute_images.api.usage import Usage

#: Help of the options that keep a number of images, by rule.
_COUNTS = {
    'last': _('Keep the <n> newest images of each group; 0 allows a group to '
              'lose all of its images'),
    'hourly': _('Keep the newest image of each of the last <n> hours that '
                'have images'),
    'daily': _('Likewise for days (starting at midnight UTC)'),
    'weekly': _('Likewise for weeks (starting on Monday)'),
    'monthly': _('Likewise for months'),
    'yearly': _('Likewise for years'),
}  # fmt: skip


class PruneComputeImages(_planning.PlanCommand):
    """Delete the images that no retention rule keeps."""

    _description = _(
        'Delete the images that no retention rule keeps, through the Compute '
        'service. By default, the rules apply to images that were taken from '
        'servers, grouped by server. The newest image of each group is kept, '
        'unless --keep-last 0 is given'
    )
    verb = 'delete'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        for rule, text in _COUNTS.items():
            parser.add_argument(
                f'--keep-{rule}',
                metavar='<n>',
                type=_values.non_negative_integer,
                help=text,
            )
        parser.add_argument(
            '--keep-within',
            metavar='<span>',
            type=_values.span,
            help=_(
                'Keep all images of a group that were created within this '
                'time span (90min, 24h, 7d, 2w, 1y) before its newest image'
            ),
        )
        parser.add_argument(
            '--group-by',
            metavar='<key>[,<key>...]',
            action='extend',
            type=_values.group_keys,
            help=_(
                'Apply the rules to each group of images with the same '
                'server, name, type or property:<key> (default: server). '
                'Images without it are kept'
            ),
        )
        self.add_planning(parser)
        _protecting.add_option(parser)
        return parser

    def check(self, parsed_args: argparse.Namespace) -> None:
        if all(value is None for value in _rules(parsed_args).values()):
            self._parser.error(_('at least one --keep-* option is required'))
        super().check(parsed_args)

    def plan(
        self, api: 'ImagesAPI', parsed_args: argparse.Namespace
    ) -> 'tuple[Plan, Usage | None]':
        from osc_compute_images.api import filters
        from osc_compute_images.api import plan
        from osc_compute_images.api import retention

        among = None if parsed_args.type else filters.image_type('server')
        images, protection = _protecting.select(
            api, parsed_args, self.progress.note, among
        )
        todo = plan.prune(
            images,
            retention.Rules(**_rules(parsed_args)),
            protection,
            group_by=parsed_args.group_by or ['server'],
        )
        return todo, protection.usage


def _rules(parsed_args: argparse.Namespace) -> dict[str, Any]:
    return {
        rule: getattr(parsed_args, f'keep_{rule}')
        for rule in (*_COUNTS, 'within')
    }
