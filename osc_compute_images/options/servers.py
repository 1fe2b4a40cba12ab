# SPDX-License-Identifier: Apache-2.0

"""The options that choose servers."""

import argparse

from osc_compute_images.options import parsers
from osc_compute_images.options import shared

#: Nova's statuses of servers.
STATUSES = (
    *('ACTIVE', 'BUILD', 'DELETED', 'ERROR', 'HARD_REBOOT', 'MIGRATING'),
    *('PASSWORD', 'PAUSED', 'REBOOT', 'REBUILD', 'RESCUE', 'RESIZE'),
    *('REVERT_RESIZE', 'SHELVED', 'SHELVED_OFFLOADED', 'SHUTOFF'),
    *('SOFT_DELETED', 'SUSPENDED', 'UNKNOWN', 'VERIFY_RESIZE'),
)

_CHOOSING = ('name_pattern', 'name_regex', 'with_metadata', 'status')


def add_options(parser: argparse.ArgumentParser, every: str) -> None:
    """Add the arguments and options that choose servers.

    :param every: help of ``--all``
    """
    parser.add_argument(
        'servers',
        metavar='<server>',
        nargs='*',
        type=parsers.not_empty(str),
        help='Server(s) (name or ID)',
    )
    group = parser.add_argument_group(
        'servers',
        'A server must match each option, and one value of an option that is '
        'repeated; of metadata, all values.',
    )
    for name, metavar, parse, text in (
        (
            *('name-pattern', '<glob>', str),
            'Choose names that match this shell wildcard',
        ),
        (
            *('name-regex', '<regex>', parsers.regular_expression),
            'Choose names that contain a match of this regular expression',
        ),
        (
            *('with-metadata', '<key>[=<value>]', parsers.property_choice),
            'Choose by metadata, such as backup=yes; "key!=value" excludes',
        ),
        (
            *('status', '<status>', server_status),
            'Choose servers with this status, such as ACTIVE or SHUTOFF',
        ),
    ):
        group.add_argument(
            f'--{name}',
            metavar=metavar,
            action='append',
            type=parsers.not_empty(parse),
            default=[],
            help=text,
        )
    group.add_argument('--all', action='store_true', help=every)
    group.add_argument(
        '--all-projects',
        action='store_true',
        help='Also choose servers of other projects (admin only; default: '
        'those of the own project)',
    )


def server_status(text: str) -> str:
    """Parse the status of a server, in any case."""
    if text.upper() not in STATUSES:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a status of a server; choose from '
            f'{", ".join(STATUSES)}'
        )
    return text.upper()


def are_chosen(parsed_args: argparse.Namespace) -> bool:
    """Return whether servers are chosen, by options, and not named."""
    return parsed_args.all or any(
        getattr(parsed_args, name) for name in _CHOOSING
    )


def check(parsed_args: argparse.Namespace) -> None:
    """Check that servers are either named or chosen.

    :raises UsageError: if they are named, and options choose others
    """
    if parsed_args.servers:
        shared.check_named(
            parsed_args,
            'server',
            (parsed_args.all, '--all'),
            (are_chosen(parsed_args), 'options that choose servers'),
            (parsed_args.all_projects, '--all-projects'),
        )
