# SPDX-License-Identifier: Apache-2.0

"""The images to change in each region, and what protects them."""

import argparse
from collections.abc import Callable
from collections.abc import Iterator
import dataclasses

from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from osc_compute_images.api import PlanRefused
from osc_compute_images.api import ServerList
from osc_compute_images.api.changes._links import entries
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.api.filters import EVERYTHING
from osc_compute_images.api.filters import Filter
from osc_compute_images.options import choice
from osc_compute_images.output import bounds


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


class Reading:
    """The images of a region that a plan considers.

    They are listed first, then the servers of all regions: a server that is
    booted in between is seen.

    :param on_read: called with the number of images of each page
    :param with_usage: whether their use must be known
    :ivar ids: of all images that were listed
    """

    def __init__(
        self,
        api: ImagesAPI,
        parsed_args: argparse.Namespace,
        on_read: Callable[[int], None],
        with_usage: bool,
    ) -> None:
        self.api = api
        self.ids: list[str] = []
        self._args = parsed_args
        self._images: list[Image] = []
        where = choice.where(api, parsed_args)
        listed = EVERYTHING if with_usage else where
        self._usage = Usage(
            ServerList(()),
            self._read(listed, where, on_read),
            accept_gaps=parsed_args.accept_gaps,
        )

    def _read(
        self, listed: Filter, where: Filter, on_read: Callable[[int], None]
    ) -> Iterator[Image]:
        most = bounds.MAX_GATHERED
        for page in self.api.list_detail(ListOpts(), where=listed).pages():
            on_read(len(page.images))
            self.ids += [image.id for image in page.images]
            self._images += filter(where.matches, page.images)
            if len(self._images) > most:
                raise PlanRefused(
                    f'There are more than {most:,} images, too many to plan '
                    f'changes'
                )
            yield from entries(page)

    def finish(
        self, servers: ServerList | None, *, include_used: bool
    ) -> Chosen:
        """Return the chosen images; their use matters if servers are given."""
        if servers is None:
            return Chosen(self.api, self._images, False)
        usage = self._usage.with_servers(servers)
        where = choice.where(
            self.api, self._args, lambda: usage, by_usage_only=True
        )
        images = [*filter(where.matches, self._images)]
        protection = Protection(usage, include_used=include_used)
        return Chosen(self.api, images, False, protection)
