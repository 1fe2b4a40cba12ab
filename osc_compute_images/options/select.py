# SPDX-License-Identifier: Apache-2.0

"""The options that select images, and the choice that they make."""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import functools
import operator
from typing import NamedTuple
from typing import TYPE_CHECKING

from osc_compute_images import base
from osc_compute_images.options import parsers
from osc_compute_images.options import unreadable

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.changes.usage import Usage
    from osc_compute_images.api.filters import Filter
    from osc_compute_images.options.filter_option import FilterOption

#: The options that need the list of servers.
_USAGE_OPTIONS = ('used_by', 'unused', 'orphaned')


#: Filters of the server only, as Compute does not show the visibility.
_VISIBILITIES = {
    'public': 'Select only public images',
    'private': 'Select only private images',
    'shared': 'Select only shared images',
    'community': 'Select only community images, of all projects',
}


def _options() -> 'Sequence[FilterOption]':
    # NOTE: imported here, as every "openstack" command loads this module.
    from osc_compute_images.options import declared

    return declared.FILTERS


def add_options(parser: argparse.ArgumentParser, group_by: str) -> None:
    """Add all options that select images to display.

    :param group_by: help of the option for the keys of groups
    """
    group = parser.add_argument_group(
        'select by visibility'
    ).add_mutually_exclusive_group()
    for visibility, text in _VISIBILITIES.items():
        group.add_argument(
            f'--{visibility}',
            action='store_const',
            const=visibility,
            dest='visibility',
            help=text,
        )
    add_filters(parser)
    add_accept_gaps(parser)
    add_newest(parser, group_by)


def add_filters(parser: argparse.ArgumentParser, prefix: str = '') -> None:
    """Add the filter options.

    :param prefix: of their names, where the names mean something else
    """
    # NOTE: imported here, as every "openstack" command loads this module.
    from osc_compute_images.options import declared

    for group in declared.GROUPS:
        group.add_to(parser, prefix)


def add_accept_gaps(parser: argparse.ArgumentParser) -> None:
    """Add the option that accepts gaps of the list of servers."""
    parser.add_argument(
        '--accept-gaps',
        action='store_true',
        help='Go on if servers, which may use any image, cannot be read, such '
        'as those of a cell that is down. The snapshots of these servers '
        'are kept all the same',
    )


def add_all(parser: argparse.ArgumentParser) -> None:
    """Add the option that selects all images."""
    parser.add_argument(
        '--all',
        action='store_true',
        help='Select all images that the filters do not exclude',
    )


def add_include_used(parser: argparse.ArgumentParser) -> None:
    """Add the option that also deletes used images."""
    parser.add_argument(
        '--include-used',
        action='store_true',
        help='Also delete selected images that servers were booted from, or '
        'that other images need. Images that servers are, or may be, '
        'stored in are kept',
    )


def add_newest(parser: argparse.ArgumentParser, group_by: str) -> None:
    """Add the options that keep the newest of the selected images.

    :param group_by: help of the option for the keys of groups
    """
    group = parser.add_argument_group('newest and groups')
    group.add_argument(
        '--group-by',
        metavar='<key>[,<key>...]',
        action='extend',
        type=parsers.group_keys,
        default=[],
        help=group_by,
    )
    group.add_argument(
        '--newest',
        metavar='<n>',
        nargs='?',
        const=1,
        type=parsers.positive_integer,
        help='Select only the newest of the images that match, or this many, '
        'in each region or group',
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


def check_chosen(parsed_args: argparse.Namespace) -> None:
    """Check that options select images, or --all is given.

    :raises UsageError: otherwise
    """
    if parsed_args.all or selects(parsed_args):
        return
    if is_given(parsed_args):
        raise base.UsageError(
            'No images selected: options that only exclude images need --all'
        )
    raise base.UsageError(
        'No images selected: give names or IDs, filter options, or --all'
    )


class Choice(NamedTuple):
    """What the user selects from the images of a region.

    :param where: the filter
    :param newest: number of images to keep of each group, or None for all
    :param group_by: keys of the groups
    """

    where: 'Filter'
    newest: int | None
    group_by: Sequence[str]

    def keep_newest(
        self, pages: 'Iterable[Sequence[Image]]'
    ) -> 'Iterator[Sequence[Image]]':
        """Keep the newest images that match the filter, page by page."""
        if self.newest is None:
            return iter(pages)
        from osc_compute_images.api.groups import selection

        return selection._newest_of_pages(
            pages, self.newest, group_by=self.group_by
        )


def choice(
    api: 'ImagesAPI',
    parsed_args: argparse.Namespace,
    usage: 'Callable[[], Usage] | None' = None,
) -> Choice:
    """Combine the options into a choice of the images of a region.

    :param usage: determines the usage of images, when an option needs it;
        without it, these options are left out
    :raises ImagesError: if a server or flavor is not found
    :raises GapsFound: if the usage has gaps, and an option needs it
    """
    where = _combined(
        api,
        parsed_args,
        usage,
        (
            option
            for option in _options()
            if usage is not None or option.dest not in _USAGE_OPTIONS
        ),
    )
    newest = getattr(parsed_args, 'newest', None)
    return Choice(where, newest, getattr(parsed_args, 'group_by', ()))


def usage_filter(
    api: 'ImagesAPI', parsed_args: argparse.Namespace, usage: 'Usage'
) -> 'Filter':
    """Return the filter of those options that need the usage of images."""
    options = (o for o in _options() if o.dest in _USAGE_OPTIONS)
    return _combined(api, parsed_args, lambda: usage, options)


def _combined(
    api: 'ImagesAPI',
    parsed_args: argparse.Namespace,
    usage: 'Callable[[], Usage] | None',
    options: 'Iterable[FilterOption]',
) -> 'Filter':
    from osc_compute_images.options.filter_option import Region

    region = Region(api, usage)
    others: list[Filter] = []
    times: list[Filter] = []
    fields = set()
    for option in options:
        made = times if option.time else others
        made += option.filters(region, parsed_args)
        if option.time and option.is_given(parsed_args):
            fields.add(option.time)
    if times:
        others.append(unreadable.counting(parsed_args, fields))
    everything: Filter = region.filters.EVERYTHING
    return functools.reduce(operator.and_, [*others, *times], everything)
