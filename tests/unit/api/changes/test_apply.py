# SPDX-License-Identifier: Apache-2.0

"""The application of plans: its requests, and the outcomes of each kind.

That no server's image is lost, whatever happens meanwhile, is for the model of
plans: see ``test_plan_model.py``.
"""

import json
import time

import pytest
import requests

from osc_compute_images.api import ConnectionFailed
from osc_compute_images.api import Unauthorized
from osc_compute_images.api.changes import plan
from osc_compute_images.api.changes import retention
from osc_compute_images.api.changes.plan import Result
from osc_compute_images.api.changes.protection import Protection
from testbed import nova
from testbed.fleet import server
from tests.unit.running import DB
from tests.unit.running import ID
from tests.unit.running import new_fleet
from tests.unit.running import WEB

BOOTED = 'server web was booted from it'
SHELVED = 'server web, which is SHELVED, may be stored in it'
LIST = 'GET /servers/detail'
#: The server that the first snapshots were taken from.
SELF = f'GET /servers/{WEB}'


@pytest.fixture
def fleet(http):
    """Serve snapshots of two servers, and the image that one booted from."""
    return new_fleet().serve(http)


def when(fleet, request, act):
    """Let something happen right before each of some requests.

    :param request: how they begin, such as ``GET /servers``
    """

    def before(method, path):
        if f'{method} {path}'.startswith(request):
            act()

    fleet.before = before


def lose():
    raise requests.exceptions.ConnectionError('connection aborted')


def planned(api, *numbers, make=plan.delete):
    """Plan to delete some images, or all."""
    images = [*api.list_detail()]
    protection = Protection(api.usage(images))
    chosen = {*map(ID.__getitem__, numbers or range(6))}
    return make([i for i in images if i.id in chosen], protection)


def pruned(images, protection):
    return plan.prune(images, retention.Rules(last=1), protection)


def results(api, todo):
    return {
        o.step.image.id: (o.result.value, o.reason) for o in api.apply(todo)
    }


def test_everything_is_read_before_an_image_is_deleted(api, fleet):
    todo = planned(api, make=pruned)
    # Another spelling is no change.
    edit(status='active')(fleet)
    fleet.requests.clear()
    results(api, todo)
    # The image itself is read last.
    assert fleet.requests == [LIST] + [
        request
        for image, of, successor in ((4, DB, 5), (2, WEB, 3), (1, WEB, 3))
        for request in (
            f'GET /servers/{of}',
            f'GET /images/{ID[successor]}',
            f'GET /images/{ID[image]}',
            f'DELETE /images/{ID[image]}',
        )
    ]


def test_little_is_read_of_named_images(api, fleet):
    """Their servers were just read, before the first deletion."""
    images = [i for i in api.list_detail() if i.id in ID[1:3]]
    protection = Protection(api.usage(images), include_used=True)
    todo = plan.delete(images, protection, named=True)
    edit(name='new')(fleet)
    del fleet.images[ID[2]]
    fleet.requests.clear()
    assert results(api, todo) == {ID[1]: ('done', ''), ID[2]: ('gone', '')}
    deletions = [f'DELETE /images/{ID[n]}' for n in (2, 1)]
    assert fleet.requests == [deletions[0], SELF, deletions[1]]


LISTED = '[{"virtual": "ami"}]'
CHANGES = {
    'delete': plan.delete,
    'set': lambda i: plan.set_properties(i, {'a': 'b', 'mappings': LISTED}),
    'replace': lambda i: plan.set_properties(i, {'a': 'b'}, replace=True),
    'unset': lambda i: plan.unset_properties(i, ['os_distro', 'z']),
}


def edit(number=1, **fields):
    return lambda fleet: fleet.images[ID[number]].update(fields)


def remove(number=1):
    return lambda fleet: fleet.images.pop(ID[number], None)


def lose_deletion(fleet):
    edit(status='DELETED')(fleet)
    lose()


def boot(fleet):
    fleet.servers['x'] = server('x', 'new', image=ID[1])


def shelve(fleet):
    fleet.servers[WEB]['status'] = 'SHELVED'


def lose_cell(fleet):
    fleet.down = {WEB}


def demote(fleet):
    fleet.is_admin = False


def miss_server(fleet):
    """List no servers, and show them all the same."""
    fleet.servers = {} if WEB in fleet.servers else new_fleet().servers


def corrupt(fleet):
    fleet.images[ID[0]]['metadata']['block_device_mapping'] = 'text'


