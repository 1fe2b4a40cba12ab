# SPDX-License-Identifier: Apache-2.0

"""Plan snapshots of servers, and create them."""

from collections.abc import Iterable
from collections.abc import Iterator
import itertools
from typing import Any
from typing import NamedTuple

from osc_compute_images import base
from osc_compute_images import errors
from osc_compute_images.api import filters
from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api.changes import properties
from osc_compute_images.api.snapshots import apply
from osc_compute_images.api.snapshots import plan
from osc_compute_images.changes import created
from osc_compute_images.changes import rows
from osc_compute_images.changes import work
from osc_compute_images.targets import scope
from osc_compute_images.targets import servers
from osc_compute_images.targets.scope import RegionKey


class _Plan(NamedTuple):
    steps: tuple[plan.Step, ...]


class Creation(work.PlanWork):
    """One execution of the command that creates snapshots."""

    _report: created.Report

    def run(self) -> work.Table:
        self._name = self._args.image_name or plan.NAME
        with errors.translated():
            properties.check_properties(self._args.properties or {})
        try:
            plan.create((), (), self._name)
        except ValueError as e:
            raise base.UsageError(f'--image-name: {e}') from e
        return super().run()

    def _plans(self, regions: scope.Regions) -> rows.Plans:
        found = dict(
            servers.find(
                regions,
                self._results,
                self._args,
                self._recent_images,
                self._report.miss,
            )
        )
        for is_gap in servers.tell_gaps(self._log, found):
            # Servers that could not be read have no snapshot.
            self._results.exit_code |= is_gap
        # NOTE: one plan for all regions, as names are unique in it, and
        # regions may list the same server.
        everywhere = plan.create(
            itertools.chain.from_iterable(f.servers for f in found.values()),
            itertools.chain.from_iterable(f.images for f in found.values()),
            self._name,
            not_within=self._args.not_within,
            include_volumes=self._args.include_volumes,
        )
        for step in everywhere:
            self._report.tell_skipped(step, named=not self._asks)
        if self._asks and not everywhere:
            self._log.warning('No servers match')
        steps = {step.server.id: step for step in everywhere}
        return {
            key: _Plan(
                tuple(
                    steps.pop(server.id)
                    for server in each.servers
                    if server.id in steps
                )
            )
            for key, each in found.items()
        }

    def _recent_images(self, api: ImagesAPI) -> Iterable[Image]:
        if self._args.not_within is None:
            return ()
        where = filters.created_after(self._args.not_within)
        return api.list_detail(where=where)

    def _apply(
        self, regions: scope.Regions, key: RegionKey, todo: Any
    ) -> Iterator[apply.Outcome]:
        return apply.apply(
            regions.apis[key],
            todo.steps,
            properties=self._args.properties,
            parallel=self._args.parallel,
            wait=self._args.wait,
            timeout=self._args.timeout,
            on_begin=self._report.begin,
            on_create=self._report.begin,
            on_poll=self._report.poll,
        )
