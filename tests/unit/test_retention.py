# SPDX-License-Identifier: Apache-2.0

"""Retention rules, compared with a simple implementation."""

import datetime

from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.api import Image
from osc_compute_images.api import retention
from osc_compute_images.api.retention import Rules

DAYS = [
    '2026-01-01T10:00:00Z',
    '2025-12-31T23:59:59Z',
    '2025-12-31T00:00:00Z',
    '2025-12-28T12:00:00Z',
    '2025-11-30T12:00:00Z',
    '2024-12-31T12:00:00Z',
]


def images(*times):
    return [Image(id=f'{n:03}', created=time) for n, time in enumerate(times)]


def kept(rules, *times):
    """Return the times that are kept, with the reasons."""
    return {
        image.created: reasons
        for image, reasons in retention.apply(images(*times), rules)
        if reasons
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
        ({'yearly': 9}, [DAYS[0], DAYS[1], DAYS[5]]),
        ({'within': datetime.timedelta(hours=34)}, DAYS[:3]),
        ({'within': datetime.timedelta(hours=33)}, DAYS[:2]),
        ({'last': 1, 'yearly': 2}, DAYS[:2]),
        ({'daily': 0}, DAYS[:1]),
        ({'last': 0}, []),
        ({'last': 0, 'yearly': 1}, DAYS[:1]),
    ],
)
def test_rules(rules, expected):
    assert [*kept(Rules(**rules), *reversed(DAYS))] == expected


def test_reasons():
    found = kept(Rules(last=1, daily=2), *DAYS)
    assert found == {DAYS[0]: ('last', 'daily'), DAYS[1]: ('daily',)}
    within = Rules(within=datetime.timedelta(hours=1))
    assert kept(within, *DAYS) == {DAYS[0]: ('within',)}


def test_newest_image_is_kept_unless_last_is_zero():
    assert kept(Rules(daily=0), DAYS[0]) == {
        DAYS[0]: ('the last of its group',)
    }
    assert kept(Rules(last=0), DAYS[0]) == {}


@pytest.mark.parametrize(
    'time', [None, '', 'yesterday', '0001-01-01T00:00:00+14:00']
)
def test_image_of_unknown_age_is_kept_and_not_counted(time):
    found = kept(Rules(last=1), time, DAYS[0], DAYS[1])
    assert found == {
        DAYS[0]: ('last',),
        time: ('its creation time is unknown',),
    }


def test_times_are_compared_in_utc():
    found = kept(
        Rules(daily=1), '2026-01-01T01:00:00+03:00', '2025-12-31T23:00:00'
    )
    assert [*found] == ['2025-12-31T23:00:00']


def test_invalid_rules():
    with pytest.raises(ValueError, match='at least one of: last, hourly'):
        Rules()
    with pytest.raises(ValueError, match='daily must not be negative'):
        Rules(daily=-1)
    with pytest.raises(ValueError, match='within must not be negative'):
        Rules(within=datetime.timedelta(seconds=-1))


def kept_by_simple_rules(times, rules):
    """Return the times to keep, directly from the definition of each rule."""
    newest_first = sorted(times, reverse=True)
    found = set(newest_first[: rules.last or 0])
    for name, form in {
        'hourly': '%Y-%m-%d %H',
        'daily': '%Y-%m-%d',
        'weekly': '%G %V',
        'monthly': '%Y-%m',
        'yearly': '%Y',
    }.items():
        periods = sorted({t.strftime(form) for t in times}, reverse=True)
        for period in periods[: getattr(rules, name) or 0]:
            found.add(max(t for t in times if t.strftime(form) == period))
    if rules.within is not None:
        found |= {t for t in times if max(times) - t <= rules.within}
    if not found and times and rules.last != 0:
        found = {max(times)}
    return found


counts = st.none() | st.integers(0, 5)


@given(
    times=st.sets(
        st.datetimes(
            datetime.datetime(2020, 1, 1), datetime.datetime(2026, 12, 31)
        )
        | st.integers(0, 200).map(
            lambda hours: (
                datetime.datetime(2026, 1, 1) - datetime.timedelta(hours=hours)
            )
        ),
        max_size=30,
    ).map(lambda times: {t.replace(microsecond=0) for t in times}),
    rules=st.fixed_dictionaries(
        {
            'last': counts,
            'hourly': counts,
            'daily': counts,
            'weekly': counts,
            'monthly': counts,
            'yearly': counts,
            'within': st.none()
            | st.timedeltas(min_value=datetime.timedelta()),
        }
    ).filter(lambda rules: any(v is not None for v in rules.values())),
)
def test_apply_agrees_with_simple_implementation(times, rules):
    rules = Rules(**rules)
    found = kept(rules, *(f'{t.isoformat()}Z' for t in times))
    expected = {
        f'{t.isoformat()}Z' for t in kept_by_simple_rules(times, rules)
    }
    assert set(found) == expected
