# SPDX-License-Identifier: Apache-2.0

"""Commands that select images, plan changes, and apply the plan."""

import abc
import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import itertools
from typing import Any
from typing import TYPE_CHECKING

from osc_lib import exceptions
from osc_lib.command import command
from osc_lib.i18n import _

from osc_compute_images.commands import _approval
from osc_compute_images.commands import _connect
from osc_compute_images.commands import _filtering
from osc_compute_images.commands import _gathering
from osc_compute_images.commands import _outcomes
from osc_compute_images.commands import _progress
from osc_compute_images.commands import _regions
from osc_compute_images.commands import _results
from osc_compute_images.commands import _unreadable
from osc_compute_images.commands import _usage
from osc_compute_images.commands import _values

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.plan import Plan
    from osc_compute_images.api.usage import Usage

#: Exit code if a plan was refused, and nothing was changed.
EXIT_REFUSED = 7

#: Maximum number of regions that are planned in parallel; the images of each
#: are held in memory.
_PARALLEL = 4


class PlanCommand(_connect.ImagesCommand, command.Lister, abc.ABC):
    """A command that plans changes of images, and applies the plan.

    :cvar verb: what it does to an image, for messages
    :ivar progress: shows how many images are read, and then changed
    """

    changes = True
    verb = ''
    progress: _progress.Progress
    _epilog: Any = _(
        'Exit codes: 0 if all changes succeeded, 1 if some failed or were not '
        'approved, 7 if the plan was refused.'
    )

    def add_planning(
        self,
        parser: argparse.ArgumentParser,
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        """Add the filter options, and the options of plans."""
        self._parser = parser
        _filtering.add_filters(parser, renamed or {})
        parser.add_argument(
            '--dry-run',
            action='store_true',
            help=_('Show the planned changes, but do not make them'),
        )
        parser.add_argument(
            '--auto-approve',
            action='store_true',
            help=_('Make the planned changes without confirmation'),
        )
        parser.add_argument(
            '--max-items',
            metavar='<max-items>',
            type=_values.positive_integer,
            help=_(
                'Fail, and change nothing, if the plan changes more images '
                'than this'
            ),
        )
        _regions.add_options(parser)

    @abc.abstractmethod
    def plan(
        self, api: 'ImagesAPI', parsed_args: argparse.Namespace
    ) -> 'tuple[Plan, Usage | None]':
        """Plan the changes in one region.

        :returns: the plan, and the usage of images, if an option needed it
        """

    def run(self, parsed_args: argparse.Namespace) -> int:
        from osc_compute_images.api import PlanRefused

        self.progress = _progress.Progress(self.app)
        self._results = _results.Results(self.log, self.progress)
        self._done = _outcomes.Outcomes(self.log, self.verb)
        try:
            self.check(parsed_args)
            code = super().run(parsed_args)
        except PlanRefused as e:
            self.log.error('%s', e)
            return EXIT_REFUSED
        return code or self._results.exit_code() or self._done.exit_code()

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Check the options before the first request.

        :raises PlanRefused: if no images are selected
        :raises CommandError: if approval is needed, without a terminal
        """
        if self.app.stdout is None:
            raise exceptions.CommandError(
                _('Cannot write the output: stdout is closed')
            )
        if not (parsed_args.dry_run or parsed_args.auto_approve) and not (
            _approval.is_possible()
        ):
            raise exceptions.CommandError(
                _(
                    'Nothing was changed: there is no terminal to ask for '
                    'confirmation. Use --dry-run to see the plan, and '
                    '--auto-approve to apply it'
                )
            )

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        with _connect.translated_errors():
            regions = _regions.selected(self, parsed_args)
        with self.progress.counting(joins=True):
            planned = dict(self._plans(regions, parsed_args))
        plans = {where: plan for where, (plan, _usage) in planned.items()}
        _usage.warn_of_unknown(
            self.log,
            parsed_args,
            [usage for _plan, usage in planned.values() if usage is not None],
        )
        _unreadable.warn(self.log, parsed_args)
        return self.carry_out(regions, plans, parsed_args)

    def carry_out(
        self,
        regions: _regions.Regions,
        plans: 'Mapping[_regions.RegionKey, Plan]',
        parsed_args: argparse.Namespace,
    ) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        """Show or apply plans; return headers and rows.

        :raises PlanRefused: if they change more than --max-items images
        :raises CommandError: if the user does not approve
        """
        from osc_compute_images.api import plan

        if parsed_args.max_items is not None:
            plan.check_size(plans.values(), parsed_args.max_items)
        count = sum(len(each.changes) for each in plans.values())
        rows = _outcomes.plan_rows(plans)
        headers = (*regions.headers, *_outcomes.PLAN_HEADERS)
        if not parsed_args.dry_run:
            if count and not parsed_args.auto_approve:
                question = _('%(verb)s %(count)d %(images)s?') % {
                    'verb': self.verb.capitalize(),
                    'count': count,
                    'images': _('image') if count == 1 else _('images'),
                }
                if not _approval.ask(question, headers, rows, parsed_args):
                    raise exceptions.CommandError(
                        _('Not approved: nothing was changed')
                    )
            headers = (*regions.headers, *_outcomes.HEADERS)
            rows = self._done.rows(
                self.app.stdout,
                self.progress,
                regions.apis,
                plans,
                parsed_args,
            )
        return headers, _outcomes.cells(
            self.app.stdout, parsed_args.formatter, rows
        )

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
    ) -> int:
        if not column_names:
            return 0
        self._check_columns(parsed_args, column_names)
        rows = iter(data)
        try:
            return super().produce_output(parsed_args, column_names, rows)
        except Exception:
            # NOTE: apply the rest of the plan even if rows cannot be printed.
            for _row in rows:
                pass
            raise

    def _check_columns(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str]
    ) -> None:
        """Check --column before the changes; cliff checks it afterwards."""
        known = [name.lower().replace(' ', '_') for name in column_names]
        wanted = [
            name.strip().lower().replace(' ', '_')
            for name in parsed_args.columns
        ]
        if wanted and not set(known) & set(wanted):
            raise exceptions.CommandError(
                _('There is no column %(wanted)s; choose from %(known)s')
                % {
                    'wanted': ', '.join(parsed_args.columns),
                    'known': ', '.join(column_names),
                }
            )

    def _plans(
        self, regions: _regions.Regions, parsed_args: argparse.Namespace
    ) -> 'Iterator[tuple[_regions.RegionKey, tuple[Plan, Usage | None]]]':
        if not regions.headers:
            ((where, api),) = regions.apis.items()
            with _connect.translated_errors():
                yield where, self.plan(api, parsed_args)
            return
        from osc_compute_images.api import in_regions

        results = in_regions(
            regions.apis,
            lambda api: self.plan(api, parsed_args),
            parallel=_PARALLEL,
        )
        for where, result in self._results.successful(
            regions.apis,
            ((r.region, r.error or r.value) for r in results),
        ):
            if result is not None:
                yield where, result


def load_all(pages: 'Iterable[Sequence[Image]]') -> 'list[Image]':
    """Return a list of all images that a plan considers.

    :raises PlanRefused: if there are too many to hold in memory
    """
    from osc_compute_images.api import PlanRefused

    most = _gathering.MAX_GATHERED
    images = itertools.chain.from_iterable(pages)
    loaded = list(itertools.islice(images, most + 1))
    if len(loaded) > most:
        raise PlanRefused(
            _('There are more than %s images, too many to plan changes')
            % f'{most:,}'
        )
    return loaded


def check_is_given(parsed_args: argparse.Namespace) -> None:
    """Check that there is a filter that selects images, or --all.

    :raises PlanRefused: otherwise
    """
    from osc_compute_images.api import PlanRefused

    if parsed_args.all or _filtering.selects(parsed_args):
        return
    if _filtering.is_given(parsed_args):
        raise PlanRefused(
            _(
                'No images selected: the options only exclude images; add '
                '--all to select all others'
            )
        )
    raise PlanRefused(
        _('No images selected: give names or IDs, filter options, or --all')
    )
