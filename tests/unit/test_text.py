# SPDX-License-Identifier: Apache-2.0

"""Text for terminals."""

from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.text import printable
from tests.unit.project.examples import examples


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('Bücher 図書 🐧', 'Bücher 図書 🐧'),
        ('no\u00a0break\u3000', 'no\u00a0break\u3000'),
        ('a\x1b[2Jb', r'a\x1b[2Jb'),
        ('\x00\x7f\x9b2J', r'\x00\x7f\x9b2J'),
        ('\u202egnp.\u2066\u200f', r'\u202egnp.\u2066\u200f'),
        ('\u2028\u2029\ufeff', r'\u2028\u2029\ufeff'),
        ('\U000e0041', r'\U000e0041'),
    ],
)
def test_printable_escapes_control_characters(text, shown):
    assert printable(text) == shown


@given(st.text(st.characters(), max_size=20))
@examples()
def test_printable_returns_one_line(text):
    shown = printable(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert '\x1b' not in shown
    assert printable(shown) == shown
