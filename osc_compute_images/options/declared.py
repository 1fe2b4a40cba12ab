# SPDX-License-Identifier: Apache-2.0

"""All options that filter images, each declared once, for all commands."""

from osc_compute_images.options import parsers
from osc_compute_images.options.filter_option import FilterOption


def _by_time(name: str, text: str, field: str) -> FilterOption:
    return FilterOption(
        name,
        '<time>',
        text,
        type=parsers.time_or_age,
        is_range=True,
        time=field,
    )


#: All filter options, in the groups of the help, each with its title and
#: description. Those that need requests come last, so that other errors come
#: before these requests.
GROUPS = (
    (
        'name',
        (
            'An image must match each option, and one value of an option that '
            'is repeated; of times, numbers, sizes and properties, all values.'
        ),
        (
            FilterOption(
                'name',
                '<name>',
                'Select images with this name',
                negative='Exclude images with this name',
            ),
            FilterOption(
                'name-pattern',
                '<glob>',
                'Select names that match this shell wildcard, such as '
                '"ubuntu-2?.04" or "[!a-z]*"',
                negative='Exclude names that match it',
            ),
            FilterOption(
                'name-regex',
                '<regex>',
                'Select names that contain a match of this regular '
                "expression (in Python's syntax)",
                type=parsers.regular_expression,
                negative='Exclude names that contain a match',
            ),
        ),
    ),
    (
        'state and age',
        (
            'A <time> is in ISO 8601 (2026-11-23T16:11:28Z or 2026-11-23; in '
            'UTC unless it has a zone), or an age (90min, 24h, 7d, 2w or 1y).'
        ),
        (
            FilterOption(
                'status',
                '<status>',
                'Select images with this status: ACTIVE, SAVING, ERROR, '
                'DELETED or UNKNOWN',
                type=parsers.status,
            ),
            FilterOption(
                'type',
                '<type>',
                'Select by the property image_type: "snapshot", "backup" or '
                'another value; "base" is none. Also "server" (taken from '
                'one), "volume" (of a server that boots from one), "all"',
            ),
            _by_time(
                'created-after',
                'Select images created at this time or later',
                'created',
            ),
            _by_time(
                'created-before',
                'Select images created before this time',
                'created',
            ),
            _by_time(
                'changes-since',
                'Select images last changed at this time or later',
                'updated',
            ),
            _by_time(
                'changes-before',
                'Select images last changed before this time',
                'updated',
            ),
        ),
    ),
    (
        'size and properties',
        (
            'Compare with "10", ">=10", "<=10", ">10" or "<500MiB"; sizes are '
            'in bytes, or have a unit.'
        ),
        (
            FilterOption(
                'min-disk',
                '<disk-gb>',
                'Select images by their minimum disk in GB',
                type=parsers.comparison,
                is_range=True,
            ),
            FilterOption(
                'min-ram',
                '<ram-mb>',
                'Select images by their minimum memory in MB',
                type=parsers.comparison,
                is_range=True,
            ),
            FilterOption(
                'size',
                '<size>',
                'Select images by their size',
                type=parsers.size,
                is_range=True,
            ),
            FilterOption(
                'property',
                '<key>[=<value>]',
                'Select images with this property, and this value; '
                '"key!=value" excludes them',
                type=parsers.property_choice,
                is_range=True,
                excludes=lambda choice: not choice[2],
            ),
        ),
    ),
    (
        'use',
        None,
        (
            FilterOption(
                'flavor',
                '<flavor>',
                'Select active images that this flavor can boot',
            ),
            FilterOption(
                'server',
                '<server>',
                'Select images taken from this server (name, ID or URL; the '
                'ID of a deleted one)',
            ),
            FilterOption(
                'used-by',
                '<server>',
                'Select images that this server was booted from, or is '
                'stored in while shelved',
            ),
            FilterOption(
                'unused',
                None,
                'Select images that no server or other image is known to '
                'use; stderr tells what is not known',
            ),
            FilterOption(
                'orphaned',
                None,
                'Select images whose server was deleted',
            ),
        ),
    ),
)

#: All filter options.
FILTERS = [option for _, _, options in GROUPS for option in options]
