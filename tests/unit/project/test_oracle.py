# SPDX-License-Identifier: Apache-2.0

"""A short run of ``tests/oracle``."""

import collections

from tests.oracle import check


def test_no_image_is_lost():
    counts: collections.Counter[str] = collections.Counter()
    for seed in range(200):
        counts.update(check.check(seed))
    # The runs must cover both.
    assert counts['deleted'] > 80
    assert counts['left'] > 800
