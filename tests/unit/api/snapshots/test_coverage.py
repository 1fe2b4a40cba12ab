# SPDX-License-Identifier: Apache-2.0

"""What monitoring is told of the snapshots of servers."""

import datetime

from hypothesis import given
from hypothesis import strategies as st
import pytest

from osc_compute_images.api import Image
from osc_compute_images.api import Server
from osc_compute_images.api import ServerRef
from osc_compute_images.api.snapshots import coverage
from osc_compute_images.api.snapshots.coverage import Level
from osc_compute_images.api.snapshots.coverage import Rules
from testbed import nova

NOW = datetime.datetime(2026, 11, 30, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
RULES = Rules(critical=26 * HOUR, warning=25 * HOUR, stuck_after=4 * HOUR)
SERVER = Server(id=nova.image_id(0), name='web', status='ACTIVE')
UPPER = SERVER.id.upper()
UNREAD = Server(id=SERVER.id, status='UNKNOWN', may_use_any_image=True)


def image(hours, status='ACTIVE', number=1, of=UPPER):
    return Image(
        id=nova.image_id(number),
        status=status,
        created=None if hours is None else (NOW - hours * HOUR).isoformat(),
        server=of and ServerRef(of),
    )


def checked(found, rules=RULES, server=SERVER):
    [finding] = coverage.check([server], found, rules, now=NOW)
    return finding


images = st.lists(
    st.builds(
        image,
        st.sampled_from([None, -3, 0, 1, 5, 25, 25.5, 26, 27, 900]),
        st.sampled_from(['ACTIVE', 'active', 'SAVING', 'ERROR', None]),
        st.integers(0, 99),
        st.sampled_from([None, SERVER.id, 'other']),
    ),
    max_size=4,
    unique_by=lambda i: i.id,
)


@given(images, st.integers(1, 3), st.sampled_from([SERVER, UNREAD]))
def test_ok_only_if_it_is_true(found, count, server):
    """Whatever else there is, OK needs enough good and one new image."""
    finding = checked(
        found, Rules(critical=26 * HOUR, min_count=count), server
    )
    good = [
        NOW - image.created_at
        for image in found
        if image.server_id == SERVER.id
        and image.state == 'ACTIVE'
        and image.created_at is not None
        and image.created_at <= NOW
    ]
    if finding.level is Level.OK:
        assert len(good) >= count
        assert min(good) <= 26 * HOUR
        assert server is SERVER
    assert (finding.reason == '') == (finding.level is Level.OK)
    if not good:
        assert finding.level in (Level.UNKNOWN, Level.CRITICAL)


OLD = 'its newest good snapshot is {} old'
FUTURE = (
    f'image {nova.image_id(1)} is from the future; it may have too few good '
    f'snapshots'
)
STUCK = f'image {nova.image_id(2)} is stuck in SAVING'


@pytest.mark.parametrize(
    ('found', 'level', 'reason'),
    [
        ([], Level.CRITICAL, 'it has no good snapshot'),
        ([image(25)], Level.OK, ''),
        ([image(25.5)], Level.WARNING, OLD.format('25.5 hours')),
        ([image(72)], Level.CRITICAL, OLD.format('3 days')),
        ([image(-1)], Level.UNKNOWN, FUTURE),
        ([image(1), image(5, 'SAVING', 2)], Level.WARNING, STUCK),
        ([image(1), image(3, 'SAVING', 2)], Level.OK, ''),
    ],
)
def test_findings(found, level, reason):
    finding = checked(found)
    assert (finding.level, finding.reason) == (level, reason)


def test_image_that_is_listed_twice_counts_once():
    finding = checked([image(1), image(1, 'active')], Rules(min_count=2))
    assert finding.level is Level.CRITICAL
    assert finding.reason == 'it has 1 good snapshots of 2'


def test_worst():
    """An error that is known weighs more than what is unknown."""
    levels = [Level.OK, Level.WARNING, Level.UNKNOWN, Level.CRITICAL]
    for number in range(5):
        expected = levels[max(number - 1, 0)]
        assert coverage.worst(levels[:number]) is expected
