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
import logging

from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api import ListOpts
from osc_compute_images.api import PlanRefused
from osc_compute_images.api import ServerList
from osc_compute_images.api.changes import properties
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.api.filters import EVERYTHING
from osc_compute_images.api.servers.fleet import Fleet
from osc_compute_images.options import choice
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

    def made_private(
        self, log: logging.Logger, parsed_args: argparse.Namespace
    ) -> Callable[[Image], str | None] | None:
        """Return a function that returns why an image must be kept, or None.

        With any change of properties, Compute makes a shared or community
        image private. Images whose visibility is unknown are kept, unless they
        were named.

        :param log: warns of named images whose visibility is unknown
        :returns: None if images may become private
        :raises ImagesError: if a request fails
        """
        if parsed_args.allow_private:
            return None
        found: dict[str, str | None] = {}
        if self.named:
            for image in self.images:
                found[image.id] = self.api.find_visibility(image.id)
                if found[image.id] is None:
                    log.warning(
                        'The visibility of image %s is unknown: if it is '
                        'shared or community, the Compute service makes it '
                        'private; "openstack image set" does not',
                        image.id,
                    )
        else:
            made_private = self.api.find_visibilities(self.images)
            if made_private is None:
                return lambda _image: (
                    'its visibility is unknown, and a change might make it '
                    'private: allow that with --allow-private'
                )
            found.update(made_private)

        def reason(image: Image) -> str | None:
            visibility = found.get(image.id)
            if visibility not in properties.MADE_PRIVATE:
                return None
            return (
                f'its visibility is {visibility}, and a change would make it '
                f'private: allow that with --allow-private'
            )

        return reason


class Reading:
    """The images of a region that a plan considers, while it is being made.

    :param on_read: called with the number of images of each page
    :param with_usage: whether their use must be known
    """

    def __init__(
        self,
        api: ImagesAPI,
        parsed_args: argparse.Namespace,
        on_read: Callable[[int], None],
        *,
        with_usage: bool,
    ) -> None:
        self.api = api
        self._args = parsed_args
        self._where = choice.where(api, parsed_args)
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
        for page in self.api.list_detail(ListOpts(), where=where).pages():
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
        if servers is None:
            return Chosen(self.api, self._images, False)
        usage = self.usage.with_servers(servers)
        where = choice.where(
            self.api, self._args, lambda: usage, by_usage_only=True
        )
        images = [*filter(where.matches, self._images)]
        return Chosen(self.api, images, False, Protection(usage, **options))


def finish_all(
    readings: Mapping[RegionKey, Reading],
    fleet: Fleet | None,
    **options: bool,
) -> Iterator[tuple[RegionKey, Chosen | ImagesError]]:
    """Read the servers, and yield the chosen images of each region.

    For a region that fails, it yields the error.

    :param fleet: the servers that may use the images; None if their use need
        not be known
    """
    if fleet is not None:
        for reading in readings.values() if len(readings) > 1 else ():
            fleet.note_images(reading.api, reading.ids)
        fleet.refresh()
    for key, reading in readings.items():
        try:
            servers = None if fleet is None else fleet.servers(reading.api)
            yield key, reading.finish(servers, **options)
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
