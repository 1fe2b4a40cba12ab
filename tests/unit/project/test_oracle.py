# SPDX-License-Identifier: Apache-2.0

"""A short run of ``tests/oracle``."""

from tests.oracle import check


def test_no_image_is_lost():
    deleted = left = 0
    for seed in range(200):
        more_deleted, more_left = check.check(seed)
        deleted += more_deleted
        left += more_left
    # The runs must cover both.
    assert deleted > 80
    assert left > 800
