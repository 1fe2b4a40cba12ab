# SPDX-License-Identifier: Apache-2.0

"""A short, repeatable run of ``tests/fuzz``.

The inputs are the seeds of its targets, and mutated seeds.
"""

import contextlib
import time

from hypothesis import example
from hypothesis import given
import hypothesis.strategies as st
import pytest

from tests.fuzz.__main__ import check
from tests.fuzz.__main__ import WORDS
from tests.fuzz.targets import TARGETS
from tests.unit.project.examples import examples

SEEDS = [(name, seed) for name in TARGETS for seed in TARGETS[name][0]]


def test_seeds():
    for name, seed in SEEDS:
        check(TARGETS[name][1], seed)


@pytest.mark.no_cover
@given(
    st.sampled_from(SEEDS),
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
    check(TARGETS[target][1], data)


@pytest.mark.parametrize('seconds', [0, 100])
@pytest.mark.parametrize('size', [0, 64 * 1024 * 1024])
def test_costly_input_is_detected(monkeypatch, seconds, size):
    clock = [0.0]

    def parse(_data):
        bytearray(size)
        clock[0] += seconds

    monkeypatch.setattr(time, 'thread_time', lambda: clock[0])
    expected = contextlib.nullcontext()
    if seconds or size:
        expected = pytest.raises(AssertionError)
    with expected:
        check(parse, b'')
