# SPDX-License-Identifier: Apache-2.0

"""Retention rules, compared with the definitions in restic's documents."""

import datetime

from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.api import Image
from osc_compute_images.api.changes import retention
from osc_compute_images.api.changes.retention import Rules
from tests.unit.project.examples import examples

NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
DAYS = [
    '2026-01-01T10:00:00Z',
    '2025-12-31T23:59:59Z',
    '2025-12-31T00:00:00Z',
    '2025-12-28T12:00:00Z',
    '2025-11-30T12:00:00Z',
    '2024-12-31T12:00:00Z',
]
UNKNOWN = 'its creation time is unknown'
FUTURE = 'its creation time is in the future'


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
    ('rules', 'expected'),
    [
        ({'last': 2}, DAYS[:2]),
        ({'daily': 2}, DAYS[:2]),
        ({'daily': 3}, [DAYS[0], DAYS[1], DAYS[3]]),
        ({'hourly': 3}, DAYS[:3]),
        # 1 January is in the same week as 31 December.
        ({'weekly': 2}, [DAYS[0], DAYS[3]]),
        ({'monthly': 3}, [DAYS[0], DAYS[1], DAYS[4]]),
        ({'yearly': 3}, [DAYS[0], DAYS[1], DAYS[5]]),
        ({'within': datetime.timedelta(hours=34, seconds=1)}, DAYS[:3]),
        ({'within': datetime.timedelta(hours=34)}, DAYS[:2]),
        ({'last': 1, 'yearly': 2}, DAYS[:2]),
        ({'daily': 10**30}, [DAYS[0], DAYS[1], *DAYS[3:]]),
        # A rule of 0 is none.
        ({'last': 0, 'yearly': 1}, DAYS[:1]),
        ({'last': 0}, DAYS),
        ({'daily': 0, 'within': datetime.timedelta()}, DAYS),
    ],
)
def test_rules(rules, expected):
    assert [*kept(Rules(**rules), *reversed(DAYS))] == expected


@pytest.mark.parametrize(
    ('rule', 'times', 'expected'),
    [
        # 2020 and 2026 have a week 53, which the first days of 2021 and 2027
        # belong to.
        ('weekly', ['2021-01-03', '2020-12-28', '2020-12-27'], '2020-12-27'),
        ('weekly', ['2021-01-04', '2021-01-03', '2020-12-28'], '2021-01-03'),
        # 31 December 2024 is in week 1 of 2025.
        ('weekly', ['2025-01-05', '2024-12-30', '2024-12-29'], '2024-12-29'),
        ('weekly', ['2024-12-30', '2024-01-01', '2023-12-31'], '2024-01-01'),
        ('daily', ['2024-03-01', '2024-02-29', '2024-02-28'], '2024-02-29'),
        ('monthly', ['2024-03-01', '2024-02-29', '2024-02-01'], '2024-02-29'),
        ('yearly', ['2024-12-31', '2024-02-29', '2023-12-31'], '2023-12-31'),
    ],
)
def test_calendar(rule, times, expected):
    found = kept(Rules(**{rule: 2}), *times)
    assert found == {
        times[0]: f'kept by {rule}',
        expected: f'kept by {rule}',
    }


def test_reasons():
    found = kept(Rules(last=1, daily=2), *DAYS)
    assert found == {DAYS[0]: 'kept by last, daily', DAYS[1]: 'kept by daily'}
    within = Rules(within=datetime.timedelta(hours=1), weekly=1)
    assert kept(within, *DAYS) == {DAYS[0]: 'kept by weekly, within'}
    assert kept(Rules(last=0), DAYS[0]) == {
        DAYS[0]: 'all retention rules are 0'
    }


def test_oldest_image_is_kept_while_a_rule_has_counts_left():
    day = ['2025-12-31T12:00:00Z', '2025-12-31T11:00:00Z', DAYS[2]]
    assert kept(Rules(daily=1), *day) == {day[0]: 'kept by daily'}
    assert kept(Rules(daily=2, monthly=9, yearly=1), *day) == {
        day[0]: 'kept by daily, monthly, yearly',
        day[2]: 'kept by daily (oldest), monthly (oldest)',
    }
    # What keeps the oldest image is a rule as the others.
    assert kept(Rules(last=1, daily=2), *day[:2]) == {
        day[0]: 'kept by last, daily',
        day[1]: 'kept by daily (oldest)',
    }


@pytest.mark.parametrize(
    'time', [None, '', 'yesterday', '0001-01-01T00:00:00+14:00']
)
def test_image_of_unknown_age_is_kept_and_not_counted(time):
    found = kept(Rules(last=1), time, DAYS[0], DAYS[1])
    assert found == {DAYS[0]: 'kept by last', time: UNKNOWN}


