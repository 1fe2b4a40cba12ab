# SPDX-License-Identifier: Apache-2.0

"""What the options choose from the images of a region."""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import functools
import operator

from osc_compute_images.api import filters
from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api import ServerNotFound
from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.api.filters import Filter
from osc_compute_images.api.groups import selection
from osc_compute_images.options import declared
from osc_compute_images.options import select
from osc_compute_images.options import unreadable


class Region:
    """What filters are made from: the API of a region, and its usage.

    :param get_usage: determines the usage of images, for options that need it
    :ivar filters: the module :mod:`osc_compute_images.api.filters`
    """

    filters = filters
    api: ImagesAPI

    def __init__(
        self, api: ImagesAPI, get_usage: Callable[[], Usage] | None
    ) -> None:
        self.api = api
        self._get_usage = get_usage

    @property
    def usage(self) -> Usage:
        assert self._get_usage is not None  # noqa: S101
        return self._get_usage()

    def server(self, name_id_or_url: str) -> Filter:
        """Return a filter of the images that were taken from a server.

        :raises ServerNotFound: if nothing is known of it
        """
        server_id = self.api.find_server_id(name_id_or_url)
        chosen = filters.server(server_id)
        if server_id not in name_id_or_url:
            # A name or another form of the ID was found.
            return chosen
        try:
            if self.api.server(server_id) is not None:
                return chosen
        except ImagesError:
            # Its cell may be down.
            return chosen
        if not any(self.api.list_detail(where=chosen, max_items=1)):
            raise ServerNotFound(
                f'No server has the ID {server_id}, and no image was taken '
                f'from it'
            )
        return chosen


def where(
    api: ImagesAPI,
    parsed_args: argparse.Namespace,
    get_usage: Callable[[], Usage] | None = None,
    *,
    by_usage_only: bool = False,
) -> Filter:
    """Combine the filter options.

    :param get_usage: determines the usage of images, when an option needs it;
        without it, these options are left out
    :param by_usage_only: leave out the others
    :raises ImagesError: if a server or flavor is not found
    :raises GapsFound: if the usage has gaps, and an option needs it
    """
    region = Region(api, get_usage)
    others: list[Filter] = []
    times: list[Filter] = []
    fields = set()
    for option in declared.FILTERS:
        if option.dest in select.USAGE_OPTIONS:
            if get_usage is None:
                continue
        elif by_usage_only:
            continue
        made = times if option.time else others
        made += option.filters(region, parsed_args)
        if option.time and any(option.given(parsed_args)):
            fields.add(option.time)
    if times:
        others.append(unreadable.counting(parsed_args, fields))
    return functools.reduce(
        operator.and_, [*others, *times], filters.EVERYTHING
    )


def newest(
    pages: Iterable[Sequence[Image]], parsed_args: argparse.Namespace
) -> Iterator[Sequence[Image]]:
    """Keep the newest images, if the options say so, page by page."""
    count = getattr(parsed_args, 'newest', None)
    if count is None:
        return iter(pages)
    return selection.Newest(count, parsed_args.group_by).of_pages(pages)
