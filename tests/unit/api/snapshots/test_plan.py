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


def taken(server_id, age, status='ACTIVE'):
    created = (NOW - age).isoformat()
    ref = ServerRef(server_id)
    return Image(id=ID[3], status=status, created=created, server=ref)


def planned(servers, images=(), *args, **options):
    return plan.create(servers, images, *args, now=NOW, **options)


def test_names():
    steps = planned(
        [server(1), server(2, name='')], (), '{server}.{date}T{time}'
    )
    assert [s.name for s in steps] == [
        'web-1.2026-11-30T020509',
        f'{ID[2]}.2026-11-30T020509',
    ]


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


def test_unknown_field_of_a_name():
    with pytest.raises(ValueError, match=r'\{day\} is not a field'):
        planned([], (), '{server}-{day}')


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
    [step] = planned([server(1, **fields)])
    assert step.reason == (reason or 'selected')
    assert step.action is (Action.SKIP if reason else Action.CREATE)


def test_volumes_are_included_if_asked_for():
    [step] = planned([server(1, image_id=None)], include_volumes=True)
    assert step.action is Action.CREATE


@pytest.mark.parametrize(
    ('image', 'is_recent'),
    [
        (taken(ID[1], 19 * HOUR), True),
        (taken(ID[1].upper(), 19 * HOUR), True),
        (taken(ID[1], 20 * HOUR), False),
        (taken(ID[1], -3 * HOUR), True),
        (taken(ID[1], -21 * HOUR), False),
        (taken(ID[1], HOUR, 'SAVING'), False),
        (taken(ID[1], HOUR, 'ERROR'), False),
        (taken(ID[2], HOUR), False),
    ],
)
def test_recent_snapshot(image, is_recent):
    [step] = planned([server(1)], [image], not_within=20 * HOUR)
    assert step.action is (Action.SKIP if is_recent else Action.CREATE)
    [step] = planned([server(1)], [image])
    assert step.action is Action.CREATE
