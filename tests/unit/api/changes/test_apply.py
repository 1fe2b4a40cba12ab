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
from osc_compute_images.api import Forbidden
from osc_compute_images.api import ServerError
from osc_compute_images.api import Unauthorized
from osc_compute_images.api.changes import plan
from osc_compute_images.api.changes import retention
from osc_compute_images.api.changes.plan import Result
from osc_compute_images.api.changes.protection import Protection
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


def requests_of(fleet, todo, api):
    fleet.requests.clear()
    results(api, todo)
    return fleet.requests


def test_everything_is_read_before_an_image_is_deleted(api, fleet):
    todo = planned(api, make=pruned)
    # Another spelling is no change.
    edit(status='active')(fleet)
    sent = requests_of(fleet, todo, api)
    assert sent[0] == LIST
    checked = ((1, WEB, 3), (2, WEB, 3), (4, DB, 5))
    assert sorted(sent[1:]) == sorted(
        request
        for image, of, successor in checked
        for request in (
            f'GET /servers/{of}',
            f'GET /images/{ID[successor]}',
            f'GET /images/{ID[image]}',
            f'DELETE /images/{ID[image]}',
        )
    )
    # The image itself is read last.
    for image, _of, _successor in checked:
        deletion = sent.index(f'DELETE /images/{ID[image]}')
        assert sent[deletion - 1] == f'GET /images/{ID[image]}'


def test_what_is_not_protected_or_named_is_not_read(api, fleet):
    images = [i for i in api.list_detail() if i.id in ID[1:4]]
    sent = requests_of(fleet, plan.delete(images[:1]), api)
    assert sent == [f'{m} /images/{ID[3]}' for m in ('GET', 'DELETE')]
    todo = plan.delete(images[1:], named=True)
    fleet.images[ID[1]]['name'] = 'new'
    del fleet.images[ID[2]]
    fleet.requests.clear()
    assert results(api, todo) == {ID[1]: ('done', ''), ID[2]: ('gone', '')}
    assert {*fleet.requests} == {f'DELETE /images/{i}' for i in ID[1:3]}


# --- what is skipped ------------------------------------------------------


def edit(**fields):
    return lambda fleet: fleet.images[ID[1]].update(fields)


def boot(fleet):
    fleet.servers['x'] = server('x', 'new', image=ID[1])


def shelve(fleet):
    fleet.servers[WEB]['status'] = 'SHELVED'


def lose_cell(fleet):
    fleet.down = {WEB}


@pytest.mark.parametrize(
    ('request_', 'act', 'reason'),
    [
        ('', edit(status='ERROR'), "its status changed from 'ACTIVE' to "),
        ('', edit(name='new'), "its name changed from 'cirros-1' to 'new'"),
        ('', edit(updated='2027'), "its updated changed from '2026-11-23T"),
        ('', edit(**{'OS-EXT-IMG-SIZE:size': 1}), 'its size changed from '),
        (LIST, boot, 'server new was booted from it'),
        (LIST, shelve, SHELVED),
        (SELF, shelve, SHELVED),
        (LIST, lose_cell, 'It is unknown which images are in use: Compute'),
        # It was listed before.
        (SELF, lose_cell, f'server {WEB}, which is UNKNOWN, may be stored'),
    ],
)
def test_image_is_skipped_if_it_or_a_server_changed(
    api, fleet, monkeypatch, request_, act, reason
):
    todo = planned(api, 1)
    # A machine that was just started.
    monkeypatch.setattr(time, 'monotonic', lambda: 0.5)
    when(fleet, request_, lambda: act(fleet))
    ((result, why),) = results(api, todo).values()
    assert (result, why[: len(reason)]) == ('skipped', reason)
    assert not fleet.writes


