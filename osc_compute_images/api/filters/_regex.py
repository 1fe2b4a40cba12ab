# SPDX-License-Identifier: Apache-2.0

"""Regular expressions whose search ends.

Python's own engine backtracks without a limit: ``(a+)+$`` takes years for
some 40 letters, and anybody can choose the name of an image.
"""

from collections.abc import Callable
import math
import re

import regex

from osc_compute_images.api._errors import ImagesError

#: Seconds of CPU time to search one name.
MAX_SECONDS = 1

#: Characters of a pattern, times the repeats, which the engine expands: the
#: maximum takes some 20 MB.
MAX_PARTS = 100_000

#: A repeat; its first group is empty after a single character or class.
_REPEAT = r'([)\s]?)\{\s*0*(\d{1,9})'

#: A group in which letters are those of ASCII, or of Unicode. A release of the
#: engine before 2025.7.34 ignores that, so the pattern would match more.
_ALPHABET = r'\(\?[a-zA-Z0-9-]*[auL][a-zA-Z0-9-]*:'


def searcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a text contains a match.

    It raises an ImagesError if the search takes too long.

    :raises ValueError: if the pattern is invalid or too large
    """
    if len(pattern) * _repeats(pattern) > MAX_PARTS:
        raise ValueError(
            f'The regular expression {pattern!r:.80} is too large: it has '
            f'more than {MAX_PARTS:,} parts, repeats included'
        )
    if re.search(_ALPHABET, pattern) and regex.search(r'(?a:\w)', '\xe9'):
        raise ValueError(
            f'The regular expression {pattern!r:.80} needs a newer release of '
            f'the Python package regex: 2025.7.34; or write "(?a)" before it'
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
                f'The regular expression {pattern!r:.80} needs too much time '
                f'or memory for the name of an image: use a simpler one'
            ) from e

    return search


def _repeats(pattern: str) -> int:
    """Return how often a part is repeated, as if all groups were nested."""
    groups = [1]
    others = [1]
    for after, count in re.findall(_REPEAT, pattern):
        (groups if after else others).append(int(count) or 1)
    return math.prod(groups) * max(others)