theirs = edit(0, metadata={'theirs': '1'})
GAP = 'It is unknown which images are in use: Compute'
REMOVAL = f'DELETE /images/{ID[0]}/metadata/'
KEPT = f'image {ID[3]}, which was to be kept instead, is '
CORRUPT = "The property 'block_device_mapping' of the image is a JSON string"
UNKNOWN = 'Compute does not tell the properties of the image'
#: The change of a plan, what happens before which of its requests, and the
#: outcome.
MEANWHILE = [
    ('delete', '', edit(status='ERROR'), 'skipped', 'its status changed from'),
    (
        *('delete', '', edit(**{'OS-EXT-IMG-SIZE:size': 1})),
        *('skipped', 'its size'),
    ),
    ('delete', LIST, boot, 'skipped', 'server new was booted from it'),
    ('delete', SELF, shelve, 'skipped', SHELVED),
    ('delete', LIST, lose_cell, 'skipped', GAP),
    ('delete', LIST, demote, 'failed', 'No. (HTTP 403)'),
    ('delete', LIST, lambda _fleet: lose(), 'failed', 'Unable to'),
    ('delete', 'GET /ser', miss_server, 'skipped', f'server {WEB} exists, an'),
    ('delete', '', remove(), 'gone', ''),
    ('delete', '', edit(status='DELETED'), 'gone', ''),
    ('delete', 'DELETE', remove(), 'gone', ''),
    ('delete', 'DELETE', lose_deletion, 'done', ''),
    ('prune', '', edit(3, status='ERROR'), 'skipped', f'{KEPT}ERROR'),
    ('prune', '', edit(3, status=''), 'skipped', f'{KEPT}without a status'),
    ('prune', '', remove(3), 'skipped', f'{KEPT}DELETED'),
    (
        *('set', 'POST', theirs, 'done'),
        'properties changed by others: os_distro, theirs, z',
    ),
    ('unset', f'{REMOVAL}os_distro', theirs, 'done', ''),
    ('unset', f'{REMOVAL}os_distro', remove(0), 'gone', ''),
    ('unset', f'{REMOVAL}z', remove(0), 'gone', ''),
    ('unset', '', corrupt, 'failed', CORRUPT),
    ('unset', '', edit(0, metadata=None), 'failed', UNKNOWN),
    ('set', '', edit(0, metadata=None), 'failed', UNKNOWN),
]


@pytest.mark.parametrize(
    ('change', 'request_', 'act', 'result', 'reason'), MEANWHILE
)
def test_image_or_server_changed(
    api, fleet, slept, monkeypatch, change, request_, act, result, reason
):
    number = 1
    if change in ('delete', 'prune'):
        every = change == 'prune'
        todo = planned(api, make=pruned) if every else planned(api, number)
    else:
        number = 0
        fleet.images[ID[0]]['metadata']['z'] = '1'
        todo = CHANGES[change]([api.get(ID[0])])
    # A machine that was just started.
    monkeypatch.setattr(time, 'monotonic', lambda: 0.5)
    when(fleet, request_, lambda: act(fleet))
    found, why = results(api, todo)[ID[number]]
    assert (found, why[: len(reason)]) == (result, reason)
    assert bool(why) == bool(reason)
    is_write = request_.startswith(('DELETE', 'POST'))
    assert any(ID[number] in write for write in fleet.writes) == is_write


@pytest.mark.parametrize(
    ('lost', 'refused', 'done'),
    [
        ((5, 4, 3), (), ()),
        ((5, 3, 2), (), (4, 1)),
        # Any answer counts.
        ((5, 3, 2), (4,), (1,)),
    ],
)
def test_plan_stops_after_three_unanswered_images_in_a_row(
    api, fleet, slept, lost, refused, done
):
    for number in refused:
        fleet.images[ID[number]]['metadata']['protected_here'] = '1'
    todo = planned(api)
    paths = tuple(f'/images/{ID[number]}' for number in lost)
    fleet.before = lambda _method, path: path in paths and lose()
    outcomes = [o for o in api.apply(todo) if o.result is not Result.KEPT]
    changed = [o.step.image.id for o in outcomes if o.result is Result.DONE]
    assert changed == [ID[n] for n in done]
    if not done:
        assert isinstance(outcomes[2].error, ConnectionFailed)
        assert all(o.error is outcomes[2].error for o in outcomes[2:])


def test_error_of_all_images_stops_the_plan(api, fleet, http):
    todo = planned(api)
    http.get(f'{nova.ENDPOINT}/images/{ID[5]}', status_code=401)
    first, *others = (
        o.error for o in api.apply(todo) if o.result is not Result.KEPT
    )
    assert isinstance(first, Unauthorized)
    assert others == [first] * 4
    assert not fleet.writes


@pytest.mark.parametrize('moment', ['before', 'after'])
@pytest.mark.parametrize('answer', ['readable', 'unreadable'])
@pytest.mark.parametrize('change', CHANGES)
def test_lost_response_to_change_is_verified(
    api, fleet, slept, moment, answer, change
):
    todo = CHANGES[change]([api.get(ID[0])])

    def lose_one(method, _path):
        if method == 'GET':
            return
        metadata = fleet.images.get(ID[0], {'metadata': {}})['metadata']
        # Nova decodes it whenever it reads the image.
        if 'mappings' in metadata:
            metadata['mappings'] = json.loads(LISTED)
        if answer == 'unreadable':
            when(fleet, 'GET', lose)
        lose()

    setattr(fleet, moment, lose_one)
    ((result, why),) = results(api, todo).values()
    is_done = moment == 'after' and answer == 'readable'
    assert (result, why == '') == ('done' if is_done else 'failed', is_done)
    assert len(fleet.writes) == 1


def test_property_that_cannot_be_removed_is_an_error(api, fleet, http):
    todo = CHANGES['unset']([api.get(ID[0])])
    url = f'{nova.ENDPOINT}/images/{ID[0]}/metadata/os_distro'
    http.delete(url, **nova.fault(400, 'badRequest', 'Locked.'))
    ((result, why),) = results(api, todo).values()
    assert (result, why[:7]) == ('failed', 'Locked.')
