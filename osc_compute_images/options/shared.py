# SPDX-License-Identifier: Apache-2.0

"""The options that several commands have: where, how long, how sizes look."""

import argparse

from osc_compute_images import base
from osc_compute_images.options import parsers


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
    """Add the options that wait for images.

    :param wait: help of ``--wait``
    :param each: what the time is for, if there are several images
    """
    group.add_argument('--wait', action='store_true', help=wait)
    group.add_argument(
        '--timeout',
        metavar='<seconds>',
        type=parsers.seconds,
        help=f'Maximum time for --wait, in seconds{each} (default: no '
        f'maximum)',
    )


def check_waiting(parsed_args: argparse.Namespace) -> None:
    """Check that a timeout is for a wait.

    :raises UsageError: otherwise
    """
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
