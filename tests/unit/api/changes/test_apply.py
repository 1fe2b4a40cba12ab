# SPDX-License-Identifier: Apache-2.0

"""The application of plans to a cloud that changes meanwhile."""

import json
import time

import pytest
import requests

from osc_compute_images.api import ConnectionFailed
from osc_compute_images.api import Forbidden
from osc_compute_images.api import ServerError
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
KEPT = ('kept', BOOTED)
#: The path of the server that the first snapshots were taken from.
SELF = f'/servers/{WEB}'


@pytest.fixture
def fleet(http):
    """Serve snapshots of two servers, and the image that one booted from."""
    return new_fleet().serve(http)


def planned(api, make=plan.delete, *, include_used=False, **options):
    images = [*api.list_detail()]
    usage = api.usage(images, **options)
    return make(images, Protection(usage, include_used=include_used))


def pruned(images, protection):
    return plan.prune(images, retention.Rules(last=1), protection)


def only(api, number, **options):
    """Plan to delete one image."""

    def make(images, protection):
        chosen = [i for i in images if i.id == ID[number]]
        return plan.delete(chosen, protection)

    return planned(api, make, **options)


def results(api, todo):
    return {
        o.step.image.id: (o.result.value, o.reason) for o in api.apply(todo)
    }


def requests_of(fleet, todo, api):
    fleet.requests.clear()
    results(api, todo)
    return fleet.requests


def test_plan_is_applied(api, fleet):
    todo = planned(api)
    assert not fleet.writes
    assert results(api, todo) == {
        ID[0]: KEPT,
        **dict.fromkeys(ID[1:6], ('done', '')),
    }
    assert [*fleet.images] == [ID[0]]
    # Applying it again deletes nothing.
    assert {r for r, _why in results(api, todo).values()} == {'gone', 'kept'}
    assert not planned(api).changes


def test_everything_is_read_before_an_image_is_deleted(api, fleet):
    sent = requests_of(fleet, planned(api, pruned), api)
    assert sent[0] == 'GET /servers/detail'
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


def test_plan_without_protection_reads_no_servers(api, fleet):
    todo = plan.delete(api.list_detail())
    sent = requests_of(fleet, todo, api)
    assert not [r for r in sent if 'servers' in r]
    assert not fleet.images


def test_named_images_are_deleted_without_further_requests(api, fleet):
    images = [i for i in api.list_detail() if i.id in ID[1:3]]
    todo = plan.delete(images, named=True)
    fleet.images[ID[1]]['name'] = 'new'
    del fleet.images[ID[2]]
    fleet.requests.clear()
    assert results(api, todo) == {ID[1]: ('done', ''), ID[2]: ('gone', '')}
    assert {*fleet.requests} == {f'DELETE /images/{i}' for i in ID[1:3]}


# --- what is skipped ------------------------------------------------------


def skipped(api, fleet, todo, number=1):
    """Apply a plan; return why an image was skipped."""
    result, why = results(api, todo)[ID[number]]
    assert result == 'skipped'
    assert f'DELETE /images/{ID[number]}' not in fleet.requests
    return why


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('status', 'ERROR'),
        ('name', 'new'),
        ('updated', '2027-01-01T00:00:00Z'),
    ],
)
def test_changed_image_is_skipped(api, fleet, field, value):
    todo = only(api, 1)
    was = fleet.images[ID[1]][field]
    fleet.images[ID[1]][field] = value
    why = f'its {field} changed from {was!r} to {value!r}'
    assert skipped(api, fleet, todo) == why


def test_status_is_compared_in_one_case(api, fleet):
    todo = only(api, 1)
    fleet.images[ID[1]]['status'] = 'active'
    assert results(api, todo) == {ID[1]: ('done', '')}


def test_new_server_keeps_its_image(api, fleet, monkeypatch):
    todo = planned(api)
    # A machine that was just started.
    monkeypatch.setattr(time, 'monotonic', lambda: 0.5)
    fleet.servers['x'] = server('x', 'new', image=ID[1])
    why = 'server new was booted from it'
    assert skipped(api, fleet, todo) == why


def test_servers_are_listed_again_after_a_while(api, fleet, slept):
    todo = planned(api)

    def boot(method, _path):
        if method == 'DELETE':
            fleet.servers['x'] = server('x', 'new', image=ID[1])
            time.sleep(100)

    fleet.before = boot
    why = 'server new was booted from it'
    assert skipped(api, fleet, todo) == why


