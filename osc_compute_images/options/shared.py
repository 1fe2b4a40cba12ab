# SPDX-License-Identifier: Apache-2.0

"""The options that several commands have, other than those of images."""

import argparse

from osc_compute_images import base
from osc_compute_images.options import parsers
from osc_compute_images.options.filter_option import FilterOption

#: Nova's statuses of servers.
STATUSES = (
    *('ACTIVE', 'BUILD', 'DELETED', 'ERROR', 'HARD_REBOOT', 'MIGRATING'),
    *('PASSWORD', 'PAUSED', 'REBOOT', 'REBUILD', 'RESCUE', 'RESIZE'),
    *('REVERT_RESIZE', 'SHELVED', 'SHELVED_OFFLOADED', 'SHUTOFF'),
    *('SOFT_DELETED', 'SUSPENDED', 'UNKNOWN', 'VERIFY_RESIZE'),
)


def _server_status(text: str) -> str:
    """Parse the status of a server, in any case."""
    if text.upper() not in STATUSES:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a status of a server; choose from '
            f'{", ".join(STATUSES)}'
        )
    return text.upper()


#: The options that choose servers.
_CHOOSING = (
    FilterOption(
        'name-pattern',
        '<glob>',
        'Choose names that match this shell wildcard',
    ),
    FilterOption(
        'name-regex',
        '<regex>',
        'Choose names that contain a match of this regular expression',
        type=parsers.regular_expression,
    ),
    FilterOption(
        'with-metadata',
        '<key>[=<value>]',
        'Choose by metadata, such as backup=yes; "key!=value" excludes',
        type=parsers.property_choice,
    ),
    FilterOption(
        'status',
        '<status>',
        'Choose servers with this status, such as ACTIVE or SHUTOFF',
        type=_server_status,
    ),
)


def add_servers(parser: argparse.ArgumentParser, every: str) -> None:
    """Add the arguments and options that choose servers."""
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
    for option in _CHOOSING:
        option.add_to(group)
    group.add_argument('--all', action='store_true', help=every)
    group.add_argument(
        '--all-projects',
        action='store_true',
        help='Also choose servers of other projects (admin only; default: '
        'those of the own project)',
    )


def are_chosen(parsed_args: argparse.Namespace) -> bool:
    """Return whether servers are chosen, by options, and not named."""
    return parsed_args.all or any(
        any(option.given(parsed_args)) for option in _CHOOSING
    )


def check_servers(parsed_args: argparse.Namespace) -> None:
    """Check that servers are either named or chosen."""
    if parsed_args.servers:
        check_named(
            parsed_args,
            'server',
            (parsed_args.all, '--all'),
            (are_chosen(parsed_args), 'options that choose servers'),
            (parsed_args.all_projects, '--all-projects'),
        )


def add_regions(parser: argparse.ArgumentParser) -> None:
    """Add the options that select other regions and clouds."""
    where = parser.add_argument_group('where')
    group = where.add_mutually_exclusive_group()
    group.add_argument(
        '--all-regions',
        action='store_true',
        help='Work on all regions: those in clouds.yaml, or else those with '
        'a Compute endpoint',
    )
    group.add_argument(
        '--region',
        metavar='<region>',
        action='append',
        type=parsers.not_empty(str),
        default=[],
        dest='regions',
        help='Work on this region; repeat option for several',
    )
    where.add_argument(
        '--all-clouds',
        action='store_true',
        help='Work on all clouds in clouds.yaml, in their own region or in '
        'those above; what selects one cloud is ignored',
    )


def check_named(
    parsed_args: argparse.Namespace, noun: str, *others: tuple[object, str]
) -> None:
    """Check that no option chooses anything, as names and IDs are given.

    :param noun: of what is named
    :param others: other options that choose: whether given, and a word
    :raises UsageError: otherwise
    """
    for given, option in (
        *others,
        (parsed_args.all_regions, '--all-regions'),
        (parsed_args.all_clouds, '--all-clouds'),
    ):
        if given:
            raise base.UsageError(
                f'{noun} names and IDs are not allowed with {option}'
            )


def add_waiting(
    group: 'argparse._ActionsContainer', wait: str, each: str = ''
) -> None:
    """Add the options that wait for images."""
    group.add_argument('--wait', action='store_true', help=wait)
    group.add_argument(
        '--timeout',
        metavar='<seconds>',
        type=parsers.seconds,
        help=f'Maximum time for --wait, in seconds{each} (default: no '
        f'maximum)',
    )


def check_waiting(parsed_args: argparse.Namespace) -> None:
    """Check that a timeout is for a wait."""
    if parsed_args.timeout is not None and not parsed_args.wait:
        raise base.UsageError('--timeout needs --wait')


def add_human_readable(
    group: 'argparse._ActionsContainer', noun: str = 'sizes'
) -> None:
    """Add the option that formats sizes for people."""
    group.add_argument(
        '--human-readable',
        action='store_true',
        help=f'Print {noun} in a human-friendly format',
    )
