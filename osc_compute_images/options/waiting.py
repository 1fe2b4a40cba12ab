# SPDX-License-Identifier: Apache-2.0

"""The options that wait for images."""

import argparse

from osc_compute_images import base
from osc_compute_images.options import parsers


def add_options(
    group: 'argparse._ActionsContainer', wait: str, each: str = ''
) -> None:
    """Add the options.

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


def check(parsed_args: argparse.Namespace) -> None:
    """Check that a timeout is for a wait.

    :raises UsageError: otherwise
    """
    if parsed_args.timeout is not None and not parsed_args.wait:
        raise base.UsageError('--timeout needs --wait')