@pytest.mark.parametrize('seen', ['in the list', 'by ID'])
def test_server_that_was_shelved_keeps_its_snapshots(api, fleet, seen):
    todo = only(api, 1, include_used=True)

    def shelve(_method, path):
        if path == ('/servers/detail' if seen == 'in the list' else SELF):
            fleet.servers[WEB]['status'] = 'SHELVED_OFFLOADED'

    fleet.before = shelve
    why = 'server web, which is SHELVED_OFFLOADED, may be stored in it'
    assert skipped(api, fleet, todo) == why


def test_gap_that_opens_meanwhile_keeps(api, fleet):
    todo = only(api, 4)
    fleet.down = {WEB}
    assert WEB in skipped(api, fleet, todo, 4)


def test_server_that_exists_and_is_not_listed_keeps(api, fleet):
    del fleet.servers[WEB]
    todo = only(api, 1)

    def restore(_method, path):
        if path == SELF:
            fleet.servers[WEB] = server(WEB, 'web')

    fleet.before = restore
    why = f'server {WEB} exists, and is not listed'
    assert skipped(api, fleet, todo) == why


def test_cell_that_fails_after_the_list_keeps(api, fleet):
    todo = only(api, 1)

    def lose(_method, path):
        if path == SELF:
            fleet.down = {WEB}

    fleet.before = lose
    why = f'server {WEB}, which is UNKNOWN, may be stored in it'
    assert skipped(api, fleet, todo) == why


def test_cell_that_older_compute_leaves_out_keeps(api, fleet):
    fleet.highest = (2, 68)
    fleet.down = {WEB}
    todo = only(api, 1)
    assert len(todo.changes) == 1
    (outcome,) = api.apply(todo)
    assert outcome.result is Result.FAILED
    assert isinstance(outcome.error, ServerError)
    assert not fleet.writes


def test_accepted_gaps_keep_the_snapshots_of_unread_servers(api, fleet):
    fleet.down = {WEB}
    todo = planned(api, accept_gaps=True)
    got = results(api, todo)
    assert [got[ID[n]][0] for n in range(6)] == [
        # Nobody knows what it was booted from.
        'done',
        *['kept'] * 3,
        *['done'] * 2,
    ]
    assert {*fleet.images} == {*ID[1:4]}


@pytest.mark.parametrize('status', ['ERROR', 'SAVING', '', None])
def test_successor_must_be_active(api, fleet, status):
    todo = planned(api, pruned)
    if status is None:
        del fleet.images[ID[3]]
    else:
        fleet.images[ID[3]]['status'] = status
    shown = {None: 'DELETED', '': 'without a status'}.get(status, status)
    why = f'image {ID[3]}, which was to be kept instead, is {shown}'
    assert skipped(api, fleet, todo, 2) == why
    assert skipped(api, fleet, todo, 1) == why
    assert ID[4] not in fleet.images


def test_successor_is_read_before_each_deletion(api, fleet):
    todo = planned(api, pruned)

    def spoil(method, path):
        if (method, path) == ('DELETE', f'/images/{ID[2]}'):
            fleet.images[ID[3]]['status'] = 'ERROR'

    fleet.before = spoil
    assert results(api, todo)[ID[2]] == ('done', '')
    assert ID[1] in fleet.images


# --- what is gone, and what fails -----------------------------------------


@pytest.mark.parametrize('how', ['missing', 'DELETED'])
def test_image_that_is_gone_was_not_deleted_by_the_plan(api, fleet, how):
    todo = only(api, 1)
    if how == 'missing':
        del fleet.images[ID[1]]
    else:
        fleet.images[ID[1]]['status'] = how
    assert results(api, todo) == {ID[1]: ('gone', '')}
    assert not fleet.writes


def test_image_deleted_by_others_right_before_is_gone(api, fleet):
    todo = only(api, 1)
    fleet.before = lambda method, _path: (
        method == 'DELETE' and fleet.images.pop(ID[1])
    )
    assert results(api, todo) == {ID[1]: ('gone', '')}


def test_servers_that_cannot_be_listed_fail(api, fleet, slept):
    todo = only(api, 1)

    def fail(_method, path):
        if path.startswith('/servers'):
            raise _Lost('refused')

    fleet.before = fail
    ((result, _why),) = results(api, todo).values()
    assert result == 'failed'
    assert not fleet.writes


