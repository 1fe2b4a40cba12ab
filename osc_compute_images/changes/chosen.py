# SPDX-License-Identifier: Apache-2.0

"""The images to change in each region, and what protects them.

Images are listed first, then the servers of all regions: a server that is
booted in between is seen.
"""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
import itertools

from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api import ListOpts
from osc_compute_images.api import PlanRefused
from osc_compute_images.api import ServerList
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.api.filters import EVERYTHING
from osc_compute_images.api.filters import Filter
from osc_compute_images.api.servers.fleet import Fleet
from osc_compute_images.options import select
from osc_compute_images.output import bounds
from osc_compute_images.targets.scope import RegionKey


@dataclasses.dataclass(frozen=True)
class Chosen:
    """The images to change in one region.

    :param images: to change, unless the plan keeps them
    :param named: whether they were named one by one
    :param protection: against deletion, or None
    """

    api: ImagesAPI
    images: list[Image]
    named: bool
    protection: Protection | None = None

    @property
    def usage(self) -> Usage | None:
        return None if self.protection is None else self.protection.usage


class Reading:
    """The images of a region that a plan considers, while it is being made.

    :param among: the images to consider
    :param on_read: called with the number of images of each page
    :param with_usage: whether their use must be known
    """

    def __init__(
        self,
        api: ImagesAPI,
        parsed_args: argparse.Namespace,
        *,
        among: Filter = EVERYTHING,
        on_read: Callable[[int], None],
        with_usage: bool,
    ) -> None:
        self._api = api
        self._args = parsed_args
        self._choice = select.choice(api, parsed_args)
        self._where = self._choice.where & among
        self._on_read = on_read
        self._with_usage = with_usage
        #: The IDs of all images, to see which regions list the same.
        self.ids: list[str] = []
        self.usage = Usage(
            ServerList(()),
            self._read(),
            accept_gaps=parsed_args.accept_gaps,
        )

    def _read(self) -> Iterator[Image]:
        self._images: list[Image] = []
        where = EVERYTHING if self._with_usage else self._where
        most = bounds.MAX_GATHERED
        for page in self._api.list_detail(ListOpts(), where=where).pages():
            self._on_read(len(page.images))
            if self._with_usage:
                self.ids += [image.id for image in page.images]
                self._images += filter(self._where.matches, page.images)
            else:
                self._images += page.images
            if len(self._images) > most:
                raise PlanRefused(
                    f'There are more than {most:,} images, too many to plan '
                    f'changes'
                )
            yield from page.images

    def finish(self, servers: ServerList | None, **options: bool) -> Chosen:
        """Return the chosen images, given the servers that may use them.

        :param options: of the protection
        """
        images = self._images
        protection = None
        if servers is not None:
            usage = self.usage.with_servers(servers)
            protection = Protection(usage, **options)
            where = select.usage_filter(self._api, self._args, usage)
            images = [*filter(where.matches, images)]
        pages = self._choice.keep_newest([images])
        images = [*itertools.chain.from_iterable(pages)]
        return Chosen(self._api, images, False, protection)


def finish_all(
    readings: Mapping[RegionKey, Reading],
    apis: Mapping[RegionKey, ImagesAPI],
    fleet: Fleet,
    **options: bool,
) -> Iterator[tuple[RegionKey, Chosen | ImagesError]]:
    """Read the servers, and yield the chosen images of each region.

    For a region that fails, it yields the error.
    """
    for key, reading in readings.items():
        if len(readings) > 1:
            fleet.note_images(apis[key], reading.ids)
    fleet.refresh()
    for key, reading in readings.items():
        try:
            yield key, reading.finish(fleet.servers(apis[key]), **options)
        except ImagesError as e:
            yield key, e


def named(
    api: ImagesAPI, images: Iterable[Image], fleet: Fleet, *, protect: bool
) -> Chosen:
    """Return images that were named one by one.

    Only those in which a server may be stored are protected.
    """
    images = [*images]
    protection = None
    if protect:
        servers = fleet.servers_of(api, images)
        usage = Usage(servers, (), accept_gaps=True)
        protection = Protection(usage, include_used=True)
    return Chosen(api, images, True, protection)
