# SPDX-License-Identifier: Apache-2.0

"""The options that select regions and clouds, and their APIs."""

import argparse
from collections.abc import Mapping
from collections.abc import Sequence
import types
from typing import NamedTuple
from typing import TYPE_CHECKING

from osc_lib import exceptions

from osc_compute_images import base
from osc_compute_images.options import parsers
from osc_compute_images.targets import logins
from osc_compute_images.text import printable

if TYPE_CHECKING:
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api import ImagesError
    from osc_compute_images.api.clouds._cloud import Cloud

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
    apis: 'Mapping[RegionKey, ImagesAPI]'
    failed: 'Mapping[RegionKey, ImagesError]' = types.MappingProxyType({})


def _add_region(parser: 'argparse._ActionsContainer') -> None:
    parser.add_argument(
        '--region',
        metavar='<region>',
        action='append',
        type=parsers.not_empty(str),
        default=[],
        dest='regions',
        help='Use this region instead of the configured one (repeat option '
        'for multiple regions)',
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that select other regions and clouds."""
    where = parser.add_argument_group('regions and clouds')
    group = where.add_mutually_exclusive_group()
    group.add_argument(
        '--all-regions',
        action='store_true',
        help='Work on all regions: those that clouds.yaml lists for '
        'the cloud, or else those with a Compute endpoint',
    )
    _add_region(group)
    where.add_argument(
        '--all-clouds',
        action='store_true',
        help='Work on all clouds in clouds.yaml, each in its '
        'configured region, or in those selected by --region or '
        '--all-regions. Options and variables that select or '
        'authenticate a single cloud are ignored',
    )


def selected(
    command: base.ImagesCommand, parsed_args: argparse.Namespace
) -> Regions:
    """Return the regions that the user has selected.

    :raises CommandError: for a region without a Compute endpoint
    :raises ImagesError: if a login is needed and fails
    """
    wanted = sorted(set(parsed_args.regions))
    if getattr(parsed_args, 'all_clouds', False):
        return _of_all_clouds(command, parsed_args, wanted)
    if getattr(parsed_args, 'all_regions', False):
        cloud = logins.cloud(command)
        names = cloud.regions()
    elif wanted:
        cloud = logins.cloud(command)
        names = wanted
        _check(cloud, names)
    else:
        return Regions((), {(): base.images_api(command.app.client_manager)})
    return Regions(('Region',), {(name,): cloud.api(name) for name in names})


def _check(cloud: 'Cloud', names: Sequence[str]) -> None:
    if cloud.configured_regions() or names == [cloud.default_region()]:
        # openstacksdk itself rejects regions that are not listed.
        return
    known = cloud.regions()
    for name in names:
        if name not in known:
            choices = printable(', '.join(known))
            raise exceptions.CommandError(
                f'Region {name!r} has no Compute endpoint; choose from '
                f'{choices}'
            )


def _of_all_clouds(
    command: base.ImagesCommand,
    parsed_args: argparse.Namespace,
    wanted: Sequence[str],
) -> Regions:
    def regions(cloud: 'Cloud') -> list[str]:
        if parsed_args.all_regions:
            return cloud.regions()
        if wanted:
            return [name for name in cloud.regions() if name in wanted]
        return [cloud.default_region()]

    names, (apis, errors) = logins.all_clouds(command, regions)
    queried = {cloud for cloud, _region in apis} | errors.keys()
    for name in (name for name in names if name not in queried):
        command.log.warning(
            'Cloud %(cloud)s is skipped: it has none of these regions',
            {'cloud': printable(name)},
        )
    if not queried:
        regions_wanted = ' or '.join(map(repr, wanted))
        raise exceptions.CommandError(
            f'No cloud has a region {regions_wanted}'
        )
    return Regions(
        ('Cloud', 'Region'),
        {(*key,): api for key, api in apis.items()},
        {(name, ''): error for name, error in errors.items()},
    )
