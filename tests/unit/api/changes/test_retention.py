# SPDX-License-Identifier: Apache-2.0

"""Retention rules, compared with restic.

That is what restic 0.18.0 kept, and the definitions in its documents.
"""

from collections import Counter
import datetime

from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.api import Image
from osc_compute_images.api.changes import retention
from osc_compute_images.api.changes.retention import Rules
from tests.oracle.rules import kept_of
from tests.unit.project.examples import examples

NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def images(*times):
    return [Image(id=f'{n:03}', created=time) for n, time in enumerate(times)]


def kept(rules, *times):
    """Return the times that are kept, with the reasons."""
    return {
        image.created: reason
        for image, reason in retention.reasons(images(*times), rules, now=NOW)
        if reason is not None
    }


def test_reasons():
    noon = '2025-12-31T12:00:00Z'
    times = [noon, '2025-12-31T11:00:00Z', '2025-12-31T00:00:00Z']
    assert kept(Rules(daily=2, monthly=9, yearly=1, within=HOUR), *times) == {
        noon: 'kept by daily, monthly, yearly, within',
        times[2]: 'kept by daily (oldest), monthly (oldest)',
    }
    assert kept(Rules(last=0), noon) == {noon: 'all retention rules are 0'}


def test_images_of_unknown_age_or_of_the_future_do_not_count():
    now = datetime.datetime.now(datetime.UTC)
    unknown = [None, '', 'yesterday', '0001-01-01T00:00:00+14:00']
    times = [(now + n * HOUR).isoformat() for n in (1, -1, -2)]
    made = images(*unknown, *times)
    found = {i.created: r for i, r in retention.reasons(made, Rules(last=1))}
    assert found == {
        **dict.fromkeys(unknown, 'its creation time is unknown'),
        times[0]: 'its creation time is in the future',
        times[1]: 'kept by last',
        times[2]: None,
    }


def test_invalid_rules():
    for rules, message in (
        ({}, 'give at least one of: last, hourly'),
        ({'daily': -1}, 'daily must not be negative'),
        ({'within': -HOUR}, 'within must not be negative'),
    ):
        with pytest.raises(ValueError, match=message):
            Rules(**rules)


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


# Recorded: restic forget --dry-run --json --group-by host, in UTC.
@pytest.mark.parametrize(
    ('rules', 'marked'),
    [
        ({'last': 2}, 'kk.. kk.. kk.. kk. k'),
        ({'hourly': 2}, 'kk.. kk.. kk.. kk. k'),
        ({'daily': 3}, 'kkk. kkk. k..k kk. k'),
        ({'weekly': 2}, 'k..k k.k. k..k kk. k'),
        ({'monthly': 2}, 'k.k. kk.. k..k kk. k'),
        ({'yearly': 2}, 'k.k. k.k. k..k kk. k'),
        ({'within': 30 * HOUR}, 'k... kk.. kkkk kkk k'),
        ({'hourly': 4, 'yearly': 0}, 'kkkk kkkk kk.k kk. k'),
        ({'last': 0, 'hourly': 1, 'weekly': 3}, 'k..k k.kk k..k kk. k'),
        ({'daily': 1, 'within': 5 * HOUR}, 'k... k... kkk. kkk k'),
        ({'monthly': 4, 'within': 0 * HOUR}, 'k.kk kkkk k..k kk. k'),
    ],
)
def test_same_images_are_kept_as_by_restic(rules, marked):
    for times, marks in zip(GROUPS, marked.split(), strict=True):
        made = [Image(id='', created=f'{time}Z') for time in times]
        found = retention.reasons(made, Rules(**rules))
        pairs = zip(made, marks, strict=True)
        assert Counter(i.created for i, reason in found if reason) == Counter(
            image.created for image, mark in pairs if mark == 'k'
        )


PERIODS = ('hourly', 'daily', 'weekly', 'monthly', 'yearly')
DAY = 24 * HOUR
#: The year that ends in week 53, leap days, the first day of a week and month.
EDGES = [
    datetime.datetime(2021, 1, 3, 23, 59, 59, tzinfo=datetime.UTC),
    datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC),
    datetime.datetime(2024, 12, 31, tzinfo=datetime.UTC),
    datetime.datetime(2025, 9, 1, tzinfo=datetime.UTC),
    NOW,
]
UNITS = [HOUR / 3600, HOUR, DAY, 7 * DAY, 31 * DAY, 364 * DAY]


@st.composite
def times_near(draw):
    """Return times that are some hours, days or years from each other."""
    edge = draw(st.sampled_from(EDGES))
    units = draw(st.lists(st.sampled_from(UNITS), min_size=1, max_size=2))
    steps = st.tuples(st.sampled_from(units), st.integers(-3, 9))
    return [edge - unit * n for unit, n in draw(st.lists(steps))]


rules_of_all_kinds = st.dictionaries(
    st.sampled_from(['last', *PERIODS]), st.integers(0, 6), max_size=3
) | st.fixed_dictionaries(
    {'within': st.integers(0, 5000).map(HOUR.__mul__)},
    optional=dict.fromkeys(PERIODS, st.integers(0, 6)),
)


@examples(400)
@given(times=times_near(), rules=rules_of_all_kinds.filter(bool))
def test_apply_agrees_with_restics_documents(times, rules):
    made = images(*(t.isoformat() for t in times))
    result = [*retention.reasons(made, Rules(**rules), now=NOW)]
    assert sorted(i.id for i, _ in result) == [i.id for i in made]
    found = {image.id for image, reason in result if reason is not None}
    pairs = {(t, image.id) for t, image in zip(times, made, strict=True)}
    # "Duration related options ignore snapshots with a timestamp in the
    # future, and these snapshots will hence not be removed."
    future = {pair for pair in pairs if pair[0] > NOW}
    expected = future | kept_of(pairs - future, rules)
    assert found == {name for _, name in expected}
    # No group loses its newest image.
    assert not result or result[0][1] is not None
    # After a run that was interrupted, the next one keeps the same.
    rest = [i for i in made if i.id in found or int(i.id) % 2]
    again = retention.reasons(rest, Rules(**rules), now=NOW)
    assert {image.id for image, reason in again if reason} == found
