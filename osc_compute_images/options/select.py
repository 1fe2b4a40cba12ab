# SPDX-License-Identifier: Apache-2.0

"""The options that select images, and those that keep some of them."""

import argparse

from osc_compute_images import base
from osc_compute_images.options import declared
from osc_compute_images.options import parsers

#: The options that need the list of servers.
USAGE_OPTIONS = ('used_by', 'unused', 'orphaned')

#: Filters of the server only, as Compute does not show the visibility.
_VISIBILITIES = {
    'public': 'Select only public images',
    'private': 'Select only private images',
    'shared': 'Select only shared images',
    'community': 'Select only community images, of all projects',
}


def add_filters(
    parser: argparse.ArgumentParser,
    prefix: str = '',
    *,
    by_visibility: bool = False,
) -> None:
    """Add the filter options; by visibility, only lists can."""
    groups = {}
    for title, description, options in declared.GROUPS:
        groups[title] = parser.add_argument_group(title, description)
        for option in options:
            option.add_to(groups[title], prefix)
    if by_visibility:
        exclusive = groups['state and age'].add_mutually_exclusive_group()
        for visibility, text in _VISIBILITIES.items():
            exclusive.add_argument(
                f'--{visibility}',
                action='store_const',
                const=visibility,
                dest='visibility',
                help=text,
            )
    groups['use'].add_argument(
        '--accept-gaps',
        action='store_true',
        help='Go on if servers or images cannot be read, such as the servers '
        'of a cell that is down; their snapshots are kept',
    )


def add_newest(group: 'argparse._ActionsContainer', group_by: str) -> None:
    """Add the options that keep the newest of the selected images."""
    group.add_argument(
        '--group-by',
        metavar='<key>[,<key>...]',
        action='extend',
        type=parsers.group_keys,
        default=[],
        help=group_by,
    )
    group.add_argument(
        '--newest',
        metavar='<n>',
        nargs='?',
        const=1,
        type=parsers.positive_integer,
        help='Select only the newest image, or the <n> newest, of each region '
        'or group',
    )


def is_given(parsed_args: argparse.Namespace) -> bool:
    """Return whether the user has given any option that selects images."""
    return any(any(each.given(parsed_args)) for each in declared.FILTERS)


def add_keep(group: 'argparse._ActionsContainer') -> None:
    """Add the options that keep marked images, and those that a file names."""
    group.add_argument(
        '--keep-property',
        metavar='<key>[=<value>]',
        action='append',
        type=parsers.property_to_keep,
        default=[],
        help='Keep images with this property, or with this value of it; they '
        'still count in their group (repeat option to keep more)',
    )
    group.add_argument(
        '--keep-from',
        metavar='<file>',
        action='append',
        type=parsers.not_empty(str),
        default=[],
        help='Keep the images whose UUIDs are found in this file, of any '
        'format, or in stdin (-); a file without a UUID is an error (repeat '
        'option for more files)',
    )


def needs_usage(parsed_args: argparse.Namespace) -> bool:
    """Return whether an option needs the list of servers."""
    return any(getattr(parsed_args, option) for option in USAGE_OPTIONS)


def check_chosen(parsed_args: argparse.Namespace) -> None:
    """Check that options select images, or --all is given.

    Options that only exclude images would leave nearly all of them.

    :raises UsageError: otherwise
    """
    if not parsed_args.all and not any(
        option.selects(parsed_args) for option in declared.FILTERS
    ):
        raise base.UsageError(
            'No images selected: options that only exclude images need --all'
            if is_given(parsed_args)
            else 'No images selected: give names or IDs, filter options, or '
            '--all'
        )
