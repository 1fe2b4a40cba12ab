# SPDX-License-Identifier: Apache-2.0

"""The options that select images, and their filters.

Each filter is declared once, in :data:`FILTERS`, for all commands.
"""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import functools
import operator
from types import MappingProxyType
from types import ModuleType
from typing import Any
from typing import NamedTuple
from typing import TYPE_CHECKING

from osc_lib.i18n import _

from osc_compute_images.commands import _values

if TYPE_CHECKING:
    from osc_compute_images.api import Image
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.filters import Filter
    from osc_compute_images.api.usage import Usage


_NO_NAMES: Mapping[str, str] = MappingProxyType({})


class _Region:
    """What filters are made from: the API of a region, and its usage.

    :param usage: determines the usage of images, when it is needed
    :ivar filters: the module :mod:`osc_compute_images.api.filters`
    """

    def __init__(
        self, api: 'ImagesAPI', usage: 'Callable[[], Usage] | None'
    ) -> None:
        from osc_compute_images.api import filters

        self.api = api
        self.filters: ModuleType = filters
        self._usage = usage or api.usage

    @functools.cached_property
    def usage(self) -> 'Usage':
        return self._usage()


class _Option(NamedTuple):
    """An option that filters.

    :param name: without the dashes
    :param metavar: None if it has no value
    :param help: of the option
    :param make: makes the filter, given the region and a value
    :param type: parses a value
    :param is_range: whether an image must match all values if the option is
        repeated; otherwise any of them
    :param negative: help of the option ``--not-...``, if there is one
    """

    name: str
    metavar: str | None
    help: str
    make: Callable[[_Region, Any], 'Filter']
    type: Callable[[str], Any] = str
    is_range: bool = False
    negative: str | None = None

    @property
    def dest(self) -> str:
        return self.name.replace('-', '_')

    def add_to(self, parser: 'argparse._ActionsContainer', name: str) -> None:
        """Add the option, under this name."""
        if self.metavar is None:
            parser.add_argument(
                f'--{name}',
                action='append_const',
                const=True,
                dest=self.dest,
                help=self.help,
            )
            return
        for prefix, text in (('', self.help), ('not-', self.negative)):
            if text is not None:
                parser.add_argument(
                    f'--{prefix}{name}',
                    metavar=self.metavar,
                    action='append',
                    type=self.type,
                    dest=f'{prefix}{self.dest}'.replace('-', '_'),
                    help=text,
                )

    def is_given(self, parsed_args: argparse.Namespace) -> bool:
        """Return whether the user has given the option."""
        return bool(
            getattr(parsed_args, self.dest)
            or getattr(parsed_args, f'not_{self.dest}', None)
        )

    def filters(
        self, region: _Region, parsed_args: argparse.Namespace
    ) -> 'Iterator[Filter]':
        """Yield the filters that an image must match."""
        values = getattr(parsed_args, self.dest) or ()
        made = [self.make(region, value) for value in values]
        if made and not self.is_range:
            made = [functools.reduce(operator.or_, made)]
        yield from made
        for value in getattr(parsed_args, f'not_{self.dest}', None) or ():
            yield ~self.make(region, value)


def _property(
    region: _Region, choice: tuple[str, str | None, bool]
) -> 'Filter':
    key, value, wanted = choice
    chosen: Filter = (
        region.filters.has_property(key)
        if value is None
        else region.filters.property_is(key, value)
    )
    return chosen if wanted else ~chosen


_TIME = _(
    'in ISO 8601 (2026-11-23T16:11:28Z or 2026-11-23; a time without a zone '
    'is UTC), or as an age (90m, 24h, 7d, 2w, 1y)'
)

