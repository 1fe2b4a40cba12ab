# SPDX-License-Identifier: Apache-2.0

"""Snapshots are created, and what is told of them."""

import datetime

import pytest
import requests

from osc_compute_images.api import ConnectionFailed
from osc_compute_images.api import Forbidden
from osc_compute_images.api import InvalidProperty
from osc_compute_images.api import InvalidResponse
from osc_compute_images.api import NotFound
from osc_compute_images.api import Server
from osc_compute_images.api import ServerNotFound
from osc_compute_images.api.changes.plan import Result
from osc_compute_images.api.snapshots import plan
from osc_compute_images.api.snapshots.apply import apply
from testbed import nova
from testbed import records

SERVER = nova.image_id(1)
IMAGE = nova.image_id(2)
WEB = records.server(SERVER, 'web')
ACTION = f'{nova.ENDPOINT}/servers/{SERVER}/action'


def steps(**fields):
    servers = [Server(SERVER, 'web', 'ACTIVE', **fields)]
    return plan.create(servers, [], 'nightly', include_volumes=True)


STEPS = steps(image_id=IMAGE)


def test_create(api, http):
    http.post(ACTION, status_code=202, json={'image_id': IMAGE})
    got = api.create_snapshot(SERVER, 'nightly', properties={'a': 'b'})
    assert got == IMAGE
    sent = http.last_request
    wanted = {'name': 'nightly', 'metadata': {'a': 'b'}}
    assert sent.json() == {'createImage': wanted}
    assert sent.headers['OpenStack-API-Version'] == 'compute 2.45'
    before = http.call_count
    # These need no request.
    with pytest.raises(InvalidProperty):
        api.create_snapshot(SERVER, 'x', properties={'name': 'y'})
    with pytest.raises(TypeError):
        api.create_snapshot(None, 'x')
    with pytest.raises(ServerNotFound):
        api.create_snapshot('detail', 'x')
    assert http.call_count == before


LOST = {'exc': requests.ConnectionError}


@pytest.mark.parametrize(
    ('answer', 'minutes', 'is_found'),
    [
        *((LOST, 0, True), (LOST, 5, True), (LOST, 20, False)),
        *(
            ({'json': {'image_id': wrong}}, 20, False)
            for wrong in (None, 1, '../x')
        ),
    ],
)
def test_lost_response(api, http, answer, minutes, is_found):
    """The image is looked for; one of yesterday is another."""
    http.post(ACTION, **answer)
    ago = datetime.timedelta(minutes=minutes)
    created = (datetime.datetime.now(datetime.UTC) - ago).isoformat()
    image = nova.image(
        2, name='nightly', created=created, server={'id': SERVER}
    )
    http.get(nova.DETAIL, json=nova.page([image]))
    if is_found:
        assert api.create_snapshot(SERVER, 'nightly') == image['id']
    else:
        with pytest.raises((ConnectionFailed, InvalidResponse)):
            api.create_snapshot(SERVER, 'nightly')


@pytest.mark.parametrize(
    ('answer', 'result', 'image_id', 'error'),
    [
        ({'json': {'image_id': IMAGE}}, Result.DONE, IMAGE, type(None)),
        (nova.fault(409, 'x', 'Busy.'), Result.SKIPPED, None, type(None)),
        (nova.NO_ROUTE, Result.FAILED, None, NotFound),
        (nova.fault(403, 'x', 'No.'), Result.FAILED, None, Forbidden),
    ],
)
def test_outcomes(api, http, answer, result, image_id, error):
    http.post(ACTION, **answer)
    http.get(f'{nova.ENDPOINT}/servers/{SERVER}', json={'server': WEB})
    [outcome] = apply(api, STEPS)
    assert (outcome.result, outcome.image_id) == (result, image_id)
    assert type(outcome.error) is error


def test_server_that_is_gone(api, http):
    gone = nova.fault(404, 'itemNotFound', f'Instance {SERVER} not found.')
    http.post(ACTION, **gone)
    http.get(f'{nova.ENDPOINT}/servers/{SERVER}', **gone)
    [outcome] = apply(api, STEPS)
    assert (outcome.result, outcome.error) == (Result.GONE, None)


def test_wait(api, http, slept):
    """It ends with the status; a failed image is named."""
    http.post(ACTION, status_code=202, json={'image_id': IMAGE})
    statuses = ['SAVING', 'ACTIVE', 'SAVING', 'ERROR']
    http.get(
        f'{nova.ENDPOINT}/images/{IMAGE}',
        [{'json': {'image': nova.image(2, status=s)}} for s in statuses],
    )
    seen = []
    [done] = apply(
        api,
        STEPS,
        wait=True,
        on_create=lambda _step, image_id: seen.append(image_id),
        on_poll=lambda _step, image: seen.append(image.status),
    )
    assert (done.result, seen) == (Result.DONE, [IMAGE, 'SAVING', 'ACTIVE'])
    [failed] = apply(api, STEPS, wait=True)
    assert (failed.result, failed.image_id) == (Result.FAILED, IMAGE)


def test_server_of_a_snapshot_of_a_volume_is_recorded(api, http):
    """Nova does not record it."""
    http.post(ACTION, status_code=202, json={'image_id': IMAGE})
    todo = steps() + steps(task_state='x')
    done, skipped = apply(api, todo, properties={'a': 'b'})
    assert (done.result, skipped.result) == (Result.DONE, Result.SKIPPED)
    sent = http.last_request.json()['createImage']['metadata']
    assert sent == {'instance_uuid': SERVER, 'a': 'b'}
