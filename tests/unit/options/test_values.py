# SPDX-License-Identifier: Apache-2.0

"""Values of options."""

import argparse
import contextlib
import datetime
import re

from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.options import amounts
from osc_compute_images.options import parsers
from tests.unit.project.examples import examples

FORM = '%Y-%m-%dT%H:%M:%SZ'
READERS = (
    parsers.positive_integer,
    parsers.seconds,
    parsers.status,
    amounts.comparison,
    parsers.property_choice,
    parsers.span,
    parsers.time_or_age,
    amounts.size,
    parsers.regular_expression,
    parsers.group_keys,
)


@pytest.mark.parametrize(
    ('read', 'text', 'value'),
    [
        (parsers.positive_integer, '1', 1),
        (parsers.positive_integer, '0100', 100),
        (parsers.seconds, '90', 90),
        (parsers.seconds, '0.5', 0.5),
        (parsers.status, 'ACTIVE', 'ACTIVE'),
        (parsers.status, 'saving', 'saving'),
        (amounts.comparison, '10', {'exactly': 10}),
        (amounts.comparison, '=10', {'exactly': 10}),
        (amounts.comparison, '>=10', {'at_least': 10}),
        (amounts.comparison, '<= 20', {'at_most': 20}),
        (amounts.comparison, ' >0 ', {'more_than': 0}),
        (amounts.comparison, '<5', {'less_than': 5}),
        (parsers.property_choice, 'a=b', ('a', 'b', True)),
        (parsers.property_choice, 'a=', ('a', '', True)),
        (parsers.property_choice, 'a', ('a', None, True)),
        (parsers.property_choice, 'a=b=c', ('a', 'b=c', True)),
        (parsers.property_choice, 'a!=b', ('a', 'b', False)),
        (parsers.property_choice, 'a!=', ('a', '', False)),
        (parsers.property_choice, 'a=!=b', ('a', '!=b', True)),
        (parsers.property_choice, 'a!', ('a!', None, True)),
        (parsers.property_choice, 'a!!=b', ('a!', 'b', False)),
        (parsers.group_keys, 'name', ('name',)),
        (parsers.group_keys, 'type,property:a', ('type', 'property:a')),
    ],
)
def test_valid_values(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    ('read', 'text'),
    [
        *[
            (parsers.positive_integer, text)
            for text in ('', '0', '-1', '1.5', ' 1', '1_0', 'ten', '²')
        ],
        *[
            (parsers.seconds, text)
            for text in ('', '0', '-1', 'nan', 'inf', '1e999', 'soon')
        ],
        *[(parsers.status, text) for text in ('', 'queued', 'ACTIVE ')],
        *[
            (amounts.comparison, text)
            for text in ('', '>=', '=>10', '-1', '1.5', '10GB', '==1', '!=1')
        ],
        *[(parsers.property_choice, text) for text in ('', '=', '=b')],
        *[
            (parsers.time_or_age, text)
            for text in (
                '',
                'now',
                'yesterday',
                '-1d',
                '1.5h',
                '1Y',
                '24h30m',
                '90m',
                '6m',
                '30min24h',
                '1d1d',
                '1784113200000',
                '2026-11-23X16:11',
                '24 h',
                '1700000000',
                '2026-13-01',
                '2026-02-30',
                '2026-11-23T25:00',
                '999999999w',
                '99999999999999999999min',
                '9999-12-31T23:59:59.5',
                '0001-01-01T00:00+02:00',
            )
        ],
    ],
)
def test_invalid_value_error_repeats_value(read, text):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        read(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize('read', [parsers.span, parsers.time_or_age])
@pytest.mark.parametrize('text', ['6m', '7D', '999999999y'])
def test_error_of_a_span_names_the_units(read, text):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        read(text)
    assert repr(text) in str(caught.value)
    assert '(units: y of 365 days, w, d, h and min' in str(caught.value)


@pytest.mark.parametrize(
    ('text', 'span'),
    [
        ('0d', datetime.timedelta()),
        ('90min', datetime.timedelta(minutes=90)),
        ('1y5d', datetime.timedelta(days=370)),
    ],
)
def test_spans(text, span):
    assert parsers.span(text) == span


def test_an_empty_text_is_not_parsed():
    read = parsers.not_empty(int)
    assert read('7') == 7
    with pytest.raises(argparse.ArgumentTypeError, match='value is empty'):
        read('')


def test_unknown_status_error_lists_statuses():
    with pytest.raises(
        argparse.ArgumentTypeError,
        match='ACTIVE, SAVING, ERROR, DELETED, UNKNOWN',
    ):
        parsers.status('queued')


@pytest.mark.parametrize('read', READERS)
@given(
    text=st.text(max_size=12)
    | st.from_regex(r'[-+0-9a-zTW:=<>.,/ ]{0,25}', fullmatch=True)
    | st.integers(0).map(str)
    | st.just('9' * 5000)
    | st.just('9' * 5000 + 'w')
)
@examples()
def test_any_text_is_valid_or_an_argparse_error(read, text):
    with contextlib.suppress(argparse.ArgumentTypeError, ValueError):
        read(text)


@pytest.mark.parametrize(
    ('text', 'time'),
    [
        ('2026', '2026-01-01T00:00:00Z'),
        ('2026-11', '2026-11-01T00:00:00Z'),
        ('2026-11-23', '2026-11-23T00:00:00Z'),
        ('20261123', '2026-11-23T00:00:00Z'),
        ('2026-W48-1', '2026-11-23T00:00:00Z'),
        ('2026-11-23T16:11', '2026-11-23T16:11:00Z'),
        ('2026-11-23 16:11:28', '2026-11-23T16:11:28Z'),
        ('20261123T161128Z', '2026-11-23T16:11:28Z'),
        ('2026-11-23T16:11:28Z', '2026-11-23T16:11:28Z'),
        ('2026-11-23T16:11:28+00:00', '2026-11-23T16:11:28Z'),
        ('2026-11-23T16:11:28+0200', '2026-11-23T14:11:28Z'),
        ('2026-11-23T16:11:28-05:30', '2026-11-23T21:41:28Z'),
        ('2026-12-31T23:59:59.000001Z', '2027-01-01T00:00:00Z'),
        ('0999-01-01', '0999-01-01T00:00:00Z'),
    ],
)
def test_times_are_converted_to_utc(text, time):
    assert parsers.time_or_age(text) == time


@pytest.mark.parametrize(
    ('text', 'span'),
    [
        ('0min', datetime.timedelta()),
        ('90min', datetime.timedelta(minutes=90)),
        ('24h', datetime.timedelta(days=1)),
        ('7d', datetime.timedelta(days=7)),
        ('2w', datetime.timedelta(days=14)),
        ('24h30min', datetime.timedelta(days=1, minutes=30)),
        ('1y2w3d4h5min', datetime.timedelta(382, hours=4, minutes=5)),
    ],
)
def test_span_is_an_age(text, span):
    before = datetime.datetime.now(datetime.UTC)
    read = parsers.time_or_age(text)
    after = datetime.datetime.now(datetime.UTC)
    time = datetime.datetime.strptime(read, FORM).replace(tzinfo=datetime.UTC)
    second = datetime.timedelta(seconds=1)
    assert before - span <= time <= after - span + second


@given(
    st.datetimes(
        datetime.datetime(1000, 1, 2),
        datetime.datetime(9999, 12, 30),
        timezones=st.integers(-1439, 1439).map(
            lambda m: datetime.timezone(datetime.timedelta(minutes=m))
        ),
    )
)
@examples()
def test_times_are_rounded_up_to_seconds(time):
    read = parsers.time_or_age(time.isoformat())
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', read)
    sent = datetime.datetime.fromisoformat(read)
    # Images have whole seconds, so none lies between the two.
    assert time <= sent < time + datetime.timedelta(seconds=1)