def test_server_that_exists_and_is_not_listed_keeps(api, fleet):
    web = fleet.servers.pop(WEB)
    todo = planned(api, 1)
    when(fleet, SELF, lambda: fleet.servers.update({WEB: web}))
    why = f'server {WEB} exists, and is not listed'
    assert results(api, todo) == {ID[1]: ('skipped', why)}


@pytest.mark.parametrize(
    ('status', 'shown'),
    [('ERROR', 'ERROR'), ('', 'without a status'), (None, 'DELETED')],
)
def test_successor_must_be_active(api, fleet, status, shown):
    todo = planned(api, make=pruned)
    if status is None:
        del fleet.images[ID[3]]
    else:
        fleet.images[ID[3]]['status'] = status
    why = f'image {ID[3]}, which was to be kept instead, is {shown}'
    found = results(api, todo)
    assert [found[i] for i in ID[1:3]] == [('skipped', why)] * 2
    assert found[ID[4]] == ('done', '')


# --- what is gone, and what fails -----------------------------------------


@pytest.mark.parametrize('how', ['missing', 'DELETED', 'right before'])
def test_image_that_is_gone_was_not_deleted_by_the_plan(api, fleet, how):
    todo = planned(api, 1)
    if how == 'DELETED':
        edit(status=how)(fleet)
    else:
        request = 'DELETE' if how == 'right before' else ''
        when(fleet, request, lambda: fleet.images.pop(ID[1], None))
    assert results(api, todo) == {ID[1]: ('gone', '')}
    assert len(fleet.writes) == (how == 'right before')


def demote(fleet):
    fleet.is_admin = False


@pytest.mark.parametrize(
    ('change', 'error'),
    [
        (demote, Forbidden),
        # An older Compute left out this cell before.
        (lose_cell, ServerError),
        (lambda fleet: when(fleet, LIST, lose), ConnectionFailed),
    ],
)
def test_servers_that_cannot_be_read_fail(api, fleet, slept, change, error):
    fleet.highest = (2, 68)
    todo = planned(api, 1)
    change(fleet)
    (outcome,) = api.apply(todo)
    assert outcome.result is Result.FAILED
    assert isinstance(outcome.error, error)
    assert not fleet.writes


def test_outcomes_are_told_until_an_interruption(api, fleet):
    todo = planned(api)
    told = []

    def interrupt():
        raise KeyboardInterrupt

    when(fleet, f'GET /images/{ID[3]}', interrupt)
    with pytest.raises(KeyboardInterrupt):
        api.apply(todo, on_outcome=told.append)
    assert [o.step.image.id for o in told] == [ID[5], ID[4]]
    when(fleet, '', lambda: None)
    assert [result for result, _why in results(api, todo).values()] == [
        *('gone', 'gone', 'done', 'done', 'done', 'kept')
    ]


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
    url = f'{api.adapter.get_endpoint()}/images/{ID[5]}'
    http.get(url, status_code=401)
    outcomes = [o for o in api.apply(todo) if o.result is not Result.KEPT]
    assert isinstance(outcomes[0].error, Unauthorized)
    assert all(o.error is outcomes[0].error for o in outcomes)
    assert len(outcomes) == 5
    assert not fleet.writes


LISTED = '[{"virtual": "ami"}]'
CHANGES = {
    'delete': plan.delete,
    'set': lambda i: plan.set_properties(i, {'a': 'b', 'mappings': LISTED}),
    'replace': lambda i: plan.set_properties(i, {'a': 'b'}, replace=True),
    'unset': lambda i: plan.unset_properties(i, ['os_distro']),
}


