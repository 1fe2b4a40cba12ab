# SPDX-License-Identifier: Apache-2.0

"""Apply a plan that was reviewed."""

import argparse

from osc_compute_images import base
from osc_compute_images.changes import command
from osc_compute_images.options import parsers
from osc_compute_images.options import select

#: Options that allow more than the default: they must be given again.
ALLOWING = ('--accept-gaps', '--allow-private', '--force', '--include-used')


class ApplyComputeImages(command.PlanCommand):
    _description = (
        'Apply a plan that "delete", "prune", "set" or "unset" printed with '
        '--dry-run and -f json or -f jsonl, and that somebody may have '
        'removed rows from. The plan is made again, and an image is only '
        'changed if it is in both, and has not changed since'
    )
    arguments = ('<file>',)

    examples = ('--dry-run plan.json', '--auto-approve plan.json')

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'file',
            metavar='<file>',
            type=parsers.not_empty(str),
            help='File with the plan, or - for stdin',
        )
        group = parser.add_argument_group('plan')
        self.add_applying(group)
        select.add_keep(group)
        for option in ALLOWING:
            group.add_argument(
                option,
                action='store_true',
                help=f'Apply a plan that was made with {option}',
            )

    def work(self, parsed_args: argparse.Namespace) -> base.Work:
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images import errors
        from osc_compute_images.changes import execution
        from osc_compute_images.changes import review

        with errors.translated():
            reviewed = review.Review(self, parsed_args)
            reviewed.command.check(reviewed.args)
        return execution.Execution(reviewed.command, reviewed.args, reviewed)
