# SPDX-License-Identifier: Apache-2.0

"""Which servers are snapshotted, and under which names."""

import datetime

from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st
import pytest

from osc_compute_images.api import Image
from osc_compute_images.api import Server
from osc_compute_images.api import ServerRef
from osc_compute_images.api.snapshots import plan
from osc_compute_images.api.snapshots.plan import Action
from testbed import nova

NOW = datetime.datetime(2026, 11, 30, 2, 5, 9, tzinfo=datetime.UTC)
ID = [nova.image_id(n) for n in range(4)]
HOUR = datetime.timedelta(hours=1)


def server(number, **fields):
    values = {'name': f'web-{number}', 'status': 'ACTIVE', 'image_id': ID[0]}
    return Server(id=ID[number], **(values | fields))


def planned(servers, images=(), *args, **options):
    return plan.create(servers, images, *args, now=NOW, **options)


def test_names():
    steps = planned(
        [server(1), server(2, name='')], (), '{server}.{date}T{time}'
    )
    assert [s.name for s in steps] == [
        f'{name}.2026-11-30T020509' for name in ('web-1', ID[2])
    ]
    with pytest.raises(ValueError, match=r'\{day\} is not a field'):
        planned([], (), '{server}-{day}')


# One is named as another with its ID.
@example(['a', 'a', f'a-{ID[0]}'], '{server}')
@given(
    st.lists(
        st.sampled_from(['a', 'a-2026', '', '{date}', '{x}']), max_size=4
    ),
    st.sampled_from(['{server}', 'nightly', '{server}-{date}']),
)
def test_names_are_unique(names, template):
    servers = [server(n, name=name) for n, name in enumerate(names)]
    steps = planned(servers, (), template)
    assert len({s.name for s in steps}) == len(names)


@pytest.mark.parametrize(
    ('fields', 'reason'),
    [
        ({}, None),
        ({'status': 'shutoff'}, None),
        ({'task_state': 'image_uploading'}, 'it is busy: image_uploading'),
        ({'status': 'SHELVED'}, 'it is SHELVED'),
        ({'status': ''}, 'it is without a status'),
        ({'image_id': None}, 'it was booted from a volume'),
        (
            {'image_id': None, 'may_use_any_image': True},
            'Compute does not tell its state, as for a cell that is down',
        ),
        ({'name': 'x' * 250}, 'the name would have more than 255 characters'),
    ],
)
def test_servers_that_are_skipped(fields, reason):
    chosen = [server(1, **fields)]
    [step] = planned(chosen)
    assert step.reason == (reason or 'selected')
    assert step.action is (Action.SKIP if reason else Action.CREATE)
    # A server at rest, and one that is excluded, need no other try.
    settled = (None, 'it is SHELVED', 'it was booted from a volume')
    assert step.is_missed == (reason not in settled)
    [step] = planned(chosen, include_volumes=True)
    skips = reason not in (None, 'it was booted from a volume')
    assert step.action is (Action.SKIP if skips else Action.CREATE)


@pytest.mark.parametrize(
    ('of', 'hours', 'status', 'is_recent'),
    [
        (ID[1], 19, 'ACTIVE', True),
        (ID[1].upper(), 19, 'active', True),
        (ID[1], 20, 'ACTIVE', False),
        (ID[1], -3, 'ACTIVE', True),
        (ID[1], -21, 'ACTIVE', False),
        (ID[1], 1, 'SAVING', False),
        (ID[1], 1, 'ERROR', False),
        (ID[2], 1, 'ACTIVE', False),
    ],
)
def test_recent_snapshot(of, hours, status, is_recent):
    created = (NOW - hours * HOUR).isoformat()
    ref = ServerRef(of)
    image = Image(id=ID[3], status=status, created=created, server=ref)
    [step] = planned([server(1)], [image], not_within=20 * HOUR)
    assert step.action is (Action.SKIP if is_recent else Action.CREATE)
    [step] = planned([server(1)], [image])
    assert step.action is Action.CREATE
