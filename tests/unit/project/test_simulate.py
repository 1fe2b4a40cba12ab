# SPDX-License-Identifier: Apache-2.0

"""A short run of ``tests/simulate``: 50 days, instead of 400."""

import collections

from tests.simulate import year


def test_simulated_days():
    counts: collections.Counter[str] = collections.Counter()
    for seed in range(3):
        counts.update(year.live(seed, days=50))
    # The days must cover all of it.
    assert all(counts.values()), counts
    assert counts['deleted'] > 100
    assert counts['ok'] > 10
