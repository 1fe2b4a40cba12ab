# SPDX-License-Identifier: Apache-2.0

"""A few hundred fleets of the many that ``./run oracle`` compares."""

import random

from tests.oracle import rules


def test_plans_are_as_a_slow_implementation_says():
    went = stayed = 0
    for seed in random.sample(range(10**9), 500):
        more_went, more_stayed = rules.compare(seed)
        went += more_went
        stayed += more_stayed
    # Neither half of the comparison is empty.
    assert went > 300
    assert stayed > 300
