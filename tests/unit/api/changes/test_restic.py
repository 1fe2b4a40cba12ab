# SPDX-License-Identifier: Apache-2.0

"""Retention rules, compared with what restic 0.18.0 kept.

That was recorded: ``restic forget --dry-run --json --group-by host``, with a
host for each group of snapshots, and UTC.
"""

from collections import Counter
import datetime

import pytest

from osc_compute_images.api import Image
from osc_compute_images.api.changes import retention

HOUR = datetime.timedelta(hours=1)

#: The times of the snapshots of each group, the newest first.
GROUPS = (
    # The year of which the first days are in week 53.
    (
        *('2021-01-03T23:59:59', '2021-01-01T23:59:59'),
        *('2020-12-28T00:00:00', '2020-12-27T23:59:59'),
    ),
    # Leap days, and years.
    (
        *('2024-03-01T00:00:00', '2024-02-29T00:00:00'),
        *('2023-02-28T00:00:00', '2022-12-31T00:00:00'),
    ),
    # Clocks are changed in many zones, but not in UTC.
    (
        *('2025-03-30T03:30:00', '2025-03-30T02:59:59'),
        *('2025-03-30T02:00:00', '2025-03-29T22:30:00'),
    ),
    # The same second, and the oldest of a year, month, week, day and hour.
    ('2025-12-31T12:00:01', *['2025-12-31T12:00:00'] * 2),
    ('2020-02-29T00:00:00',),
)


@pytest.mark.parametrize(
    ('rules', 'kept'),
    [
        ({'last': 2}, 'kk.. kk.. kk.. kk. k'),
        ({'hourly': 2}, 'kk.. kk.. kk.. kk. k'),
        ({'daily': 3}, 'kkk. kkk. k..k kk. k'),
        ({'weekly': 2}, 'k..k k.k. k..k kk. k'),
        ({'monthly': 2}, 'k.k. kk.. k..k kk. k'),
        ({'yearly': 2}, 'k.k. k.k. k..k kk. k'),
        ({'within': 30 * HOUR}, 'k... kk.. kkkk kkk k'),
        ({'last': 1, 'daily': 2}, 'kk.. kk.. k..k kk. k'),
        ({'weekly': 1, 'monthly': 2, 'yearly': 1}, 'k.k. kk.. k..k kk. k'),
        ({'hourly': 4, 'yearly': 0}, 'kkkk kkkk kk.k kk. k'),
        ({'last': 0, 'hourly': 1, 'weekly': 3}, 'k..k k.kk k..k kk. k'),
        ({'daily': 1, 'within': 5 * HOUR}, 'k... k... kkk. kkk k'),
        ({'monthly': 4, 'within': 0 * HOUR}, 'k.kk kkkk k..k kk. k'),
    ],
)
def test_same_images_are_kept_as_by_restic(rules, kept):
    for times, marks in zip(GROUPS, kept.split(), strict=True):
        images = [Image(id='', created=f'{time}Z') for time in times]
        found = retention.reasons(images, retention.Rules(**rules))
        pairs = zip(images, marks, strict=True)
        assert Counter(i.created for i, reason in found if reason) == Counter(
            image.created for image, mark in pairs if mark == 'k'
        )
