# SPDX-License-Identifier: Apache-2.0

"""The options that select regions and clouds."""

import argparse

from osc_compute_images.options import parsers


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
    group.add_argument(
        '--region',
        metavar='<region>',
        action='append',
        type=parsers.not_empty(str),
        default=[],
        dest='regions',
        help='Use this region instead of the configured one (repeat option '
        'for multiple regions)',
    )
    where.add_argument(
        '--all-clouds',
        action='store_true',
        help='Work on all clouds in clouds.yaml, each in its '
        'configured region, or in those selected by --region or '
        '--all-regions. Options and variables that select or '
        'authenticate a single cloud are ignored',
    )
