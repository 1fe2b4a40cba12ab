# SPDX-License-Identifier: Apache-2.0

"""The servers that the user names or chooses, and the images taken of them."""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
import functools
import logging
import operator

from osc_compute_images.api import filters
from osc_compute_images.api import Image
from osc_compute_images.api import ImageRef
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api import Server
from osc_compute_images.api import ServerNotFound
from osc_compute_images.targets import finder
from osc_compute_images.targets import results
from osc_compute_images.targets.scope import RegionKey
from osc_compute_images.targets.scope import Regions
from osc_compute_images.text import printable

#: Returns images of a region, given the servers that they were taken from.
GetImages = Callable[[ImagesAPI], Iterable[Image]]


@dataclasses.dataclass(frozen=True)
class Found:
    """What was found in a region.

    :param servers: that were named or chosen
    :param images: those that were taken from them
    :param gaps: what could not be read, a sentence each
    :param shows_down_cells: whether a server of a cell that does not respond
        would have been listed
    """

    servers: list[Server]
    images: list[Image]
    gaps: tuple[str, ...] = ()
    shows_down_cells: bool = True


def find(
    regions: Regions,
    of_regions: results.Results,
    parsed_args: argparse.Namespace,
    get_images: GetImages,
    on_missing: Callable[[str, ImagesError], object],
) -> Iterator[tuple[RegionKey, Found]]:
    """Yield the servers of each region, and their images.

    :param get_images: lists the images that matter
    :param on_missing: called with each name that is not that of one server
    :raises CommandError: if no region succeeds
    :raises ImagesError: if the configured region fails
    """
    if not parsed_args.servers:
        read = functools.partial(_chosen, parsed_args, get_images)
        yield from of_regions.of_regions(regions, read, parallel=results.FEW)
        return
    named: dict[RegionKey, dict[str, Server]] = {}
    for name in dict.fromkeys(parsed_args.servers):
        try:
            key, server = _find(regions, name)
        except ImagesError as e:
            on_missing(name, e)
        else:
            named.setdefault(key, {})[server.id] = server
    for key, servers in named.items():
        images = _taken(servers.values(), get_images(regions.apis[key]))
        yield key, Found([*servers.values()], images)


def tell_gaps(
    log: logging.Logger, found: Mapping[RegionKey, Found]
) -> Iterator[bool]:
    """Tell what is not known of servers; yield whether it is a known gap."""
    for key, each in found.items():
        where = f'{results.describe_region(key)}: ' if key else ''
        for gap in each.gaps:
            log.error('%sServers could not be read: %s', where, printable(gap))
            yield True
        if not each.shows_down_cells:
            log.warning(
                '%sServers of a cell that does not respond would not be '
                'listed (Compute lists them from microversion 2.69, and only '
                'up to the size of a page)',
                where,
            )
            yield False


def _chosen(
    parsed_args: argparse.Namespace, get_images: GetImages, api: ImagesAPI
) -> Found:
    # NOTE: servers first, so that a snapshot that is created in between is
    # seen.
    listed = api.servers(
        all_projects=parsed_args.all_projects,
        own_project=not parsed_args.all_projects,
    )
    matches = _matcher(parsed_args)
    servers = [*filter(matches, listed.servers)]
    return Found(
        servers,
        _taken(servers, get_images(api)) if servers else [],
        listed.gaps,
        listed.shows_down_cells,
    )


def _taken(servers: Iterable[Server], images: Iterable[Image]) -> list[Image]:
    on_image = {server.id.lower(): server.image_id for server in servers}
    return [
        image
        for image in images
        if image.server_id is not None
        and (server_id := image.server_id.lower()) in on_image
        # NOTE: that of a server on a volume which was restored from this one.
        and not (image.is_volume_backed and on_image[server_id])
    ]


def _matcher(parsed_args: argparse.Namespace) -> Callable[[Server], bool]:
    names = [
        functools.reduce(operator.or_, map(make, values))
        for make, values in (
            (filters.name_pattern, parsed_args.name_pattern),
            (filters.name_regex, parsed_args.name_regex),
        )
        if values
    ]
    statuses = parsed_args.status

    def matches(server: Server) -> bool:
        return (
            all(f.matches(ImageRef(server.id, server.name)) for f in names)
            and (not statuses or server.status.upper() in statuses)
            and all(
                wanted
                is (
                    key in server.metadata
                    and value in (None, server.metadata[key])
                )
                for key, value, wanted in parsed_args.with_metadata or ()
            )
        )

    return matches


def _find(regions: Regions, name: str) -> tuple[RegionKey, Server]:
    found = [
        (key, server)
        for key, server in finder.in_each(regions, lambda a: _server(a, name))
        if server is not None
    ]
    missing = ServerNotFound(f'No server with a name or ID of {name!r} exists')
    return finder.only_one('server', name, found, missing)


def _server(api: ImagesAPI, name: str) -> Server | None:
    try:
        return api.server(api.find_server_id(name))
    except ServerNotFound:
        return None
