# SPDX-License-Identifier: Apache-2.0

"""Regular expressions in linear time."""

import itertools
import re
import warnings

from hypothesis import assume
from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.api.filters import _linear_regex
from tests.unit.examples import examples

ATOMS = st.sampled_from(
    [
        'a', 'b', 'A', '.', r'\d', r'\w', r'\W', '[ab]', '[^a]', r'[\d-]', 'ß',
        '^', '$', r'\b', r'\B', r'\A', r'\Z', r'\n', '', 'K', 'İ',
    ]
)  # fmt: skip
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(''.join),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda several: f'(?:{"|".join(several)})'
        ),
        st.builds(
            '({}){}'.format,
            inner,
            st.sampled_from(
                [
                    '*',
                    '+',
                    '?',
                    '*?',
                    '+?',
                    '??',
                    '{2}',
                    '{0}',
                    '{1,3}',
                    '{2,}',
                ]
            ),
        ),
        st.builds(
            '(?{}:{})'.format,
            st.sampled_from(['i', '-i', 's', 'm', 'x']),
            inner,
        ),
    ),
    max_leaves=8,
)
FLAGS = st.sampled_from(['', '(?i)', '(?s)', '(?m)', '(?a)', '(?im)', '(?x)'])
TEXTS = st.text('abAB1-\n _ß\u017fKkİi', max_size=10)


@pytest.mark.no_cover
@given(FLAGS, PATTERNS, st.lists(TEXTS, max_size=5))
@examples(1000)
def test_search_agrees_with_re(flags, pattern, texts):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            searched = re.compile(flags + pattern)
        except re.error:
            assume(False)
        linear = _linear_regex.LinearRegex(flags + pattern)
    for text in texts:
        found = searched.search(text) is not None
        assert linear.search(text) == found, text


@pytest.mark.parametrize(
    'pattern',
    [
        *('a$', '^a', r'a\Z', r'\Aa', 'a$b', 'a*$', '.$', '(?s).$', '[^a]$'),
        *('(?m)^b$', '(?m)a$', '(?m)^$', r'$\n', r'(a|b)*$\n?', r'^\n$'),
        *(r'\bab', r'a\B', r'\Bb\b', r'\b$', 'a{2}b?', '(ab){1,2}$'),
        *('(a?){2,}b', '(?i)A$', '(?i:A)b', '(a|)(b|)$', 'a{0}b', '(aa)+$'),
    ],
)
def test_search_in_all_short_texts_agrees_with_re(pattern):
    linear = _linear_regex.LinearRegex(pattern)
    searched = re.compile(pattern)
    for length in range(5):
        for text in map(''.join, itertools.product('ab\n', repeat=length)):
            found = searched.search(text) is not None
            assert linear.search(text) == found, (text, linear.search(text))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    'pattern',
    [
        '(a+)+$',
        '^(a|a)*$',
        '(a|aa)+$',
        '(.*)*x',
        '(.*a){12}$',
        '^a*a*a*a*a*a*a*a*a*a*$',
        '([a-z]+)*[0-9]',
        '((a*)*)*b',
    ],
)
def test_hostile_patterns_take_linear_time(pattern):
    linear = _linear_regex.LinearRegex(pattern)
    names = ['a' * n + '!' for n in range(200, 300)]
    assert not any(map(linear.search, names))


@pytest.mark.no_cover
@pytest.mark.timeout(20)
def test_size_of_cache_is_limited():
    # A deterministic automaton of this pattern has 2**16 states.
    linear = _linear_regex.LinearRegex('[ab]*a[ab]{16}c')
    number = 1
    for _ in range(300):
        number = number * 6364136223846793005 % 2**255
        linear.search(f'{number:0255b}'.translate({48: 'a', 49: 'b'}))
    edges = sum(len(node.transitions) for node in linear._nodes.values())
    assert 0 < edges <= _linear_regex.MAX_TRANSITIONS + 1


@pytest.mark.parametrize(
    'pattern',
    [
        r'(a)\1',
        'a(?=b)',
        'a(?!b)',
        '(?<=a)b',
        '(?<!a)b',
        '(a)?(?(1)b|c)',
        '(?>a*)',
        'a*+',
        '(?!)',
    ],
)
def test_unbounded_syntax_is_rejected(pattern):
    with pytest.raises(ValueError, match='cannot be searched in bounded time'):
        _linear_regex.LinearRegex(pattern)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    'pattern',
    ['a{3000}', '(a{100}){100}', '((a{1000}){1000}){1000}', 'a' * 5000],
)
def test_large_pattern_is_rejected(pattern):
    with pytest.raises(ValueError, match='too large') as caught:
        _linear_regex.LinearRegex(pattern)
    assert f'{pattern!r:.80}' in str(caught.value)
    assert 'more than 2000 parts' in str(caught.value)


@pytest.mark.parametrize(
    'pattern', ['(', '[', '*', 'a{2,1}', '(' * 5000, r'\q', '(?P<a', 'a**']
)
def test_invalid_syntax_is_rejected(pattern):
    with pytest.raises(ValueError, match='not a regular expression'):
        _linear_regex.LinearRegex(pattern)


@pytest.mark.timeout(20)
@pytest.mark.parametrize('pattern', ['(){1000000}', '((){9999}){9999}'])
def test_empty_group_may_be_repeated(pattern):
    assert _linear_regex.LinearRegex(pattern).search('x')
