# SPDX-License-Identifier: Apache-2.0

"""A short run of ``./run oracle``."""

from tests.oracle import rules


def test_plans_agree_with_simple_implementation():
    deleted = kept = 0
    for seed in range(500):
        more_deleted, more_kept = rules.compare(seed)
        deleted += more_deleted
        kept += more_kept
    # The comparison must cover both.
    assert deleted > 300
    assert kept > 300
