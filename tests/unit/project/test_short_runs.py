# SPDX-License-Identifier: Apache-2.0

"""Short, repeatable runs of ``tests/fuzz``, ``tests/oracle``, ``simulate``."""

import collections
import time

from hypothesis import example
from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.api.changes import _apply
from osc_compute_images.api.changes import usage
from osc_compute_images.api.snapshots import plan
from tests.fuzz.__main__ import check
from tests.fuzz.__main__ import WORDS
from tests.fuzz.targets import TARGETS
from tests.oracle import check as oracle
from tests.oracle.invariant import Fault
from tests.simulate import year
from tests.unit.project.examples import examples

# --- fuzzing: the seeds of the targets, and mutated seeds ------------------

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


@pytest.mark.parametrize(
    ('seconds', 'size'), [(100, 0), (0, 64 * 1024 * 1024)]
)
def test_costly_input_is_detected(monkeypatch, seconds, size):
    clock = [0.0]

    def parse(_data):
        bytearray(size)
        clock[0] += seconds

    monkeypatch.setattr(time, 'thread_time', lambda: clock[0])
    with pytest.raises(AssertionError):
        check(parse, b'')


# --- random commands in random clouds, and simulated days ------------------


def test_no_image_is_lost():
    counts: collections.Counter[str] = collections.Counter()
    for seed in range(200):
        counts.update(oracle.check(seed))
    # The runs must cover both.
    assert counts['deleted'] > 80
    assert counts['left'] > 800


def test_simulated_days():
    counts: collections.Counter[str] = collections.Counter()
    for seed in range(3):
        counts.update(year.live(seed, days=50))
    # The days must cover all of it.
    assert all(counts.values()), counts
    assert counts['deleted'] > 100
    assert counts['ok'] > 10


#: Deliberate faults of the product, with a year that shows each.
BREAKS = {
    'a server may be stored in it': (
        *(usage.Usage, 'stored_in', lambda _usage, _image: ()),
        *(0, 50),
    ),
    'no image of the group is left': (
        *(_apply._DeletionCheck, '_loss', lambda _check, _successor: None),
        *(12, 24),
    ),
    'recent snapshots are ignored': (
        *(plan, '_recent', lambda *_arguments: {}),
        *(0, 5),
    ),
}


@pytest.mark.parametrize('name', BREAKS)
def test_fault_is_found(monkeypatch, name):
    where, attribute, broken, seed, days = BREAKS[name]
    monkeypatch.setattr(where, attribute, broken)
    with pytest.raises(Fault, match=f'--seed {seed} --days'):
        year.live(seed, days)
