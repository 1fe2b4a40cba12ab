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
from typing import Any
from typing import TYPE_CHECKING

from osc_lib import exceptions
from osc_lib.command import command

from osc_compute_images import base
from osc_compute_images.options import parsers
from osc_compute_images.options import select
from osc_compute_images.output import field
from osc_compute_images.targets import scope

if TYPE_CHECKING:
    from osc_compute_images.api.changes.plan import Plan
    from osc_compute_images.changes.chosen import Chosen


class ChangeCommand(base.ImagesCommand, command.Lister, abc.ABC):
    """A command that plans changes of images, and applies the plan.

    :cvar verb: what it does to an image, for messages
    :cvar deletes: whether it deletes: the use of images must be known
    :cvar advice: added to the reason why a named image is kept
    """

    changes = True
    verb = ''
    deletes = False
    advice = ''
    _epilog: Any = (
        'Exit codes: 0 if all changes succeeded, 1 if some failed or were not '
        'approved, 7 if the plan was refused, and nothing was changed.'
    )

    def add_planning(
        self,
        parser: argparse.ArgumentParser,
        *,
        prefix: str = '',
    ) -> None:
        """Add the filter options, and the options of plans.

        :param prefix: of the filter options
        """
        select.add_filters(parser, prefix)
        parser.add_argument(
            '--dry-run',
            action='store_true',
            help='Show the planned changes, but do not make them',
        )
        parser.add_argument(
            '--auto-approve',
            action='store_true',
            help='Make the planned changes without confirmation',
        )
        parser.add_argument(
            '--max-changes',
            metavar='<max-changes>',
            type=parsers.positive_integer,
            help='Fail, and change nothing, if the plan changes more images '
            'than this',
        )
        select.add_accept_gaps(parser)
        scope.add_options(parser)

    def names(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        """Return the names and IDs of images that were given."""
        del parsed_args
        return ()

    @abc.abstractmethod
    def plan(
        self, chosen: 'Chosen', parsed_args: argparse.Namespace
    ) -> 'Plan':
        """Plan the changes of the chosen images of a region."""

    def among(self, parsed_args: argparse.Namespace) -> Any:
        """Return a filter of the images to choose from."""
        from osc_compute_images.api.filters import EVERYTHING

        del parsed_args
        return EVERYTHING

    def run(self, parsed_args: argparse.Namespace) -> int:
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.changes import execution

        self._execution = execution.Execution(self, parsed_args)
        code = super().run(parsed_args)
        if code == base.EXIT_REFUSED:
            return code
        return self._execution.exit_code(code)

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Check the options before the first request.

        :raises UsageError: if they contradict each other
        :raises CommandError: if approval is needed, without a terminal
        """
        from osc_compute_images.changes import approval

        is_named = bool(self.names(parsed_args))
        prints = parsed_args.dry_run or not is_named
        if prints and self.app.stdout is None:
            raise exceptions.CommandError(
                'Cannot write the output: stdout is closed'
            )
        if is_named:
            self._check_no_choice(parsed_args)
            return
        self.check_choice(parsed_args)
        if not (parsed_args.dry_run or parsed_args.auto_approve) and not (
            approval.is_possible()
        ):
            raise exceptions.CommandError(
                'Nothing was changed: there is no terminal to ask for '
                'confirmation. Use --dry-run to see the plan, and '
                '--auto-approve to apply it'
            )

    def check_choice(self, parsed_args: argparse.Namespace) -> None:
        """Check that the options choose images.

        :raises UsageError: otherwise
        """
        select.check_chosen(parsed_args)

    def _check_no_choice(self, parsed_args: argparse.Namespace) -> None:
        for given, option in (
            (select.is_given(parsed_args), 'filter options'),
            (parsed_args.all, '--all'),
            (parsed_args.all_regions, '--all-regions'),
            (parsed_args.all_clouds, '--all-clouds'),
        ):
            if given:
                raise base.UsageError(
                    f'image names and IDs are not allowed with {option}'
                )

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        del parsed_args
        return self._execution.run()

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
    ) -> int:
        if not column_names:
            return 0
        field.check_requested(column_names, parsed_args)
        rows = iter(data)
        # NOTE: an empty table would be an empty line.
        first = [*itertools.islice(rows, 1)]
        if not first and parsed_args.formatter == 'table':
            return 0
        rows = itertools.chain(first, rows)
        try:
            return super().produce_output(parsed_args, column_names, rows)
        except Exception:
            # NOTE: apply the rest of the plan even if rows cannot be printed.
            for _row in rows:
                pass
            raise
