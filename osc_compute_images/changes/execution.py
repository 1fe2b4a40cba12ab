# SPDX-License-Identifier: Apache-2.0

"""Make the plans of a command, and show or apply them.

Images are named, or chosen by filters. Both become a plan, which is shown,
refused or applied by the same code.
"""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator

from osc_compute_images import errors
from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api import ImagesNotServed
from osc_compute_images.api.changes._apply import apply
from osc_compute_images.api.changes.plan import Outcome
from osc_compute_images.api.changes.plan import Plan
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.api.servers.fleet import Fleet
from osc_compute_images.changes import files
from osc_compute_images.changes import report
from osc_compute_images.changes import review
from osc_compute_images.changes import rows
from osc_compute_images.changes import work
from osc_compute_images.changes.chosen import Chosen
from osc_compute_images.changes.chosen import Reading
from osc_compute_images.changes.command import ChangeCommand
from osc_compute_images.options import select
from osc_compute_images.options import unreadable
from osc_compute_images.output import field
from osc_compute_images.output import used_by
from osc_compute_images.targets import finder
from osc_compute_images.targets import results
from osc_compute_images.targets import scope
from osc_compute_images.targets.scope import RegionKey


class Execution(work.PlanWork):
    """One execution of a command that changes images."""

    _command: ChangeCommand

    def __init__(
        self,
        command: ChangeCommand,
        parsed_args: argparse.Namespace,
        reviewed: review.Review | None = None,
    ) -> None:
        made = report.Report(command.log, command.verb)
        super().__init__(command, parsed_args, made)
        self._reviewed = reviewed
        if reviewed is not None:
            self._asks = True
            self._title = reviewed.title
        self._prints = self._asks

    def run(self) -> work.Table:
        with errors.translated():
            if self._command.deletes:
                self._args.keep = files.keep_of(self._args)
        if self._reviewed is not None and not self._reviewed.ids:
            self._log.warning('The plan has no changes')
            return self._report.headers, ()
        return super().run()

    def _apply(
        self, regions: scope.Regions, key: RegionKey, todo: Plan
    ) -> Iterator[Outcome]:
        for outcome in apply(regions.apis[key], todo, self._fleet):
            if self._names and isinstance(outcome.error, ImagesNotServed):
                raise outcome.error
            yield outcome

    def _shown(self, regions: scope.Regions, plans: rows.Plans) -> work.Table:
        if not self._for_programs:
            return super()._shown(regions, plans)
        field.check_requested(review.COLUMNS, self._args)
        words = self._args.words
        return review.COLUMNS, review.rows(
            self._command, words, plans, regions
        )

    def _plans(self, regions: scope.Regions) -> rows.Plans:
        # NOTE: also a region whose images cannot be read may use the others.
        self._fleet = Fleet(regions.apis.values())
        find = self._named if self._names else self._chosen
        found = dict(find(regions))
        plans = {
            key: self._command.plan(each, self._args)
            for key, each in found.items()
        }
        if self._reviewed is not None:
            plans = self._reviewed.restrict(plans, regions)
        for each in plans.values() if self._names or self._reviewed else ():
            # NOTE: another reason cannot be overruled, nor one of a review.
            protection = None if self._reviewed else each.protection
            for step in each.kept:
                if step.is_refused:
                    is_protected = protection is not None and (
                        step.reason == protection.reason(step.image)
                    )
                    advice = self._command.advice if is_protected else ''
                    self._report.refuse(step, advice)
        if not self._names:
            unreadable.warn(self._log, self._args)
            protections = [each.protection for each in found.values()]
            used_by.warn_of_unknown(
                self._log,
                self._args,
                [each.usage for each in protections if each is not None],
                deletes=self._command.deletes,
            )
            if not any(each.images for each in found.values()):
                self._log.warning('No images match')
        return plans

    def _named(
        self, regions: scope.Regions
    ) -> Iterable[tuple[RegionKey, Chosen]]:
        # NOTE: find all images before deleting the first: an ambiguous name
        # must not become unique by a deletion.
        reviewed = self._reviewed
        # NOTE: all images of a review may be gone, which is reported.
        found: dict[RegionKey, list[Image]] = {
            key: [] for key in regions.apis if reviewed
        }
        for name in dict.fromkeys(self._names):
            try:
                key, image = finder.find(regions, name)
            except ImagesNotServed:
                raise
            except ImagesError as e:
                if reviewed is None or reviewed.concerns(e):
                    self._report.miss(name, e)
            else:
                if reviewed is None or image.id in reviewed.ids:
                    found.setdefault(key, []).append(image)
        for key, images in found.items():
            api = regions.apis[key]
            protection = None
            if self._command.deletes and not self._args.force:
                # Only images in which a server may be stored are kept.
                servers = self._fleet.servers_of(api, images)
                usage = Usage(servers, (), accept_gaps=True)
                protection = Protection(usage, include_used=True)
            yield key, Chosen(api, images, True, protection)

    def _chosen(
        self, regions: scope.Regions
    ) -> Iterable[tuple[RegionKey, Chosen]]:
        deletes, fleet = self._command.deletes, self._fleet
        with_usage = deletes or select.needs_usage(self._args)
        progress = self._results.progress

        def read(api: ImagesAPI) -> Reading:
            return Reading(api, self._args, progress.note, with_usage)

        def finish(api: ImagesAPI) -> Chosen:
            return readings[api].finish(
                fleet.servers(api) if with_usage else None,
                include_used=deletes and self._args.include_used,
            )

        with progress.counting(joins=True):
            read_in = dict(
                self._results.of_regions(regions, read, parallel=results.FEW)
            )
            apis = {key: reading.api for key, reading in read_in.items()}
            readings = {reading.api: reading for reading in read_in.values()}
            if with_usage:
                for api, reading in readings.items():
                    fleet.note_images(api, reading.ids)
                fleet.refresh()
            yield from self._results.of_regions(
                regions._replace(apis=apis, failed={}), finish, parallel=1
            )
