# SPDX-License-Identifier: Apache-2.0

"""Filters by name."""

import fnmatch
import re

from osc_compute_images.api._options import ListOpts
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.filters._linear_regex import LinearRegex


def name(exact: str) -> Filter:
    """Select images by exact name, with any characters."""
    return Filter(
        lambda image: image.name == exact,
        ListOpts(name=exact).to_image_list_query(),
        brief=True,
        label=f'name({exact!r})',
    )


def name_pattern(glob: str) -> Filter:
    """Select images whose name matches a shell wildcard, ignoring case.

    Images without a name do not match.
    """
    # NOTE: not fnmatch.fnmatch: its case sensitivity depends on the platform.
    matches = re.compile(fnmatch.translate(glob), re.IGNORECASE).match
    return Filter(
        lambda image: image.name is not None and matches(image.name),
        brief=True,
        label=f'name_pattern({glob!r})',
    )


def name_regex(pattern: str) -> Filter:
    """Select images whose name contains a match of a regular expression.

    The syntax is that of Python's :mod:`re`, including ``^``, ``$`` and
    ``(?i)``. The search takes linear time in the length of the name and of
    the pattern. Therefore, backreferences, lookaround, conditions, atomic
    groups and possessive repeats are not supported.

    Images without a name do not match.

    :raises ValueError: if the pattern is invalid, not supported or too large
    """
    search = LinearRegex(pattern).search
    return Filter(
        lambda image: image.name is not None and search(image.name),
        brief=True,
        label=f'name_regex({pattern!r})',
    )
