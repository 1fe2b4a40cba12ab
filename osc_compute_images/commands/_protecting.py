# SPDX-License-Identifier: Apache-2.0

"""Choosing among the images of a region, and protecting those in use."""

import argparse
import functools
import itertools
from typing import TYPE_CHECKING

from osc_lib.i18n import _

from osc_compute_images.commands import _filtering
from osc_compute_images.commands import _planning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.filters import Filter
    from osc_compute_images.api.protection import Protection


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that deletes what is in use, too."""
    parser.add_argument(
        '--include-used',
        action='store_true',
        default=False,
        help=_(
            'Delete also images that servers were booted from, and kernels '
            'and ramdisks of other images. Images that shelved servers live '
            'in are never deleted, unless they are named by ID'
        ),
    )


def choose(
    api: 'ImagesAPI',
    parsed_args: argparse.Namespace,
    among: 'Filter | None' = None,
) -> 'tuple[Sequence[Image], Protection]':
    """Choose images, and find out which of them are protected.

    It takes one listing of the images, and one of the servers.

    :param among: the images that are chosen from; all by default
    :returns: those chosen, and the protection of all
    """
    from osc_compute_images.api.protection import Protection

    # NOTE: only when they are needed: what fails at once fails before.
    @functools.cache
    def images() -> 'list[Image]':
        return _planning.gathered(api.list_detail())

    @functools.cache
    def protection() -> Protection:
        # NOTE: images first. One that a server was booted from in between
        # is protected then, which would not hold the other way round.
        everything = images()
        return Protection(
            api.servers(), everything, include_used=parsed_args.include_used
        )

    chosen = _filtering.chosen(
        api, parsed_args, usage=lambda: protection().usage
    )
    where = chosen.where if among is None else chosen.where & among
    pages = chosen.of([[*filter(where.matches, images())]])
    return [*itertools.chain.from_iterable(pages)], protection()
