# SPDX-License-Identifier: Apache-2.0

"""The options that select regions and clouds."""

import argparse

from osc_compute_images.options import parsers


def add_options(parser: argparse.ArgumentParser) -> None:
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
