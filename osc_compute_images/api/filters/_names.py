# SPDX-License-Identifier: Apache-2.0

"""Filters by name.

The search for a regular expression ends: Python's own engine backtracks
without a limit, so ``(a+)+$`` takes years for some 40 letters, and anybody can
choose the name of an image.
"""

import fnmatch
import math
import re

from osc_compute_images.api._errors import ImagesError
from osc_compute_images.api.filters._filter import Filter
from osc_compute_images.api.filters._filter import having
from osc_compute_images.api.listing._options import ListOpts

#: Seconds of CPU time to search one name.
MAX_SECONDS = 1

#: Characters of a pattern, times the repeats, which the engine expands: the
#: maximum takes some 20 MB.
MAX_PARTS = 100_000

# NOTE: "]" is an ordinary character right after "[", "[!" and "[^".
_BRACKET = r'\[(?P<negation>[!^]?+)(?P<rest>\]?+[^]]*+\])|\['

#: A repeat; its first group is empty after a single character or class.
_REPEAT = r'([)\s]?)\{\s*0*(\d{1,9})'

#: A group in which letters are those of ASCII, or of Unicode. A release of the
#: engine before 2025.7.34 ignores that, so the pattern would match more.
_ALPHABET = r'\(\?[a-zA-Z0-9-]*[auL][a-zA-Z0-9-]*:'


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

    def rewrite(bracket: re.Match[str]) -> str:
        if bracket['rest'] is None:
            return '[[]'
        return f'[{"!" if bracket["negation"] else ""}{bracket["rest"]}'

    # NOTE: not fnmatch.fnmatch: its case sensitivity depends on the platform.
    # fnmatch has no "[^".
    pattern = fnmatch.translate(re.sub(_BRACKET, rewrite, glob))
    matches = re.compile(pattern).match
    return having('name', matches, brief=True, label=f'name_pattern({glob!r})')


def name_regex(pattern: str) -> Filter:
    """Select images whose name contains a match of a regular expression.

    The syntax is that of the package ``regex`` (its version 0), which includes
    that of Python's :mod:`re`. A search that takes more than a second for one
    name is an :class:`ImagesError`.

    Images without a name do not match.

    :raises ValueError: if the pattern is invalid or too large
    """
    # NOTE: imported here, as it takes long, and only this filter needs it.
    import regex

    shown = f'regular expression {pattern!r:.80}'
    if len(pattern) * _repeats(pattern) > MAX_PARTS:
        raise ValueError(
            f'The {shown} is too large: it has more than {MAX_PARTS:,} parts, '
            f'repeats included'
        )
    if re.search(_ALPHABET, pattern) and regex.search(r'(?a:\w)', '\xe9'):
        raise ValueError(
            f'The {shown} needs a newer release of the Python package regex: '
            f'2025.7.34; or write "(?a)" before it'
        )
    try:
        compiled = regex.compile(pattern, regex.VERSION0)
    except (regex.error, RecursionError, ValueError) as e:
        raise ValueError(
            f'{pattern!r:.80} is not a regular expression: {e}'
        ) from e

    def search(text: str) -> bool:
        try:
            return compiled.search(text, timeout=MAX_SECONDS) is not None
        except (TimeoutError, MemoryError) as e:
            raise ImagesError(
                f'The {shown} needs too much time or memory for the name of '
                f'an image: use a simpler one'
            ) from e

    return having('name', search, brief=True, label=f'name_regex({pattern!r})')


def _repeats(pattern: str) -> int:
    """Return how often a part is repeated, as if all groups were nested."""
    groups = [1]
    others = [1]
    for after, count in re.findall(_REPEAT, pattern):
        (groups if after else others).append(int(count) or 1)
    return math.prod(groups) * max(others)
