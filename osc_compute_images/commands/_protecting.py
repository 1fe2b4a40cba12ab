# SPDX-License-Identifier: Apache-2.0

"""Select the images to delete in a region, and protect those in use."""

import argparse
import functools
import itertools
from typing import TYPE_CHECKING

from osc_lib.i18n import _

from osc_compute_images.commands import _filtering
from osc_compute_images.commands import _planning

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Iterable
    from collections.abc import Sequence

    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.filters import Filter
    from osc_compute_images.api.protection import Protection


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that also deletes used images."""
    parser.add_argument(
        '--include-used',
        action='store_true',
        help=_(
            'Also delete images that servers were booted from, and kernels '
            'and ramdisks of other images. Images that shelved servers are '
            'stored in are deleted only if given by ID'
        ),
    )


def protection_of_named(
    api: 'ImagesAPI',
    images: 'Iterable[Image]',
    by_id: 'Collection[str]',
    parsed_args: argparse.Namespace,
) -> 'Protection':
    """Return the protection of images that were given by name or ID.

    It sends no requests if all of them were given by ID.

    :param by_id: the IDs of those given by ID
    """
    from osc_compute_images.api import ServerList
    from osc_compute_images.api import usage
    from osc_compute_images.api.protection import Protection

    users: list[Image] = []
    servers = ServerList(())
    if any(image.id not in by_id for image in images):
        # NOTE: images before servers, as below.
        users = [*filter(usage.is_relevant, api.list_detail())]
        servers = api.servers()
    return Protection(
        servers, users, include_used=parsed_args.include_used, named=by_id
    )


def select(
    api: 'ImagesAPI',
    parsed_args: argparse.Namespace,
    on_read: 'Callable[[int], None]',
    among: 'Filter | None' = None,
) -> 'tuple[Sequence[Image], Protection]':
    """Select images, and determine which are protected.

    Lists the images once, and the servers once.

    :param on_read: called with the number of images of each page
    :param among: the images to select from; all by default
    :returns: the selected images, and the protection
    """
    from osc_compute_images.api import ListOpts
    from osc_compute_images.api.filters import EVERYTHING
    from osc_compute_images.api.protection import Protection
    from osc_compute_images.commands import _joining

    # NOTE: both are lazy, so that other errors come before these requests.
    @functools.cache
    def images() -> 'list[Image]':
        listed = _joining.Images(api, on_read=on_read)
        return _planning.load_all(listed.pages(ListOpts(), EVERYTHING))

    @functools.cache
    def protection() -> Protection:
        # NOTE: list images before servers, so that an image that a server is
        # booted from in between is protected.
        everything = images()
        return Protection(
            api.servers(), everything, include_used=parsed_args.include_used
        )

    choice = _filtering.choice(
        api, parsed_args, usage=lambda: protection().usage
    )
    where = choice.where if among is None else choice.where & among
    pages = choice.keep_newest([[*filter(where.matches, images())]])
    return [*itertools.chain.from_iterable(pages)], protection()