@pytest.mark.parametrize('moment', ['before', 'after'])
@pytest.mark.parametrize('answer', ['readable', 'unreadable', 'DELETED'])
@pytest.mark.parametrize('change', CHANGES)
def test_lost_response_to_change_is_verified(
    api, fleet, slept, moment, answer, change
):
    todo = CHANGES[change]([api.get(ID[0])])

    def lose_one(method, _path):
        if method == 'GET':
            return
        image = fleet.images.get(ID[0], {'metadata': {}})
        # Nova decodes it whenever it reads the image.
        if 'mappings' in image['metadata']:
            image['metadata']['mappings'] = json.loads(LISTED)
        image['status'] = 'DELETED' if answer == 'DELETED' else 'ACTIVE'
        if answer == 'unreadable':
            when(fleet, 'GET', lose)
        lose()

    setattr(fleet, moment, lose_one)
    ((result, why),) = results(api, todo).values()
    is_done = moment == 'after' and answer != 'unreadable'
    if change == 'delete' and answer == 'DELETED':
        is_done = True
    assert result == ('done' if is_done else 'failed')
    assert (why == '') == is_done
    assert len(fleet.writes) == 1


# --- properties -----------------------------------------------------------


def test_properties_are_set_and_unset(api, fleet):
    images = [i for i in api.list_detail() if i.id in ID[0:2]]
    before = dict(fleet.images[ID[0]]['metadata'])
    todo = plan.set_properties(images, {'a': 'b'})
    assert requests_of(fleet, todo, api) == [
        request
        for i in (ID[1], ID[0])
        for request in (f'GET /images/{i}', f'POST /images/{i}/metadata')
    ]
    assert fleet.images[ID[0]]['metadata'] == {**before, 'a': 'b'}
    todo = plan.unset_properties(api.list_detail(), ['a'])
    assert {*results(api, todo).values()} == {
        ('done', ''),
        ('kept', 'it has none of these properties'),
    }
    assert fleet.images[ID[0]]['metadata'] == before
    todo = plan.set_properties(
        [api.get(ID[0])], {'a': 'b'}, replace=True, named=True
    )
    assert results(api, todo) == {ID[0]: ('done', '')}
    assert fleet.images[ID[0]]['metadata'] == {'a': 'b'}


def test_concurrent_change_is_reported(api, fleet):
    todo = CHANGES['set']([api.get(ID[0])])

    def change():
        fleet.images[ID[0]]['metadata'] = {'theirs': '1'}

    when(fleet, 'POST', change)
    assert results(api, todo) == {
        ID[0]: ('done', 'properties changed by others: os_distro, theirs')
    }


@pytest.mark.parametrize('what', ['image', 'property'])
@pytest.mark.parametrize('which', ['os_distro', 'z'])
def test_property_removed_concurrently_counts_as_removed(
    api, fleet, what, which
):
    image = fleet.images[ID[0]]
    image['metadata']['z'] = '1'
    todo = plan.unset_properties([api.get(ID[0])], ['os_distro', 'z'])
    gone = fleet.images if what == 'image' else image['metadata']
    request = f'DELETE /images/{ID[0]}/metadata/{which}'
    when(fleet, request, gone.clear)
    result = 'gone' if what == 'image' else 'done'
    assert results(api, todo) == {ID[0]: (result, '')}


@pytest.mark.parametrize('change', ['set', 'unset'])
def test_property_that_would_be_corrupted_meanwhile_is_an_error(
    api, fleet, change
):
    images = [api.get(ID[0])]
    todo = plan.set_properties(images, {'a': 'b'})
    if change == 'unset':
        todo = CHANGES['unset'](images)
    fleet.images[ID[0]]['metadata']['mappings'] = 'text'
    ((result, why),) = results(api, todo).values()
    assert (result, fleet.writes) == ('failed', [])
    assert "'mappings'" in why


def test_property_that_cannot_be_removed_is_an_error(api, fleet, http):
    todo = CHANGES['unset']([api.get(ID[0])])
    http.delete(
        f'{api.adapter.get_endpoint()}/images/{ID[0]}/metadata/os_distro',
        status_code=400,
        json={'badRequest': {'code': 400, 'message': 'Locked.'}},
    )
    assert results(api, todo) == {ID[0]: ('failed', 'Locked. (HTTP 400)')}
