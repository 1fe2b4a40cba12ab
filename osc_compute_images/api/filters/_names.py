# SPDX-License-Identifier: Apache-2.0

"""Filters by name."""

import fnmatch
import re

from osc_compute_images.api._options import ListOpts
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.filters._linear_regex import LinearRegex


def name(exact: str) -> Filter:
    """Choose images by their exact name, whatever characters it has."""
    return Filter(
        lambda image: image.name == exact,
        ListOpts(name=exact).to_image_list_query(),
        brief=True,
        label=f'name({exact!r})',
    )


def name_pattern(glob: str) -> Filter:
    """Choose images by a shell wildcard for their name, in any case.

    An image without a name matches no pattern.
    """
    # NOTE: not fnmatch.fnmatch, whose case depends on the platform.
    matches = re.compile(fnmatch.translate(glob), re.IGNORECASE).match
    return Filter(
        lambda image: image.name is not None and matches(image.name),
        brief=True,
        label=f'name_pattern({glob!r})',
    )


def name_regex(pattern: str) -> Filter:
    """Choose images by a regular expression, searched in their name.

    The syntax is that of Python's :mod:`re`; ``^``, ``$`` and ``(?i)`` have
    their meaning there. The time that a search takes grows with the name and
    the pattern, and no more than linearly with either, whatever they are.
    For that, backreferences, lookaround, conditions, atomic groups and
    possessive repeats are refused.

    An image without a name matches no pattern.

    :raises ValueError: if the pattern is wrong, refused or too large
    """
    search = LinearRegex(pattern).search
    return Filter(
        lambda image: image.name is not None and search(image.name),
        brief=True,
        label=f'name_regex({pattern!r})',
    )
