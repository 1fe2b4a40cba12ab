# SPDX-License-Identifier: Apache-2.0

"""The times of images: those that are read, and those that are not."""

import datetime

import pytest

from osc_compute_images.api import filters
from osc_compute_images.api import Image
from osc_compute_images.api.records import _times
from tests.unit.running import local_zone


@pytest.mark.parametrize(
    ('text', 'read'),
    [
        *(
            (text, '2026-01-01T12:00:00')
            for text in (
                *('2026-01-01T12:00:00Z', '2026-01-01t12:00:00z'),
                *('2026-01-01T17:30:00+05:30', '2026-01-01T10:30:00-0130'),
                *('2026-01-01T14:00:00+02', '2026-01-01 12:00:00'),
                *('20260101T120000Z', '2026-01-01T12:00', '2026-W01-4T12'),
            )
        ),
        ('2026-01-08T12:00:00.123456789Z', '2026-01-08T12:00:00.123456'),
        ('2026-01-01T12:00:00,5Z', '2026-01-01T12:00:00.500000'),
        ('2026-W02-1', '2026-01-05T00:00:00'),
        ('2025-12-31T23:59:60Z', '2026-01-01T00:00:00'),
        ('2025-12-31T235960.25', '2026-01-01T00:00:00.250000'),
        ('2026-01-01T05:29:60+05:30', '2026-01-01T00:00:00'),
        ('2025-12-31T24:00:00Z', '2026-01-01T00:00:00'),
        ('2025-12-31T24:00:00.00', '2026-01-01T00:00:00'),
        ('2025-12-31T24', '2026-01-01T00:00:00'),
    ],
)
def test_iso_8601_is_read(text, read):
    time = _times.parse(text)
    assert time.tzinfo is datetime.UTC
    assert time.replace(tzinfo=None).isoformat() == read


@pytest.mark.parametrize(
    'text',
    [
        *(None, '', 'x', '2026', '2026-01', '1767355200', '1712011200000'),
        *('2026-01-04 12:00:00 UTC', 'Thu, 01 Jan 2026 12:00:00 GMT'),
        *('2026-01-01X12:00:00Z', '2026-01-01T12:00:00Z ', '2026-01-01T'),
        *('0000-00-00T00:00:00Z', '0001-01-01T00:00:00+14:00'),
        *('2026-02-30T00:00:00Z', '2026-01-01T12:30:60Z'),
        *('2026-01-01T25:00:00Z', '20260101T1200000'),
        '\N{FULLWIDTH DIGIT TWO}026-01-01',
    ],
)
def test_anything_else_is_unreadable(text):
    assert _times.parse(text) is None


@pytest.mark.parametrize('age', ['30d', datetime.timedelta(days=30)])
def test_filters_take_ages(age):
    now = datetime.datetime.now(datetime.UTC)
    match = filters.created_before(age).matches
    assert match(Image(id='a', created=str(now - datetime.timedelta(31))))
    assert not match(Image(id='b', created=str(now - datetime.timedelta(29))))
    # Images have whole seconds: it is rounded up.
    moment = _times.moment(age)
    assert moment.microsecond == 0
    assert moment >= now - datetime.timedelta(30)


def test_times_are_sent_in_utc():
    with local_zone('EST5EDT,M3.2.0,M11.1.0'):
        for text, sent in (
            ('2026-01-01T12:00:00+02:00', '2026-01-01T10:00:00Z'),
            ('2026-01-01T12:00:00', '2026-01-01T12:00:00Z'),
            ('2026-01', '2026-01-01T00:00:00Z'),
            ('2026', '2026-01-01T00:00:00Z'),
        ):
            assert filters.changes_since(text).query == {'changes-since': sent}
        zoned = datetime.datetime.fromisoformat('2026-01-01T12:00:00+02:00')
        assert _times.moment(zoned).isoformat() == '2026-01-01T10:00:00+00:00'
