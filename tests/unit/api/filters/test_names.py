# SPDX-License-Identifier: Apache-2.0

"""Patterns of names mean what they mean in a shell; every search ends."""

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st
import pytest
import regex

from osc_compute_images.api import filters
from osc_compute_images.api import ImageRef
from osc_compute_images.api import ImagesError
from osc_compute_images.api.filters import _names
from tests.unit.project.examples import examples


def found(where, names):
    return [n for n in names if where.matches(ImageRef('i', n))]


def test_patterns():
    names = ['ubuntu', 'ubuntu-24.04', 'ubuntu\n', 'UBUNTU', 'x', None]
    assert found(filters.name_pattern('ubuntu*'), names) == names[:3]
    names = ['d', 'A', '-', '^', 'a', 'b', 'c', '']
    assert found(filters.name_pattern('[^a-c]'), names) == names[:4]


def _matches(glob, text):
    """Match in the simplest way, brackets as POSIX and bash describe them."""
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


def test_search_in_all_short_names_agrees_with_re():
    names = [
        ''.join(letters)
        for length in range(4)
        for letters in itertools.product('ab\n', repeat=length)
    ]
    names += ['AB', 'é', '٣']
    for pattern in (
        *('a$', '^a', r'a\Z', r'\Aa', 'a*$', '(?s).$', '[^a]$', '(?m)^b$'),
        *(r'\bab', r'a\B', '(ab){1,2}$', '(a?){2,}b', '(?i:A)b', 'a{0}b'),
        *('A', r'(a)\1', 'a(?=b)', '(?<!a)b', 'a{b', 'a|b||', '(?i)ab', ''),
        *(r'\w', r'^\d+$', r'(?a)\w'),
    ):
        where = filters.name_regex(pattern)
        expected = [n for n in names if re.search(pattern, n)]
        assert found(where, [*names, None]) == expected, pattern


OLD = not regex.fullmatch(r'(?u:\w)', 'é', regex.ASCII)


@pytest.mark.parametrize(
    ('pattern', 'expected'),
    [
        (r'(?a:\w)', []),
        (r'x(?i-s:y)?(?:(?ai:\w))', []),
        (r'(?a)(?u:\w)', ['é']),
        (r'(?i:\w)', ['é']),
        (r'[(?]|é', ['é']),
    ],
)
def test_alphabet_of_a_group(pattern, expected):
    if OLD and re.search(r'\(\?i?[au]i?:', pattern):
        with pytest.raises(ValueError, match='needs a newer release'):
            filters.name_regex(pattern)
    else:
        assert found(filters.name_regex(pattern), ['é']) == expected


def test_every_search_ends(monkeypatch):
    # It tries all ways to divide the letters.
    where = filters.name_regex('(.*a){20}$')
    assert found(where, ['aaa']) == []
    monkeypatch.setattr(_names, 'MAX_SECONDS', 0.01)
    with pytest.raises(ImagesError) as caught:
        found(where, ['a' * 255 + '!'])
    assert str(caught.value) == (
        "The regular expression '(.*a){20}$' needs too much time or memory "
        'for the name of an image: use a simpler one'
    )


TOO_LARGE = (
    'The regular expression {} is too large: it has more than 100,000 parts, '
    'repeats included'
)
INVALID = '{} is not a regular expression: '


@pytest.mark.parametrize(
    ('told', 'patterns'),
    [
        (
            TOO_LARGE,
            [
                *('a' * 100_001, 'a{20000}', 'a{20000,}', 'a{000020000}'),
                *(f'a{{{"9" * 5000}}}', '((a{1000}){1000}){1000}'),
                *('((){9999}){9999}', '(){1000000}'),
                *(f'({"a" * 1000}){{101}}', '(?x)(a{100})\n{100} # 10,000'),
            ],
        ),
        (INVALID, ['(', '[', '*', 'a{2,1}', '(' * 1999, r'\q', '(?P<a']),
    ],
)
def test_large_and_invalid_patterns_are_rejected(told, patterns):
    for pattern in patterns:
        with pytest.raises(ValueError, match='regular expr') as caught:
            filters.name_regex(pattern)
        assert str(caught.value).startswith(told.format(f'{pattern!r:.80}'))
    for pattern in (
        *('a' * 2000, 'a{12500}', '((a{10}){50}){10}', 'b{2}a{0,1000000}'),
        '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]{8}-[0-9]{6}$',
    ):
        assert not found(filters.name_regex(pattern), ['x'])
