# SPDX-License-Identifier: Apache-2.0

"""The base class of the commands that change images.

Images are named, or chosen by filters. Both become a plan, which is shown,
refused or applied: see :meth:`ChangeCommand.take_action`. A command adds its
options, and one hook, :meth:`ChangeCommand.plan`.
"""

import abc
import argparse
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import itertools
import time
from typing import Any
from typing import TYPE_CHECKING

from osc_lib import exceptions
from osc_lib.command import command
from osc_lib.i18n import _

from osc_compute_images.commands import _connect
from osc_compute_images.commands import _fields
from osc_compute_images.commands import _filtering
from osc_compute_images.commands import _regions
from osc_compute_images.commands import _values

if TYPE_CHECKING:
    from osc_compute_images.api.fleet import Fleet
    from osc_compute_images.api.plan import Plan
    from osc_compute_images.changes.chosen import Chosen

#: A plan is made again if its approval took longer, seconds.
_FRESH = 60.0

#: Maximum number of regions whose images are read in parallel.
_PARALLEL = 4


class ChangeCommand(_connect.ImagesCommand, command.Lister, abc.ABC):
    """A command that plans changes of images, and applies the plan.

    :cvar verb: what it does to an image, for messages
    :cvar deletes: whether it deletes: the use of images must be known
    :cvar advice: added to the reason why a named image is kept
    """

    changes = True
    verb = ''
    deletes = False
    advice = ''
    _epilog: Any = _(
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
        _filtering.add_filters(parser, prefix)
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
            '--max-changes',
            metavar='<max-changes>',
            type=_values.positive_integer,
            help=_(
                'Fail, and change nothing, if the plan changes more images '
                'than this'
            ),
        )
        _filtering.add_accept_gaps(parser)
        _regions.add_options(parser)

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
        from osc_compute_images.changes import report
        from osc_compute_images.commands import _progress
        from osc_compute_images.commands import _results

        self._progress = _progress.Progress(self.app)
        self._results = _results.Results(self.log, self._progress)
        self._report = report.Report(self.log, self.verb)
        code = super().run(parsed_args)
        if code == _connect.EXIT_REFUSED:
            return code
        self._report.report_totals()
        if self._report.refuses_all:
            return _connect.EXIT_REFUSED
        return code or self._results.exit_code() or self._report.exit_code()

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
                _('Cannot write the output: stdout is closed')
            )
        if is_named:
            self._check_no_choice(parsed_args)
            return
        self.check_choice(parsed_args)
        if not (parsed_args.dry_run or parsed_args.auto_approve) and not (
            approval.is_possible()
        ):
            raise exceptions.CommandError(
                _(
                    'Nothing was changed: there is no terminal to ask for '
                    'confirmation. Use --dry-run to see the plan, and '
                    '--auto-approve to apply it'
                )
            )

    def check_choice(self, parsed_args: argparse.Namespace) -> None:
        """Check that the options choose images.

        :raises UsageError: otherwise
        """
        _filtering.check_chosen(parsed_args)

    def _check_no_choice(self, parsed_args: argparse.Namespace) -> None:
        for given, option in (
            (_filtering.is_given(parsed_args), _('filter options')),
            (parsed_args.all, '--all'),
            (parsed_args.all_regions, '--all-regions'),
            (parsed_args.all_clouds, '--all-clouds'),
        ):
            if given:
                raise _connect.UsageError(
                    _('image names and IDs are not allowed with %s') % option
                )

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        from osc_compute_images.api import plan
        from osc_compute_images.api.fleet import Fleet

        with _connect.translated_errors():
            regions = _regions.selected(self, parsed_args)
            fleet = Fleet(regions.apis.values())
            plans = self._plans(regions, fleet, parsed_args)
        if parsed_args.max_changes is not None:
            plan.check_size(plans.values(), parsed_args.max_changes)
        if parsed_args.dry_run:
            return self._shown(regions, plans, parsed_args)
        if not self.names(parsed_args):
            self._approve(regions, plans, parsed_args)
        return self._applied(regions, plans, fleet, parsed_args)

    def _plans(
        self,
        regions: _regions.Regions,
        fleet: 'Fleet',
        parsed_args: argparse.Namespace,
    ) -> 'dict[_regions.RegionKey, Plan]':
        """Plan the changes of each region; report what was named in vain."""
        chosen = dict(
            self._named(regions, fleet, parsed_args)
            if self.names(parsed_args)
            else self._chosen(regions, fleet, parsed_args)
        )
        plans = {
            key: self.plan(each, parsed_args) for key, each in chosen.items()
        }
        if self.names(parsed_args):
            for each in plans.values():
                for step in each.kept:
                    if step.is_refused:
                        self._report.refuse(step, self.advice)
        else:
            self._warn(chosen, parsed_args)
        self._report.count(plans)
        return plans

    def _named(
        self,
        regions: _regions.Regions,
        fleet: 'Fleet',
        parsed_args: argparse.Namespace,
    ) -> 'Iterable[tuple[_regions.RegionKey, Chosen]]':
        from osc_compute_images.api import Image
        from osc_compute_images.api import ImagesError
        from osc_compute_images.changes import chosen
        from osc_compute_images.commands import _finding

        # NOTE: find all images before deleting the first: an ambiguous name
        # must not become unique by a deletion.
        found: dict[_regions.RegionKey, list[Image]] = {}
        for name in dict.fromkeys(self.names(parsed_args)):
            try:
                key, image = _finding.find(regions, name)
            except ImagesError as e:
                self._report.miss(name, _connect.describe_error(e))
            else:
                found.setdefault(key, []).append(image)
        for key, images in found.items():
            protect = self.deletes and not parsed_args.force
            yield (
                key,
                chosen.named(
                    regions.apis[key], images, fleet, protect=protect
                ),
            )

    def _chosen(
        self,
        regions: _regions.Regions,
        fleet: 'Fleet',
        parsed_args: argparse.Namespace,
    ) -> 'Iterable[tuple[_regions.RegionKey, Chosen]]':
        from osc_compute_images.api import ImagesAPI
        from osc_compute_images.changes import chosen

        with_usage = self.deletes or _filtering.needs_usage(parsed_args)

        def read(api: ImagesAPI) -> chosen.Reading:
            return chosen.Reading(
                api,
                parsed_args,
                among=self.among(parsed_args),
                on_read=self._progress.note,
                with_usage=with_usage,
            )

        with self._progress.counting(joins=True):
            readings = dict(
                self._results.of_regions(regions, read, parallel=_PARALLEL)
            )
            options = (
                {'include_used': parsed_args.include_used}
                if self.deletes
                else {}
            )
            if with_usage:
                yield from chosen.finish_all(
                    readings, regions.apis, fleet, **options
                )
                return
        for key, reading in readings.items():
            yield key, reading.finish(None)

    def _warn(
        self,
        chosen: 'Mapping[_regions.RegionKey, Chosen]',
        parsed_args: argparse.Namespace,
    ) -> None:
        from osc_compute_images.commands import _unreadable
        from osc_compute_images.commands import _usage

        _unreadable.warn(self.log, parsed_args)
        usages = [c.usage for c in chosen.values() if c.usage is not None]
        _usage.warn_of_unknown(
            self.log, parsed_args, usages, deletes=self.deletes
        )
        if not any(each.images for each in chosen.values()):
            self.log.warning(_('No images match'))

    def _approve(
        self,
        regions: _regions.Regions,
        plans: 'dict[_regions.RegionKey, Plan]',
        parsed_args: argparse.Namespace,
    ) -> None:
        """Ask for approval, if anything would be changed.

        :raises CommandError: if the user does not approve
        :raises PlanRefused: if that took long, and the plan does not hold
        """
        from osc_compute_images.api.fleet import Fleet
        from osc_compute_images.changes import approval

        count = self._report.count(plans)
        if not count or parsed_args.auto_approve:
            return
        began = time.monotonic()
        approval.ask(self.verb, count, regions.headers, plans, parsed_args)
        if time.monotonic() - began > _FRESH:
            with _connect.translated_errors():
                fleet = Fleet(regions.apis.values())
                current = self._plans(regions, fleet, parsed_args)
            approval.check_holds(plans, current)

    def _shown(
        self,
        regions: _regions.Regions,
        plans: 'Mapping[_regions.RegionKey, Plan]',
        parsed_args: argparse.Namespace,
    ) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        from osc_compute_images.changes import report

        rows = report.plan_rows(plans)
        return (*regions.headers, *report.PLAN_HEADERS), report.cells(
            self.app.stdout, parsed_args.formatter, rows
        )

    def _applied(
        self,
        regions: _regions.Regions,
        plans: 'Mapping[_regions.RegionKey, Plan]',
        fleet: 'Fleet',
        parsed_args: argparse.Namespace,
    ) -> tuple[Sequence[str], Iterable[tuple[Any, ...]]]:
        from osc_compute_images.api._apply import apply
        from osc_compute_images.changes import report

        rows = self._report.rows(
            plans,
            lambda key, plan: apply(regions.apis[key], plan, fleet),
            self._progress,
            shows_bar=report.shows_bar(parsed_args, self.app.stdout),
        )
        if self.names(parsed_args):
            # As other commands of OpenStackClient, it prints nothing.
            for _row in rows:
                pass
            return (), ()
        return (*regions.headers, *report.HEADERS), report.cells(
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
        _fields.check_requested(column_names, parsed_args)
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