def test_all_projects_never_become_the_own_one(api, fleet):
    todo = only(api, 1)
    fleet.is_admin = False
    (outcome,) = api.apply(todo)
    assert isinstance(outcome.error, Forbidden)
    assert not fleet.writes
    # A plan of the own project needs no more.
    assert results(api, only(api, 1)) == {ID[1]: ('done', '')}


def test_outcomes_are_told_until_an_interruption(api, fleet):
    todo = planned(api)
    told = []

    def interrupt(method, path):
        if (method, path) == ('GET', f'/images/{ID[3]}'):
            raise KeyboardInterrupt

    fleet.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        api.apply(todo, on_outcome=told.append)
    assert [(o.step.image.id, o.result) for o in told] == [
        (ID[5], Result.DONE),
        (ID[4], Result.DONE),
    ]
    assert len(fleet.writes) == 2
    fleet.before = lambda _method, _path: None
    told.clear()
    assert api.apply(todo, on_outcome=told.append) == told
    assert [o.result.value for o in told] == [
        *(['gone'] * 2 + ['done'] * 3 + ['kept'])
    ]


class _Lost(requests.exceptions.ConnectionError):
    pass


def losing(wanted):
    """Raise a connection error at requests with this method."""

    def lose(method, _path):
        if method == wanted:
            raise _Lost('connection aborted')

    return lose


def test_failure_does_not_stop_the_plan(api, fleet):
    fleet.images[ID[4]]['metadata']['protected_here'] = '1'
    todo = planned(api)
    outcomes = {o.step.image.id: o for o in api.apply(todo)}
    assert outcomes[ID[4]].result is Result.FAILED
    assert isinstance(outcomes[ID[4]].error, Forbidden)
    assert outcomes[ID[4]].reason == (
        'You are not allowed to delete the image. (HTTP 403)'
    )
    assert {*fleet.images} == {ID[0], ID[4]}


@pytest.mark.parametrize('moment', ['before', 'after'])
def test_lost_response_to_deletion_is_verified(api, fleet, slept, moment):
    todo = only(api, 1)
    setattr(fleet, moment, losing('DELETE'))
    ((result, why),) = results(api, todo).values()
    assert result == ('done' if moment == 'after' else 'failed')
    assert (why == '') == (moment == 'after')
    assert fleet.requests.count(f'DELETE /images/{ID[1]}') == 1


def test_image_with_status_deleted_counts_as_deleted(api, fleet, slept):
    todo = only(api, 1)

    def delete(method, _path):
        if method == 'DELETE':
            fleet.images[ID[1]]['status'] = 'DELETED'
            raise _Lost('connection aborted')

    fleet.before = delete
    assert results(api, todo) == {ID[1]: ('done', '')}


@pytest.mark.parametrize('moment', ['before', 'after'])
def test_lost_response_to_api_delete_is_verified(api, fleet, slept, moment):
    setattr(fleet, moment, losing('DELETE'))
    if moment == 'before':
        with pytest.raises(ConnectionFailed):
            api.delete(ID[1])
    else:
        api.delete(ID[1])
    assert fleet.writes == [f'DELETE /images/{ID[1]}']


def test_unverified_deletion_is_an_error(api, fleet, slept):
    fleet.before = losing('GET')
    fleet.after = losing('DELETE')
    with pytest.raises(ConnectionFailed):
        api.delete(ID[2])


def test_plan_stops_after_three_unanswered_images(api, fleet, slept):
    todo = planned(api)

    def fail(_method, path):
        if path.startswith('/images/'):
            raise _Lost('refused')

    fleet.before = fail
    fleet.requests.clear()
    got = [*api.apply(todo)]
    failed = [o for o in got if o.result is Result.FAILED]
    assert {o.step.image.id for o in failed} == {*ID[1:6]}
    assert isinstance(failed[2].error, ConnectionFailed)
    assert all(o.error is failed[2].error for o in failed[3:])
    assert {o.reason for o in failed[3:]} == {failed[2].reason}
    asked = {r for r in fleet.requests if r.startswith('GET /images/')}
    assert len(asked) == 3


