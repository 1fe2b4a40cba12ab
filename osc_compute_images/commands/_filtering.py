# SPDX-License-Identifier: Apache-2.0

"""The options that filter a list, and what they mean."""

import argparse
from collections.abc import Callable
from typing import Any
from typing import TYPE_CHECKING

from osc_lib.i18n import _

from osc_compute_images.commands import _values

if TYPE_CHECKING:
    from osc_compute_images.api import filters
    from osc_compute_images.api import ImagesAPI


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options, each of which leaves images out of the list."""
    parser.add_argument(
        '--name',
        metavar='<name>',
        help=_('List only images with this exact name'),
    )
    parser.add_argument(
        '--name-pattern',
        metavar='<glob>',
        help=_(
            'List only images whose name matches this shell wildcard, such '
            'as "ubuntu-2?.04", in upper or lower case'
        ),
    )
    parser.add_argument(
        '--status',
        metavar='<status>',
        type=_values.status,
        help=_(
            'List only images with this status: ACTIVE, SAVING, ERROR, '
            'DELETED or UNKNOWN, in upper or lower case'
        ),
    )
    parser.add_argument(
        '--type',
        metavar='<type>',
        help=_(
            'List only images of this type: "snapshot", "backup" or another '
            'value of their property image_type; "base" for the images '
            'without that property, "server" for those that were taken from '
            'a server, "all" for all of them'
        ),
    )
    parser.add_argument(
        '--server',
        metavar='<server>',
        help=_(
            'List only images that were taken from this server (name, ID or '
            'URL; for a deleted server its ID)'
        ),
    )
    parser.add_argument(
        '--changes-since',
        metavar='<changes-since>',
        type=_values.time_or_span,
        help=_(
            'List only images that were changed at this time or later, in '
            'ISO 8601 (2026-11-23T16:11:28Z or 2026-11-23; a time without a '
            'zone is UTC), or in a span of time back from now (90m, 24h, 7d, '
            '2w)'
        ),
    )
    parser.add_argument(
        '--min-disk',
        metavar='<disk-gb>',
        type=_values.comparison,
        help=_(
            'List only images whose minimum disk is this many GB ("10"), at '
            'least (">=10") or at most ("<=10") as many; ">" and "<" do, too'
        ),
    )
    parser.add_argument(
        '--min-ram',
        metavar='<ram-mb>',
        type=_values.comparison,
        help=_(
            'List only images whose minimum memory is this many MB ("512"), '
            'at least (">=512") or at most ("<=512") as many; ">" and "<" '
            'do, too'
        ),
    )
    parser.add_argument(
        '--property',
        metavar='<key>[=<value>]',
        action='append',
        default=[],
        type=_values.key_value,
        dest='properties',
        help=_(
            'List only images with this property, and this value if one is '
            'given, as displayed (repeat option to filter on multiple '
            'properties)'
        ),
    )
    parser.add_argument(
        '--flavor',
        metavar='<flavor>',
        help=_(
            'List only images that a server of this flavor (name or ID) can '
            'boot: active ones, whose minimum memory and disk the flavor '
            'has, and whose size its disk holds. The servers of a flavor '
            'without a disk boot from a volume: for it the disk does not '
            'count'
        ),
    )


def chosen(
    api: 'ImagesAPI', parsed_args: argparse.Namespace
) -> 'filters.Filter':
    """Combine the filters that the user gave.

    ``--changes-since`` is none of them: there Nova's own parameter is right.

    :raises ImagesError: if there is no server or flavor of the name given
    """
    from osc_compute_images.api import filters

    by_option: dict[str, Callable[[Any], filters.Filter]] = {
        'name': filters.name,
        'name_pattern': filters.name_pattern,
        'status': filters.status,
        'type': filters.image_type,
        'server': lambda value: filters.server(api.find_server_id(value)),
        'min_disk': lambda value: filters.min_disk(**value),
        'min_ram': lambda value: filters.min_ram(**value),
        'flavor': lambda value: filters.boots_on(api.find_flavor(value)),
    }
    combined = filters.EVERYTHING
    for option, filter_by in by_option.items():
        value = getattr(parsed_args, option)
        if value is not None:
            combined &= filter_by(value)
    for key, value in parsed_args.properties:
        if value is None:
            combined &= filters.has_property(key)
        else:
            combined &= filters.property_is(key, value)
    return combined