def test_image_of_the_future_is_kept_and_not_counted():
    now = '2026-01-02T00:00:00Z'
    soon = '2026-01-02T00:00:01Z'
    rules = Rules(last=1, within=datetime.timedelta(hours=1))
    assert [*kept(rules, soon, DAYS[0], now).items()] == [
        (now, 'kept by last, within'),
        (soon, FUTURE),
    ]
    assert kept(Rules(daily=9), soon, '2099-01-01', DAYS[2]) == {
        DAYS[2]: 'kept by daily',
        soon: FUTURE,
        '2099-01-01': FUTURE,
    }


def test_now_is_the_current_time_by_default():
    hour = datetime.timedelta(hours=1)
    now = datetime.datetime.now(datetime.UTC)
    times = [(now + n * hour).isoformat() for n in (1, -1, -2)]
    reasons = [r for _, r in retention.reasons(images(*times), Rules(last=1))]
    assert reasons == ['kept by last', None, FUTURE]


def test_times_are_compared_in_utc():
    found = kept(
        Rules(daily=1), '2026-01-01T01:00:00+03:00', '2025-12-31T23:00:00'
    )
    assert [*found] == ['2025-12-31T23:00:00']


def test_images_of_the_same_second_are_ordered_by_id():
    (first, why), *others = retention.reasons(
        images(*[DAYS[0]] * 3), Rules(last=1, daily=1), now=NOW
    )
    assert (first.id, why) == ('002', 'kept by last, daily')
    assert [(i.id, why) for i, why in others] == [('001', None), ('000', None)]


def test_invalid_rules():
    with pytest.raises(ValueError, match='at least one of: last, hourly'):
        Rules()
    with pytest.raises(ValueError, match='daily must not be negative'):
        Rules(daily=-1)
    with pytest.raises(ValueError, match='within must not be negative'):
        Rules(within=datetime.timedelta(seconds=-1))


FORMATS = {
    'hourly': '%Y-%m-%d %H',
    'daily': '%Y-%m-%d',
    'weekly': '%G %V',
    'monthly': '%Y-%m',
    'yearly': '%Y',
}


def kept_by_documents(images, rules):
    """Return the images to keep, by restic's documents.

    :param images: pairs of a time and an ID; the documents do not tell which
        of two images of the same time is the newer: here it is the ID
    """
    # "Duration related options ignore snapshots with a timestamp in the
    # future, and these snapshots will hence not be removed."
    future = {i for i in images if i[0] > NOW}
    past = sorted({*images} - future, reverse=True)
    rules = {rule: value for rule, value in rules.items() if value}
    if not rules or not past:
        # "If one were to specify --keep-last 0, restic will respond that no
        # snapshots will be removed."
        return {*images}
    # "A snapshot only needs to match a single option to be kept."
    found = {*future}
    for rule, value in rules.items():
        if rule == 'last':
            # "Keep the n last (most recent) snapshots."
            found |= {*past[:value]}
        elif rule == 'within':
            # "Keep snapshots that are newer than the duration relative to the
            # latest snapshot."
            found |= {i for i in past if i[0] > past[0][0] - value}
        else:
            # "For the last n hours which have one or more snapshots, keep
            # only the most recent one for each hour."
            periods = {i: i[0].strftime(FORMATS[rule]) for i in past}
            for period in sorted({*periods.values()}, reverse=True)[:value]:
                found.add(max(i for i in past if periods[i] == period))
            # "If there are not enough snapshots to keep one for each option,
            # the oldest snapshot is kept additionally."
            if len({*periods.values()}) < value:
                found.add(min(past))
    return found


HOUR = datetime.timedelta(hours=1)
#: The year that ends in week 53, leap days, the first day of a week and month.
EDGES = [
    datetime.datetime(2021, 1, 3, 23, 59, 59, tzinfo=datetime.UTC),
    datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC),
    datetime.datetime(2024, 12, 31, tzinfo=datetime.UTC),
    datetime.datetime(2025, 9, 1, tzinfo=datetime.UTC),
    NOW,
]
times_near = st.builds(
    lambda edge, unit, count: edge - unit * count,
    st.sampled_from(EDGES),
    st.sampled_from([HOUR, HOUR / 3600, HOUR * 24, HOUR * 24 * 90]),
    st.integers(-3, 12),
)
counts = st.none() | st.integers(0, 6)
rules_of_all_kinds = st.fixed_dictionaries(
    {
        **dict.fromkeys(('last', *FORMATS), counts),
        'within': st.none() | st.integers(0, 5000).map(HOUR.__mul__),
    }
).filter(lambda rules: any(v is not None for v in rules.values()))


@examples(400)
@given(times=st.lists(times_near, max_size=14), rules=rules_of_all_kinds)
def test_apply_agrees_with_restics_documents(times, rules):
    made = images(*(t.isoformat() for t in times))
    result = [*retention.reasons(made, Rules(**rules), now=NOW)]
    assert sorted(i.id for i, _ in result) == [i.id for i in made]
    found = {image.id for image, reason in result if reason is not None}
    pairs = [(t, image.id) for t, image in zip(times, made, strict=True)]
    assert found == {name for _, name in kept_by_documents(pairs, rules)}
    # No group loses its newest image.
    assert not result or result[0][1] is not None