@pytest.mark.parametrize('between', ['failed', 'done'])
def test_only_unanswered_images_in_a_row_stop_the_plan(
    api, fleet, slept, between
):
    if between == 'failed':
        fleet.images[ID[4]]['metadata']['protected_here'] = '1'
    todo = planned(api)

    def fail(_method, path):
        if path.removeprefix('/images/') in (ID[5], ID[3], ID[2]):
            raise _Lost('refused')

    fleet.before = fail
    got = results(api, todo)
    assert [got[ID[n]][0] for n in (5, 4, 3, 2, 1)] == [
        *('failed', between, 'failed', 'failed', 'done')
    ]


def test_lost_response_to_edit_of_a_list_is_verified(api, fleet, slept):
    images = [i for i in api.list_detail() if i.id == ID[1]]
    todo = plan.set_properties(images, {'mappings': '[{"virtual":"ami"}]'})

    def lose(method, _path):
        if method == 'POST':
            # Nova decodes it whenever it reads the image.
            stored = fleet.images[ID[1]]['metadata']
            stored['mappings'] = json.loads(stored['mappings'])
            raise _Lost('connection aborted')

    fleet.after = lose
    assert results(api, todo) == {ID[1]: ('done', '')}


def test_property_that_cannot_be_removed_is_an_error(api, fleet, http):
    images = [i for i in api.list_detail() if i.id == ID[0]]
    todo = plan.unset_properties(images, ['os_distro'])
    http.delete(
        f'{nova.ENDPOINT}/images/{ID[0]}/metadata/os_distro',
        status_code=400,
        json={'badRequest': {'code': 400, 'message': 'Locked.'}},
    )
    assert results(api, todo) == {ID[0]: ('failed', 'Locked. (HTTP 400)')}


def test_concurrent_change_is_reported(api, fleet):
    images = [i for i in api.list_detail() if i.id == ID[0]]
    todo = plan.set_properties(images, {'a': 'b'})

    def change(method, _path):
        if method == 'POST':
            fleet.images[ID[0]]['metadata'].update(theirs='1')
            del fleet.images[ID[0]]['metadata']['os_distro']

    fleet.before = change
    assert results(api, todo) == {
        ID[0]: ('done', 'properties changed by others: os_distro, theirs')
    }
    assert fleet.images[ID[0]]['metadata'] == {'a': 'b', 'theirs': '1'}


def test_property_removed_concurrently_counts_as_removed(api, fleet):
    images = [i for i in api.list_detail() if i.id == ID[0]]
    todo = plan.unset_properties(images, ['os_distro'])
    fleet.before = lambda method, _path: (
        method == 'DELETE' and fleet.images[ID[0]]['metadata'].clear()
    )
    assert results(api, todo) == {ID[0]: ('done', '')}


# --- properties -----------------------------------------------------------


def test_properties_are_set_and_unset(api, fleet):
    images = [i for i in api.list_detail() if i.id in ID[0:2]]
    before = dict(fleet.images[ID[0]]['metadata'])
    todo = plan.set_properties(images, {'a': 'b'})
    sent = requests_of(fleet, todo, api)
    assert sent == [
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


CHANGES = {
    'POST': lambda i: plan.set_properties(i, {'a': 'b'}),
    'PUT': lambda i: plan.set_properties(i, {'a': 'b'}, replace=True),
    'DELETE': lambda i: plan.unset_properties(i, ['os_distro']),
}


@pytest.mark.parametrize('moment', ['before', 'after'])
@pytest.mark.parametrize('answer', ['readable', 'unreadable'])
@pytest.mark.parametrize('method', CHANGES)
def test_lost_response_to_change_is_verified(
    api, fleet, slept, moment, answer, method
):
    todo = CHANGES[method]([api.get(ID[0])])

    def lose(sent, _path):
        if sent == method:
            if answer == 'unreadable':
                fleet.before = losing('GET')
            raise _Lost('connection aborted')

    setattr(fleet, moment, lose)
    ((result, why),) = results(api, todo).values()
    is_done = moment == 'after' and answer == 'readable'
    assert result == ('done' if is_done else 'failed')
    assert (why == '') == is_done


def test_image_deleted_during_change_is_gone(api, fleet):
    todo = plan.unset_properties([api.get(ID[0])], ['os_distro'])
    fleet.before = lambda method, _path: (
        method == 'DELETE' and fleet.images.pop(ID[0])
    )
    assert results(api, todo) == {ID[0]: ('gone', '')}
