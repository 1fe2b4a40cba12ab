# SPDX-License-Identifier: Apache-2.0

"""Regular expressions: what they match, and that their search ends."""

import contextlib
import itertools
import re
import subprocess
import sys

import pytest
import regex

from osc_compute_images.api import filters
from osc_compute_images.api import ImageRef
from osc_compute_images.api import ImagesError
from osc_compute_images.api.filters import _names

LONG = 'a' * 255 + '!'


def found(pattern, name):
    return filters.name_regex(pattern).matches(ImageRef('x', name))


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
        matching = [n for n in names if where.matches(ImageRef('x', n))]
        expected = [n for n in names if re.search(pattern, n)]
        assert matching == expected, pattern
    assert not found('', None)


OLD = not regex.fullmatch(r'(?u:\w)', 'é', regex.ASCII)


@pytest.mark.parametrize(
    ('pattern', 'expected'),
    [
        (r'(?a:\w)', False),
        (r'x(?i-s:y)?(?:(?ai:\w))', False),
        (r'(?a)(?u:\w)', True),
        (r'(?i:\w)', True),
        (r'[(?]|é', True),
    ],
)
def test_alphabet_of_a_group(pattern, expected):
    if OLD and re.search(r'\(\?i?[au]i?:', pattern):
        with pytest.raises(ValueError, match='needs a newer release'):
            filters.name_regex(pattern)
    else:
        assert found(pattern, 'é') is expected


def test_slow_search_is_an_error(monkeypatch):
    # It tries all ways to divide the letters.
    where = filters.name_regex('(.*a){20}$')
    assert where.matches(ImageRef('x', 'aaa')) is False
    monkeypatch.setattr(_names, 'MAX_SECONDS', 0.01)
    with pytest.raises(ImagesError) as caught:
        where.matches(ImageRef('x', LONG))
    assert str(caught.value) == (
        "The regular expression '(.*a){20}$' needs too much time or memory "
        'for the name of an image: use a simpler one'
    )


def test_every_search_ends(monkeypatch):
    monkeypatch.setattr(_names, 'MAX_SECONDS', 0.05)
    for pattern in (
        *('(a+)+$', '^(a|a)*$', '(a|aa)+$', '(.*)*x', '([a-z]+)*[0-9]'),
        *('((a*)*)*b', r'(x+x+)+\1y', '^a*a*a*a*a*a*a*a*a*a*$'),
    ):
        with contextlib.suppress(ImagesError):
            assert not found(pattern, LONG)


LARGE = [
    *('a' * 100_001, 'a{20000}', 'a{20000,}', 'a{000020000}'),
    *(f'a{{{"9" * 5000}}}', '((a{1000}){1000}){1000}', '((){9999}){9999}'),
    *('(){1000000}', f'({"a" * 1000}){{101}}'),
    '(?x)(a{100})\n{100} # ten thousand',
]
COMMON = [
    *('a' * 2000, '[0-9]{7000}', '((a{10}){50}){10}', 'b{2}a{0,1000000}'),
    '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]{8}-[0-9]{6}$',
]
INVALID = ['(', '[', '*', 'a{2,1}', '(' * 1999, r'\q', '(?P<a', 'a**']


def test_large_and_invalid_patterns_are_rejected():
    for pattern in COMMON:
        assert not found(pattern, 'x')
    for pattern in LARGE:
        with pytest.raises(ValueError, match='more than 100,000 parts'):
            filters.name_regex(pattern)
    for pattern in INVALID:
        with pytest.raises(ValueError, match='not a regular expression') as e:
            filters.name_regex(pattern)
        assert f'{pattern!r:.80}' in str(e.value)


def test_engine_is_imported_for_this_filter_only():
    code = (
        'from osc_compute_images.api import filters, ImageRef\n'
        'import sys\n'
        'filters.name_pattern("a*").matches(ImageRef("x", "a"))\n'
        'print("regex" in sys.modules)\n'
        'filters.name_regex("a")\n'
        'print("regex" in sys.modules)\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ['False', 'True']
