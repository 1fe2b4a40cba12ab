# SPDX-License-Identifier: Apache-2.0

"""A short, repeatable run of ``tests/fuzz``.

The inputs are the seeds of its targets, and mutated seeds.
"""

import time

from hypothesis import example
from hypothesis import given
import hypothesis.strategies as st
import pytest

from tests.fuzz.__main__ import check
from tests.fuzz.__main__ import Target
from tests.fuzz.__main__ import targets
from tests.fuzz.__main__ import WORDS
from tests.unit.project.examples import examples

TARGETS = targets()


@pytest.mark.parametrize('target', TARGETS)
def test_seeds(target):
    assert TARGETS[target].seeds
    for seed in TARGETS[target].seeds:
        check(TARGETS[target], seed)


@pytest.mark.no_cover
@given(
    st.sampled_from(
        [(name, seed) for name, t in TARGETS.items() for seed in t.seeds]
    ),
    st.lists(
        st.tuples(
            st.integers(0, 900),
            st.integers(0, 30),
            st.sampled_from(WORDS).map(str.encode) | st.binary(max_size=4),
        ),
        max_size=4,
    ),
)
@example(('page', b'{"images": [{"id": "a", "metadata": {"x": 1e999}}]}'), [])
@example(('page', b'{"images": [{"id": "a", "name": "a\x01b"}]}'), [])
@examples(400)
def test_mutated_seeds(target_and_seed, changes):
    target, data = target_and_seed
    for where, length, new in changes:
        where %= len(data) + 1
        data = data[:where] + new + data[where + length :]
    check(TARGETS[target], data)


def costly(data):
    """Take much time or memory."""
    if data == b'memory':
        bytearray(64 * 1024 * 1024)
    elif data == b'time':
        clock[0] += 100


clock = [0.0]


@pytest.mark.parametrize('data', [b'memory', b'time'])
def test_costly_input_is_detected(monkeypatch, data):
    monkeypatch.setattr(time, 'thread_time', lambda: clock[0])
    target = Target([], costly)
    check(target, b'nothing')
    with pytest.raises(AssertionError):
        check(target, data)
