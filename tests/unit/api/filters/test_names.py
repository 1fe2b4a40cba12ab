# SPDX-License-Identifier: Apache-2.0

"""Patterns of names mean what they mean in a shell."""

from hypothesis import given
from hypothesis import strategies as st
import pytest

from osc_compute_images.api import filters
from osc_compute_images.api import ImageRef
from tests.unit.project.examples import examples


@pytest.mark.parametrize(
    ('glob', 'matching', 'others'),
    [
        ('ubuntu*', ['ubuntu', 'ubuntu-24.04', 'ubuntu\n'], ['UBUNTU', 'a']),
        ('?ebian', ['debian', '\nebian'], ['ebian', 'Debian2']),
        ('', [''], ['a']),
        ('*', ['', 'a', '\n'], []),
        # As POSIX describes brackets, and the manual of bash "[^".
        ('[^a-c]', ['d', 'A', '-', '^'], ['a', 'b', 'c']),
        ('[!]]', ['a', '^', '['], [']', '']),
        ('[^]a]', ['b', '['], [']', 'a']),
        ('[]^]', [']', '^'], ['a', '[']),
        ('[^!]', ['a', '^'], ['!']),
        ('[][^a]', [']', '[', '^', 'a'], ['b', '[]b']),
        # Without its end, a bracket is an ordinary character.
        ('[^]', ['[^]'], ['a', '^', '[']),
        ('[!]', ['[!]'], ['a', '!', '[']),
        ('[', ['['], ['a', '']),
        ('a^b*', ['a^b', 'a^bc'], ['ab']),
    ],
)
def test_patterns(glob, matching, others):
    one = filters.name_pattern(glob)
    names = (*matching, *others, None)
    assert [n for n in names if one.matches(ImageRef('i', n))] == matching


def _matches(glob, text):
    """Match from the beginning, in the simplest way."""
    if not glob:
        return not text
    first, rest = glob[0], glob[1:]
    if first == '*':
        return any(_matches(rest, text[n:]) for n in range(len(text) + 1))
    if not text:
        return False
    start = 1 + (rest[:1] in ('!', '^'))
    end = glob.find(']', start + 1) if first == '[' else -1
    if end < 0:
        return first in ('?', text[0]) and _matches(rest, text[1:])
    is_listed = text[0] in glob[start:end]
    return is_listed == (start == 1) and _matches(glob[end + 1 :], text[1:])


@given(st.text('ab^![]*?', max_size=8), st.text('ab^![]', max_size=5))
@examples(1000)
def test_a_pattern_selects_what_a_simple_matcher_selects(glob, name):
    one = filters.name_pattern(glob)
    assert one.matches(ImageRef('i', name)) is _matches(glob, name)
