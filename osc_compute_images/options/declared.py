# SPDX-License-Identifier: Apache-2.0

"""All options that filter images, each declared once, for all commands."""

from typing import TYPE_CHECKING

from osc_compute_images.options import amounts
from osc_compute_images.options import parsers
from osc_compute_images.options.filter_option import FilterGroup
from osc_compute_images.options.filter_option import FilterOption

if TYPE_CHECKING:
    from osc_compute_images.api.filters import Filter
    from osc_compute_images.options.choice import Region


def _property(
    region: 'Region', choice: tuple[str, str | None, bool]
) -> 'Filter':
    key, value, wanted = choice
    chosen: Filter = (
        region.filters.has_property(key)
        if value is None
        else region.filters.property_is(key, value)
    )
    return chosen if wanted else ~chosen


_BY_NAME = (
    FilterOption(
        'name',
        '<name>',
        'Select images with this exact name',
        lambda region, value: region.filters.name(value),
        negative='Exclude images with this exact name',
    ),
    FilterOption(
        'name-pattern',
        '<glob>',
        'Select images whose name matches this shell wildcard, such as '
        '"ubuntu-2?.04" or "[!a-z]*"',
        lambda region, value: region.filters.name_pattern(value),
        negative='Exclude images whose name matches this shell wildcard',
    ),
    FilterOption(
        'name-regex',
        '<regex>',
        'Select images whose name contains a match of this regular '
        "expression (in Python's syntax), such as "
        '"^ubuntu-.*-[0-9]{8}$"',
        lambda region, value: region.filters.name_regex(value),
        type=parsers.regular_expression,
        negative='Exclude images whose name contains a match of this regular '
        'expression',
    ),
    FilterOption(
        'status',
        '<status>',
        'Select images with this status: ACTIVE, SAVING, ERROR, DELETED '
        'or UNKNOWN, in upper or lower case',
        lambda region, value: region.filters.status(value),
        type=parsers.status,
    ),
    FilterOption(
        'type',
        '<type>',
        'Select images of this type: "snapshot", "backup" or another '
        'value of their property image_type; "base" for images without '
        'that property, "server" for images that were taken from a '
        'server, "volume" for snapshots of servers that boot from a '
        'volume, "all" for all images',
        lambda region, value: region.filters.image_type(value),
    ),
)

_BY_NUMBER = (
    FilterOption(
        'created-after',
        '<time>',
        'Select images that were created at this time or later: a time '
        'in ISO 8601 (2026-11-23T16:11:28Z or 2026-11-23, in UTC unless '
        'it has a zone), or an age, such as 90min, 24h, 7d, 2w or 1y',
        lambda region, value: region.filters.created_after(value),
        type=parsers.time_or_age,
        is_range=True,
        time='created',
    ),
    FilterOption(
        'created-before',
        '<time>',
        'Select images that were created before this time, as for '
        '--created-after',
        lambda region, value: region.filters.created_before(value),
        type=parsers.time_or_age,
        is_range=True,
        time='created',
    ),
    FilterOption(
        'changes-since',
        '<time>',
        'Select images that were last changed at this time or later, as '
        'for --created-after',
        lambda region, value: region.filters.changes_since(value),
        type=parsers.time_or_age,
        is_range=True,
        time='updated',
    ),
    FilterOption(
        'changes-before',
        '<time>',
        'Select images that were last changed before this time, as for '
        '--created-after',
        lambda region, value: region.filters.changes_before(value),
        type=parsers.time_or_age,
        is_range=True,
        time='updated',
    ),
    FilterOption(
        'min-disk',
        '<disk-gb>',
        'Select images by their minimum disk in GB: equal to ("10"), at '
        'least (">=10"), at most ("<=10"), more than (">10") or less '
        'than ("<10") this value',
        lambda region, value: region.filters.min_disk(**value),
        type=amounts.comparison,
        is_range=True,
    ),
    FilterOption(
        'min-ram',
        '<ram-mb>',
        'Select images by their minimum memory in MB, compared as for '
        '--min-disk',
        lambda region, value: region.filters.min_ram(**value),
        type=amounts.comparison,
        is_range=True,
    ),
    FilterOption(
        'size',
        '<size>',
        'Select images by their size, compared as for --min-disk: in '
        'bytes, or with a unit (">=10GB", "<500MiB")',
        lambda region, value: region.filters.size(**value),
        type=amounts.size,
        is_range=True,
    ),
    FilterOption(
        'property',
        '<key>[=<value>]',
        'Select images with this property, and with this value, as '
        'displayed, if one is given; "key!=value" excludes them instead',
        _property,
        type=parsers.property_choice,
        is_range=True,
        excludes=lambda choice: not choice[2],
    ),
)

_BY_USE = (
    FilterOption(
        'flavor',
        '<flavor>',
        'Select active images that a server of this flavor (name or ID) '
        'can boot, by its memory and disk',
        lambda region, value: region.filters.boots_on(
            region.api.find_flavor(value)
        ),
    ),
    FilterOption(
        'server',
        '<server>',
        'Select images that were taken from this server (name, ID or '
        'URL; for a deleted server its ID)',
        lambda region, value: region.server(value),
    ),
    FilterOption(
        'used-by',
        '<server>',
        'Select images that this server (name, ID or URL) was booted '
        'from, or is stored in while it is shelved',
        lambda region, value: region.usage.in_use_by(
            region.api.find_server_id(value)
        ),
    ),
    FilterOption(
        'unused',
        None,
        'Select images that nothing is known to use: no server, and no '
        'other image. Uses that Compute does not report are listed on '
        'stderr',
        lambda region, _value: region.usage.unused(),
    ),
    FilterOption(
        'orphaned',
        None,
        'Select images that were taken from a server that was deleted',
        lambda region, _value: region.usage.orphaned(),
    ),
)

#: All filter options, in the groups and the order of the help. Those that need
#: requests come last, so that other errors come before these requests.
GROUPS = (
    FilterGroup(
        'select by name, status and type',
        'If an option is repeated, an image must match one of its values.',
        _BY_NAME,
    ),
    FilterGroup(
        'select by time, size and properties',
        'If an option is repeated, an image must match all of its values.',
        _BY_NUMBER,
    ),
    FilterGroup(
        'select by flavor, server and use',
        'If an option is repeated, an image must match one of its values.',
        _BY_USE,
    ),
)

#: All filter options.
FILTERS = tuple(option for group in GROUPS for option in group.options)
