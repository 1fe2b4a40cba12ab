# SPDX-License-Identifier: Apache-2.0

"""What the options choose from the images of a region."""

import argparse
from collections.abc import Callable
from collections.abc import Iterator
import functools
import operator
from typing import Any

from osc_compute_images.api import filters
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api import ServerNotFound
from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.api.filters import Filter
from osc_compute_images.options import declared
from osc_compute_images.options import select
from osc_compute_images.options import unreadable
from osc_compute_images.options.filter_option import FilterOption


class Makers:
    """Makes filters from values, in a region.

    Each public method does for the option of its name. For an option without
    one, the function of :mod:`osc_compute_images.api.filters` does.

    :param get_usage: determines the usage of images, for options that need it
    """

    def __init__(
        self, api: ImagesAPI, get_usage: Callable[[], Usage] | None
    ) -> None:
        self._api = api
        self._get_usage = get_usage

    def _usage(self) -> Usage:
        assert self._get_usage is not None  # noqa: S101
        return self._get_usage()

    def type(self, value: str) -> Filter:
        return filters.image_type(value)

    def property(self, choice: tuple[str, str | None, bool]) -> Filter:
        key, value, wanted = choice
        chosen: Filter = (
            filters.has_property(key)
            if value is None
            else filters.property_is(key, value)
        )
        return chosen if wanted else ~chosen

    def flavor(self, name_or_id: str) -> Filter:
        return filters.boots_on(self._api.find_flavor(name_or_id))

    def server(self, name_id_or_url: str) -> Filter:
        """Return a filter of the images that were taken from a server.

        :raises ServerNotFound: if nothing is known of it
        """
        server_id = self._api.find_server_id(name_id_or_url)
        chosen = filters.server(server_id)
        if server_id not in name_id_or_url:
            # A name or another form of the ID was found.
            return chosen
        try:
            if self._api.server(server_id) is not None:
                return chosen
        except ImagesError:
            # Its cell may be down.
            return chosen
        if not any(self._api.list_detail(where=chosen, max_items=1)):
            raise ServerNotFound(
                f'No server has the ID {server_id}, and no image was taken '
                f'from it'
            )
        return chosen

    def used_by(self, name_id_or_url: str) -> Filter:
        server_id = self._api.find_server_id(name_id_or_url)
        return self._usage().in_use_by(server_id)

    def unused(self, _value: bool) -> Filter:
        return self._usage().unused()

    def orphaned(self, _value: bool) -> Filter:
        return self._usage().orphaned()

    def _make(self, option: FilterOption, value: Any) -> Filter:
        make: Callable[..., Filter] = getattr(
            self, option.dest, None
        ) or getattr(filters, option.dest)
        return make(**value) if isinstance(value, dict) else make(value)

    def filters_of(
        self, option: FilterOption, parsed_args: argparse.Namespace
    ) -> Iterator[Filter]:
        """Yield the filters that an image must match."""
        values, negated = option.given(parsed_args)
        made = [self._make(option, value) for value in values]
        if made and not option.is_range:
            made = [functools.reduce(operator.or_, made)]
        yield from made
        for value in negated:
            yield ~self._make(option, value)


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
    makers = Makers(api, get_usage)
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
        made += makers.filters_of(option, parsed_args)
        if option.time and any(option.given(parsed_args)):
            fields.add(option.time)
    if times:
        others.append(unreadable.counting(parsed_args, fields))
    return functools.reduce(
        operator.and_, [*others, *times], filters.EVERYTHING
    )
