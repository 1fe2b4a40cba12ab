# SPDX-License-Identifier: Apache-2.0

"""A short run of ``tests/simulate``: 50 days, instead of 400."""

import collections

import pytest

from osc_compute_images.api.changes import _apply
from osc_compute_images.api.changes import usage
from osc_compute_images.api.snapshots import plan
from tests.oracle.invariant import Fault
from tests.simulate import year


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
