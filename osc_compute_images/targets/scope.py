# SPDX-License-Identifier: Apache-2.0

"""The regions and clouds that the user has selected, and their APIs."""

import argparse
from collections.abc import Mapping
from collections.abc import Sequence
import types
from typing import NamedTuple

from osc_lib import exceptions

from osc_compute_images import base
from osc_compute_images.api import _alarms
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api.clouds._cloud import Cloud
from osc_compute_images.targets import logins
from osc_compute_images.text import printable

#: Identifies a region: ``()`` for the configured one, ``(region,)``, or
#: ``(cloud, region)``.
RegionKey = tuple[str, ...]


class Regions(NamedTuple):
    """The regions that a command works on.

    :param headers: of the columns that identify a region: none, ``Region``,
        or ``Cloud`` and ``Region``
    :param apis: the images API of each region, by the values of these columns
    :param failed: the errors of clouds that cannot be used; the name of the
        region is empty
    """

    headers: tuple[str, ...]
    apis: Mapping[RegionKey, ImagesAPI]
    failed: Mapping[RegionKey, ImagesError] = types.MappingProxyType({})


def selected(
    command: base.ImagesCommand, parsed_args: argparse.Namespace
) -> Regions:
    """Return the regions that the user has selected; log in if needed.

    :raises CommandError: for a region without a Compute endpoint
    :raises ImagesError: if a login is needed and fails
    """
    _alarms.allowed = True
    wanted = sorted(set(parsed_args.regions))
    if parsed_args.all_clouds:
        return _of_all_clouds(command, parsed_args, wanted)
    if parsed_args.all_regions:
        cloud = logins.cloud(command)
        names = cloud.regions()
    elif wanted:
        cloud = logins.cloud(command)
        names = wanted
        _check(cloud, names)
    else:
        return Regions((), {(): logins.own(command)})
    return Regions(
        ('Region',),
        {(name,): ImagesAPI(cloud.adapter(name)) for name in names},
    )


def _check(cloud: Cloud, names: Sequence[str]) -> None:
    if cloud.configured_regions or names == [cloud.default_region()]:
        # openstacksdk itself rejects regions that are not listed.
        return
    known = cloud.regions()
    for name in [name for name in names if name not in known]:
        raise exceptions.CommandError(
            f'Region {name!r} has no Compute endpoint; choose from '
            f'{printable(", ".join(known))}'
        )


def _of_all_clouds(
    command: base.ImagesCommand,
    parsed_args: argparse.Namespace,
    wanted: Sequence[str],
) -> Regions:
    def regions(cloud: Cloud) -> list[str]:
        if parsed_args.all_regions:
            return cloud.regions()
        if wanted:
            return [name for name in cloud.regions() if name in wanted]
        return [cloud.default_region()]

    names, (apis, errors) = logins.all_clouds(command, regions)
    queried = {cloud for cloud, _region in apis} | errors.keys()
    for name in (name for name in names if name not in queried):
        command.log.warning(
            'Cloud %s is skipped: it has none of these regions',
            printable(name),
        )
    if not queried:
        raise exceptions.CommandError(
            f'No cloud has a region {" or ".join(map(repr, wanted))}'
        )
    return Regions(
        ('Cloud', 'Region'),
        {(*key,): api for key, api in apis.items()},
        {(name, ''): error for name, error in errors.items()},
    )
