# SPDX-License-Identifier: Apache-2.0

"""The options that keep images which would be deleted."""

import argparse

from osc_compute_images.options import parsers


def add_options(group: 'argparse._ActionsContainer') -> None:
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
