# SPDX-License-Identifier: Apache-2.0

"""All options that filter images, each declared once, for all commands."""

from typing import TYPE_CHECKING

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
        'Select images with this name',
        lambda region, value: region.filters.name(value),
        negative='Exclude images with this name',
    ),
    FilterOption(
        'name-pattern',
        '<glob>',
        'Select names that match this shell wildcard, such as '
        '"ubuntu-2?.04" or "[!a-z]*"',
        lambda region, value: region.filters.name_pattern(value),
        negative='Exclude names that match it',
    ),
    FilterOption(
        'name-regex',
        '<regex>',
        'Select names that contain a match of this regular expression (in '
        "Python's syntax)",
        lambda region, value: region.filters.name_regex(value),
        type=parsers.regular_expression,
        negative='Exclude names that contain a match',
    ),
)

_BY_STATE = (
    FilterOption(
        'status',
        '<status>',
        'Select images with this status: ACTIVE, SAVING, ERROR, DELETED '
        'or UNKNOWN',
        lambda region, value: region.filters.status(value),
        type=parsers.status,
    ),
    FilterOption(
        'type',
        '<type>',
        'Select by the property image_type: "snapshot", "backup" or '
        'another value; "base" is none. Also "server" (taken from one), '
        '"volume" (of a server that boots from one), "all"',
        lambda region, value: region.filters.image_type(value),
    ),
    FilterOption(
        'created-after',
        '<time>',
        'Select images created at this time or later',
        lambda region, value: region.filters.created_after(value),
        type=parsers.time_or_age,
        is_range=True,
        time='created',
    ),
    FilterOption(
        'created-before',
        '<time>',
        'Select images created before this time',
        lambda region, value: region.filters.created_before(value),
        type=parsers.time_or_age,
        is_range=True,
        time='created',
    ),
    FilterOption(
        'changes-since',
        '<time>',
        'Select images last changed at this time or later',
        lambda region, value: region.filters.changes_since(value),
        type=parsers.time_or_age,
        is_range=True,
        time='updated',
    ),
    FilterOption(
        'changes-before',
        '<time>',
        'Select images last changed before this time',
        lambda region, value: region.filters.changes_before(value),
        type=parsers.time_or_age,
        is_range=True,
        time='updated',
    ),
)

_BY_SIZE = (
    FilterOption(
        'min-disk',
        '<disk-gb>',
        'Select images by their minimum disk in GB',
        lambda region, value: region.filters.min_disk(**value),
        type=parsers.comparison,
        is_range=True,
    ),
    FilterOption(
        'min-ram',
        '<ram-mb>',
        'Select images by their minimum memory in MB',
        lambda region, value: region.filters.min_ram(**value),
        type=parsers.comparison,
        is_range=True,
    ),
    FilterOption(
        'size',
        '<size>',
        'Select images by their size',
        lambda region, value: region.filters.size(**value),
        type=parsers.size,
        is_range=True,
    ),
    FilterOption(
        'property',
        '<key>[=<value>]',
        'Select images with this property, and this value; "key!=value" '
        'excludes them',
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
        'Select active images that this flavor can boot',
        lambda region, value: region.filters.boots_on(
            region.api.find_flavor(value)
        ),
    ),
    FilterOption(
        'server',
        '<server>',
        'Select images taken from this server (name, ID or URL; the ID '
        'of a deleted one)',
        lambda region, value: region.server(value),
    ),
    FilterOption(
        'used-by',
        '<server>',
        'Select images that this server was booted from, or is stored in '
        'while shelved',
        lambda region, value: region.usage.in_use_by(
            region.api.find_server_id(value)
        ),
    ),
    FilterOption(
        'unused',
        None,
        'Select images that no server or other image is known to use; '
        'stderr tells what is not known',
        lambda region, _value: region.usage.unused(),
    ),
    FilterOption(
        'orphaned',
        None,
        'Select images whose server was deleted',
        lambda region, _value: region.usage.orphaned(),
    ),
)

#: All filter options, in the groups and the order of the help. Those that need
#: requests come last, so that other errors come before these requests.
GROUPS = (
    FilterGroup(
        'name',
        'An image must match each option, and one value of an option that is '
        'repeated; of times, numbers, sizes and properties, all values.',
        _BY_NAME,
    ),
    FilterGroup(
        'state and age',
        'A <time> is in ISO 8601 (2026-11-23T16:11:28Z or 2026-11-23; in UTC '
        'unless it has a zone), or an age (90min, 24h, 7d, 2w or 1y).',
        _BY_STATE,
    ),
    FilterGroup(
        'size and properties',
        'Compare with "10", ">=10", "<=10", ">10" or "<500MiB"; sizes are in '
        'bytes, or have a unit.',
        _BY_SIZE,
    ),
    FilterGroup('use', None, _BY_USE),
)

#: All filter options.
FILTERS = tuple(option for group in GROUPS for option in group.options)
