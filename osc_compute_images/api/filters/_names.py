# SPDX-License-Identifier: Apache-2.0

"""Filters by name."""

import fnmatch
import re

from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.filters._filter import having
from osc_compute_images.api.listing._options import ListOpts

# NOTE: "]" is an ordinary character right after "[", "[!" and "[^".
_BRACKET = r'\[(?P<negation>[!^]?+)(?P<rest>\]?+[^]]*+\])|\['


def name(exact: str) -> Filter:
    """Select images by exact name, with any characters."""
    return Filter(
        lambda image: image.name == exact,
        ListOpts(name=exact).to_image_list_query(),
        brief=True,
        label=f'name({exact!r})',
    )


def name_pattern(glob: str) -> Filter:
    """Select images whose whole name matches a shell wildcard.

    ``*`` matches any text, ``?`` any character, ``[abc]`` one of these, and
    ``[!abc]`` or ``[^abc]`` any other. Other characters match themselves, in
    the same case; ``[*]`` matches an asterisk.

    Images without a name do not match.
    """
    # NOTE: not fnmatch.fnmatch: its case sensitivity depends on the platform.
    matches = re.compile(fnmatch.translate(_as_fnmatch(glob))).match
    return having('name', matches, brief=True, label=f'name_pattern({glob!r})')


def _as_fnmatch(glob: str) -> str:
    """Write a wildcard of a shell for :mod:`fnmatch`, which has no ``[^``."""

    def rewrite(bracket: re.Match[str]) -> str:
        if bracket['rest'] is None:
            return '[[]'
        return f'[{"!" if bracket["negation"] else ""}{bracket["rest"]}'

    return re.sub(_BRACKET, rewrite, glob)


def name_regex(pattern: str) -> Filter:
    """Select images whose name contains a match of a regular expression.

    The syntax is that of the package ``regex`` (its version 0), which includes
    that of Python's :mod:`re`. A search that takes more than a second for one
    name is an :class:`ImagesError`.

    Images without a name do not match.

    :raises ValueError: if the pattern is invalid or too large
    """
    # NOTE: imported here, as it takes long, and only this filter needs it.
    from osc_compute_images.api.filters._regex import searcher

    search = searcher(pattern)
    return having('name', search, brief=True, label=f'name_regex({pattern!r})')