#: All filter options, in the order of the help. Those that need requests come
#: last, so that other errors come before these requests.
FILTERS = (
    _Option(
        'name',
        '<name>',
        _('Select images with this exact name'),
        lambda region, value: region.filters.name(value),
        negative=_('Exclude images with this exact name'),
    ),
    _Option(
        'name-pattern',
        '<glob>',
        _(
            'Select images whose name matches this shell wildcard, such as '
            '"ubuntu-2?.04", in upper or lower case'
        ),
        lambda region, value: region.filters.name_pattern(value),
        negative=_('Exclude images whose name matches this shell wildcard'),
    ),
    _Option(
        'name-regex',
        '<regex>',
        _(
            'Select images whose name contains a match of this regular '
            "expression (in Python's syntax), such as "
            '"^ubuntu-.*-[0-9]{8}$"'
        ),
        lambda region, value: region.filters.name_regex(value),
        type=_values.regular_expression,
        negative=_(
            'Exclude images whose name contains a match of this regular '
            'expression'
        ),
    ),
    _Option(
        'status',
        '<status>',
        _(
            'Select images with this status: ACTIVE, SAVING, ERROR, DELETED '
            'or UNKNOWN, in upper or lower case'
        ),
        lambda region, value: region.filters.status(value),
        type=_values.status,
    ),
    _Option(
        'type',
        '<type>',
        _(
            'Select images of this type: "snapshot", "backup" or another '
            'value of their property image_type; "base" for images without '
            'that property, "server" for images that were taken from a '
            'server, "volume" for snapshots of servers that boot from a '
            'volume, "all" for all images'
        ),
        lambda region, value: region.filters.image_type(value),
    ),
    _Option(
        'created-after',
        '<time>',
        _('Select images that were created at this time or later, ') + _TIME,
        lambda region, value: region.filters.created_after(value),
        type=_values.time_or_age,
        is_range=True,
    ),
    _Option(
        'created-before',
        '<time>',
        _('Select images that were created before this time, ') + _TIME,
        lambda region, value: region.filters.created_before(value),
        type=_values.time_or_age,
        is_range=True,
    ),
    _Option(
        'changes-since',
        '<time>',
        _('Select images that were last changed at this time or later, ')
        + _TIME,
        lambda region, value: region.filters.changes_since(value),
        type=_values.time_or_age,
        is_range=True,
    ),
    _Option(
        'changes-before',
        '<time>',
        _('Select images that were last changed before this time, ') + _TIME,
        lambda region, value: region.filters.changes_before(value),
        type=_values.time_or_age,
        is_range=True,
    ),
    _Option(
        'min-disk',
        '<disk-gb>',
        _(
            'Select images by their minimum disk in GB: equal to ("10"), at '
            'least (">=10"), at most ("<=10"), more than (">10") or less '
            'than ("<10") this value'
        ),
        lambda region, value: region.filters.min_disk(**value),
        type=_values.comparison,
        is_range=True,
    ),
    _Option(
        'min-ram',
        '<ram-mb>',
        _(
            'Select images by their minimum memory in MB: equal to ("512"), '
            'at least (">=512"), at most ("<=512"), more than (">512") or '
            'less than ("<512") this value'
        ),
        lambda region, value: region.filters.min_ram(**value),
        type=_values.comparison,
        is_range=True,
    ),
    _Option(
        'size',
        '<size>',
        _(
            'Select images by their size, compared as for --min-disk: in '
            'bytes, or with a unit (">=10GB", "<500MiB")'
        ),
        lambda region, value: region.filters.size(**value),
        type=_values.size,
        is_range=True,
    ),
    _Option(
        'property',
        '<key>[=<value>]',
        _(
            'Select images with this property, and with this value, as '
            'displayed, if one is given; "key!=value" selects images with '
            'another value or without the property (repeat option to filter '
            'on multiple properties)'
        ),
        _property,
        type=_values.property_choice,
        is_range=True,
    ),
    _Option(
        'flavor',
        '<flavor>',
        _(
            'Select active images that a server of this flavor (name or ID) '
            'can boot: the flavor has their minimum memory and disk, and '
            'its disk holds their size. The disk is not checked for flavors '
            'without a disk and for snapshots of volumes, whose servers boot '
            'from a volume'
        ),
        lambda region, value: region.filters.boots_on(
            region.api.find_flavor(value)
        ),
    ),
    _Option(
        'server',
        '<server>',
        _(
            'Select images that were taken from this server (name, ID or '
            'URL; for a deleted server its ID)'
        ),
        lambda region, value: region.filters.server(
            region.api.find_server_id(value)
        ),
    ),
    _Option(
        'used-by',
        '<server>',
        _(
            'Select images that this server (name, ID or URL) was booted '
            'from, or is stored in while it is shelved'
        ),
        lambda region, value: region.usage.in_use_by(
            region.api.find_server_id(value)
        ),
    ),
    _Option(
        'unused',
        None,
        _(
            'Select images that nothing is known to use: no server was '
            'booted from them or is shelved in them, and they are not the '
            'kernel or ramdisk of another image. Uses that Compute does not '
            'report are listed on stderr'
        ),
        lambda region, _value: region.usage.unused(),
    ),
    _Option(
        'orphaned',
        None,
        _('Select images that were taken from a server that was deleted'),
        lambda region, _value: region.usage.orphaned(),
    ),
)

#: The options that need the list of servers.
_USAGE_OPTIONS = ('used_by', 'unused', 'orphaned')


#: Filters of the server only, as Compute does not show the visibility.
_VISIBILITIES = {
    'public': _('List only public images'),
    'private': _('List only private images'),
    'shared': _('List only shared images'),
    'community': _('List only community images, of all projects'),
}


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
    for option in FILTERS:
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
            'Keep only the newest of the selected images, or this many, in '
            'each region'
        ),
    )
    parser.add_argument(
        '--newest-per',
        metavar='<key>[,<key>...]',
        action='extend',
        type=_values.group_keys,
        help=_(
            'Keep only the newest of the selected images (or as many as '
            '--newest says) for each value of name, server, type, status or '
            'property:<key>'
        ),
    )


def is_given(parsed_args: argparse.Namespace) -> bool:
    """Return whether the user has given any option that selects images."""
    return any(option.is_given(parsed_args) for option in FILTERS) or any(
        getattr(parsed_args, option, None)
        for option in ('newest', 'newest_per')
    )


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
    region = _Region(api, usage)
    where = region.filters.EVERYTHING
    for option in FILTERS:
        for one in option.filters(region, parsed_args):
            where &= one
    per = getattr(parsed_args, 'newest_per', None) or ()
    newest = getattr(parsed_args, 'newest', None)
    return Choice(
        where,
        newest or (1 if per else None),
        per,
        region.usage if with_usage or needs_usage(parsed_args) else None,
    )
