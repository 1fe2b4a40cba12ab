# SPDX-License-Identifier: Apache-2.0

"""The options that select images, and the choice that they make."""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import functools
import operator
from types import MappingProxyType
from typing import NamedTuple
from typing import TYPE_CHECKING

from osc_lib.i18n import _

from osc_compute_images.commands import _unreadable
from osc_compute_images.commands import _values

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.filters import Filter
    from osc_compute_images.api.usage import Usage
    from osc_compute_images.commands._filter_option import FilterOption

_NO_NAMES: Mapping[str, str] = MappingProxyType({})

#: The options that need the list of servers.
_USAGE_OPTIONS = ('used_by', 'unused', 'orphaned')


#: Filters of the server only, as Compute does not show the visibility.
_VISIBILITIES = {
    'public': _('Select only public images'),
    'private': _('Select only private images'),
    'shared': _('Select only shared images'),
    'community': _('Select only community images, of all projects'),
}


def _options() -> 'Sequence[FilterOption]':
    # NOTE: imported here, as every "openstack" command loads this module.
    from osc_compute_images.commands import _filters

    return _filters.FILTERS


def add_options(parser: 'argparse._ActionsContainer') -> None:
    """Add all options that select images to display."""
    group = parser.add_mutually_exclusive_group()
    for visibility, text in _VISIBILITIES.items():
        group.add_argument(
            f'--{visibility}',
            action='store_const',
            const=visibility,
            dest='visibility',
            help=text,
        )
    add_filters(parser)
    add_newest(parser)


def add_filters(
    parser: 'argparse._ActionsContainer',
    renamed: Mapping[str, str] = _NO_NAMES,
) -> None:
    """Add the filter options.

    :param renamed: other names for options whose name the command itself uses
    """
    for option in _options():
        option.add_to(parser, renamed.get(option.name, option.name))


def add_newest(parser: 'argparse._ActionsContainer') -> None:
    """Add the options that keep the newest of the selected images."""
    parser.add_argument(
        '--newest',
        metavar='<n>',
        nargs='?',
        const=1,
        type=_values.positive_integer,
        help=_(
            'Select only the newest of the images that match, or this many, '
            'in each region'
        ),
    )
    parser.add_argument(
        '--newest-per',
        metavar='<key>[,<key>...]',
        action='extend',
        type=_values.group_keys,
        help=_(
            'Select only the newest of the images that match (or as many as '
            '--newest says) for each value of name, server, type, status or '
            'property:<key> (repeat option to combine keys)'
        ),
    )


def is_given(parsed_args: argparse.Namespace) -> bool:
    """Return whether the user has given any option that selects images."""
    return any(option.is_given(parsed_args) for option in _options())


def selects(parsed_args: argparse.Namespace) -> bool:
    """Return whether an option selects images.

    Options that only exclude images would leave nearly all of them.
    """
    return any(option.selects(parsed_args) for option in _options())


def needs_usage(parsed_args: argparse.Namespace) -> bool:
    """Return whether an option needs the list of servers."""
    return any(getattr(parsed_args, option) for option in _USAGE_OPTIONS)


class Choice(NamedTuple):
    """What the user selects from the images of a region.

    :param where: the filter
    :param newest: number of images to keep of each group, or None for all
    :param per: keys of the groups
    :param usage: the usage of images, if an option needs it
    """

    where: 'Filter'
    newest: int | None
    per: Sequence[str]
    usage: 'Usage | None'

    def keep_newest(
        self, pages: 'Iterable[Sequence[Image]]'
    ) -> 'Iterator[Sequence[Image]]':
        """Keep the newest images that match the filter, page by page."""
        if self.newest is None:
            return iter(pages)
        from osc_compute_images.api import selection

        return selection.newest_of_pages(pages, self.newest, per=self.per)


def choice(
    api: 'ImagesAPI',
    parsed_args: argparse.Namespace,
    *,
    with_usage: bool = False,
    usage: 'Callable[[], Usage] | None' = None,
) -> Choice:
    """Combine the options into a choice of the images of a region.

    :param with_usage: whether the usage is needed in any case
    :param usage: determines the usage, instead of two listings
    :raises ImagesError: if a server or flavor is not found
    """
    from osc_compute_images.commands._filter_option import Region

    region = Region(api, usage)
    others: list[Filter] = []
    times: list[Filter] = []
    for option in _options():
        made = times if option.time else others
        made += option.filters(region, parsed_args)
    if times:
        fields = {
            option.time
            for option in _options()
            if option.time and option.is_given(parsed_args)
        }
        others.append(_unreadable.counting(parsed_args, fields))
    where = functools.reduce(
        operator.and_, [*others, *times], region.filters.EVERYTHING
    )
    per = getattr(parsed_args, 'newest_per', None) or ()
    newest = getattr(parsed_args, 'newest', None)
    return Choice(
        where,
        newest or (1 if per else None),
        per,
        region.usage if with_usage or needs_usage(parsed_args) else None,
    )
