# SPDX-License-Identifier: Apache-2.0

"""Retention rules, compared with the definitions in restic's documents."""

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
DAYS = [
    '2026-01-01T10:00:00Z',
    '2025-12-31T23:59:59Z',
    '2025-12-31T00:00:00Z',
]


def images(*times):
    return [Image(id=f'{n:03}', created=time) for n, time in enumerate(times)]


def kept(rules, *times):
    """Return the times that are kept, with the reasons."""
    return {
        image.created: reason
        for image, reason in retention.reasons(images(*times), rules, now=NOW)
        if reason is not None
    }


@pytest.mark.parametrize(
    ('rule', 'newest', 'same_period', 'other'),
    [
        ('daily', '2024-03-29', '2024-03-29', '2024-02-29'),
        # 2020 has a week 53, which the first days of 2021 belong to.
        ('weekly', '2021-01-03', '2020-12-28', '2020-12-27'),
        # 31 December 2024 is in week 1 of 2025.
        ('weekly', '2024-12-30', '2024-12-30', '2024-01-01'),
    ],
)
def test_calendar(rule, newest, same_period, other):
    found = kept(Rules(**{rule: 2}), newest, same_period, other)
    # Neither is kept as the oldest.
    assert found == dict.fromkeys((newest, other), f'kept by {rule}')


def test_reasons():
    found = kept(Rules(last=1, daily=2), *DAYS)
    assert found == {DAYS[0]: 'kept by last, daily', DAYS[1]: 'kept by daily'}
    # They are older by less than this.
    exactly = datetime.timedelta(hours=34)
    assert kept(Rules(within=exactly), *DAYS) == dict.fromkeys(
        DAYS[:2], 'kept by within'
    )
    assert kept(Rules(last=0), DAYS[0]) == {
        DAYS[0]: 'all retention rules are 0'
    }
    day = ['2025-12-31T12:00:00Z', '2025-12-31T11:00:00Z', DAYS[2]]
    assert kept(Rules(daily=2, monthly=9, yearly=1), *day) == {
        day[0]: 'kept by daily, monthly, yearly',
        day[2]: 'kept by daily (oldest), monthly (oldest)',
    }


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
