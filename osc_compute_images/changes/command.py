# SPDX-License-Identifier: Apache-2.0

"""The base class of the commands that change images.

A command adds its options, and one hook, :meth:`ChangeCommand.plan`. The plan
is shown, refused or applied in :mod:`.execution`.
"""

import abc
import argparse
from collections.abc import Iterable
from collections.abc import Sequence
import itertools
import sys
from typing import Any
from typing import TYPE_CHECKING

from osc_lib import exceptions
from osc_lib.command import command

from osc_compute_images import base
from osc_compute_images.options import parsers
from osc_compute_images.options import select
from osc_compute_images.options import shared

if TYPE_CHECKING:
    from osc_compute_images.api.changes.plan import Plan
    from osc_compute_images.changes.chosen import Chosen

#: Exit code if --detailed-exitcode is given, and changes are planned.
EXIT_CHANGES = 8


class PlanCommand(base.ImagesCommand, command.Lister):
    """A command that shows a plan, asks, and applies it."""

    notes = (
        'Exit codes: 0 if all changes succeeded, 1 if some failed or were not '
        'approved, 7 if the plan was refused, and nothing was changed.'
    )

    def add_applying(
        self,
        group: 'argparse._ActionsContainer',
        *,
        noun: str = 'images',
        dry_run: str = 'Show the planned changes, but do not make them; with '
        '-f json, as a plan for "compute image apply"',
    ) -> None:
        """Add the options of a plan and its approval."""
        group.add_argument('--dry-run', action='store_true', help=dry_run)
        group.add_argument(
            '--detailed-exitcode',
            action='store_true',
            help='With --dry-run, exit with 8 if changes are planned',
        )
        group.add_argument(
            '--auto-approve',
            action='store_true',
            help='Make the planned changes without confirmation',
        )
        group.add_argument(
            '--max-changes',
            metavar='<n>',
            type=parsers.positive_integer,
            help='Fail, and change nothing, if the plan changes more than '
            f'<n> {noun}',
        )

    def names(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        """Return the names and IDs that were given: they need no approval."""
        del parsed_args
        return ()

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Check that the plan can be shown, or a terminal can approve it."""
        if parsed_args.detailed_exitcode and not parsed_args.dry_run:
            raise base.UsageError('--detailed-exitcode needs --dry-run')
        if parsed_args.dry_run or parsed_args.auto_approve:
            return
        if not self.names(parsed_args) and not all(
            stream is not None and stream.isatty()
            for stream in (sys.stdin, sys.stderr)
        ):
            raise exceptions.CommandError(
                'Nothing was changed: there is no terminal to ask for '
                'confirmation. Use --dry-run to see the plan, and '
                '--auto-approve to apply it'
            )

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
    ) -> int:
        if not column_names:
            return 0
        rows = iter(data)
        # NOTE: an empty table would be an empty line.
        first = [*itertools.islice(rows, 1)]
        is_table = parsed_args.formatter == 'table'
        if not first and is_table and not parsed_args.print_empty:
            return 0
        rows = itertools.chain(first, rows)
        try:
            code = super().produce_output(parsed_args, column_names, rows)
            self.app.stdout.flush()
        except Exception:
            # NOTE: apply the rest of the plan even if rows cannot be printed,
            # and tell the totals.
            for _row in rows:
                pass
            self._work.exit_code(1)
            raise
        return code


class ChangeCommand(PlanCommand):
    """A command that plans changes of images, and applies the plan.

    :cvar verb: what it does to an image, for messages
    :cvar deletes: whether it deletes: the use of images must be known
    :cvar needs_choice: whether options must choose images, if none is named
    :cvar advice: added to the reason why a named image is protected
    :ivar is_reviewed: whether it makes a plan again that was reviewed
    """

    verb = ''
    deletes = False
    needs_choice = True
    advice = ''
    is_reviewed = False

    def add_planning(
        self, parser: argparse.ArgumentParser, prefix: str = ''
    ) -> 'argparse._ActionsContainer':
        """Add the filter options, and those of plans; return their group."""
        select.add_filters(parser, prefix)
        if self.needs_choice:
            parser.add_argument_group('how many').add_argument(
                '--all',
                action='store_true',
                help='Select all images that the filters do not exclude',
            )
        shared.add_regions(parser)
        group = parser.add_argument_group('plan')
        self.add_applying(group)
        if self.deletes:
            select.add_keep(group)
            group.add_argument(
                '--include-used',
                action='store_true',
                help='Also delete selected images that servers were booted '
                'from, or that other images need. Images that servers are, '
                'or may be, stored in are kept',
            )
        return group

    @abc.abstractmethod
    def plan(
        self, chosen: 'Chosen', parsed_args: argparse.Namespace
    ) -> 'Plan':
        """Plan the changes of the chosen images of a region."""

    def work(self, parsed_args: argparse.Namespace) -> base.Work:
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.changes import execution

        return execution.Execution(self, parsed_args)

    def prints(self, parsed_args: argparse.Namespace) -> bool:
        return parsed_args.dry_run or not self.names(parsed_args)

    def check(self, parsed_args: argparse.Namespace) -> None:
        if self.names(parsed_args):
            shared.check_named(
                parsed_args,
                'image',
                (select.is_given(parsed_args), 'filter options'),
                (parsed_args.all, '--all'),
            )
        elif self.needs_choice:
            select.check_chosen(parsed_args)
        super().check(parsed_args)
