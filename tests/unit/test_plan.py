# SPDX-License-Identifier: Apache-2.0

"""Plans, and their application to a cloud that changes meanwhile."""

import datetime
import json
import time

import msgspec
import pytest
import requests

from osc_compute_images.api import ConnectionFailed
from osc_compute_images.api import Forbidden
from osc_compute_images.api import Image
from osc_compute_images.api import InvalidProperty
from osc_compute_images.api import plan
from osc_compute_images.api import PlanRefused
from osc_compute_images.api import retention
from osc_compute_images.api import Server
from osc_compute_images.api import ServerList
from osc_compute_images.api.plan import Action
from osc_compute_images.api.plan import Plan
from osc_compute_images.api.plan import Result
from osc_compute_images.api.protection import Protection
from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from testbed.fleet import snapshot

ID = [nova.image_id(n) for n in range(10)]
WEB = 'b0a2f2d4-0000-4000-8000-000000000001'
DB = 'b0a2f2d4-0000-4000-8000-000000000002'
BOOTED = 'server web was booted from it'
SHELVED_IN = 'shelved server web may be stored in it'


def day(number):
    return f'2025-11-{number:02}T12:00:00Z'


@pytest.fixture
def fleet(http):
    """Serve snapshots of two servers, and the image that one booted from."""
    return Fleet(
        [
            nova.image(0, created='2025-10-01T12:00:00Z'),
            *(snapshot(n, WEB, created=day(n)) for n in (1, 2, 3)),
            *(snapshot(n, DB, created=day(n)) for n in (4, 5)),
        ],
        [server(WEB, 'web', image=ID[0]), server(DB, 'db')],
    ).serve(http)


def planned(api, make=plan.delete, **options):
    images = [*api.list_detail()]
    return make(images, Protection(api.servers(), images, **options))


def actions(todo):
    return {s.image.id: (s.action.value, s.reason) for s in todo.steps}


def results(api, todo):
    return {
        o.step.image.id: (o.result.value, o.reason) for o in api.apply(todo)
    }


def only(api, number, **options):
    """Plan to delete one image."""
    images = [*api.list_detail()]
    protection = Protection(api.servers(), images, **options)
    return plan.delete([i for i in images if i.id == ID[number]], protection)


def test_plans_are_equal_if_their_steps_are(api, fleet):
    images = [*api.list_detail()]
    plans = [
        plan.delete(images[:3], Protection(ServerList(()), images))
        for _ in range(2)
    ]
    assert plans[0] == plans[1]
    assert plans[0] != plan.delete(images[:2], plans[0].protection)


def test_defaults_of_steps_and_outcomes():
    step = plan.Step(image=Image(id='x'), action=Action.DELETE, reason='why')
    assert (step.properties, step.keys, step.successor) == ({}, (), None)
    outcome = plan.Outcome(step=step, result=Result.DONE)
    assert (outcome.reason, outcome.error) == ('', None)


def test_plan_is_applied(api, fleet):
    todo = planned(api)
    assert actions(todo) == {
        ID[0]: ('keep', BOOTED),
        **dict.fromkeys(ID[1:6], ('delete', 'chosen')),
    }
    assert [s.image.id for s in todo.kept] == [ID[0]]
    assert not fleet.writes
    assert results(api, todo) == {
        ID[0]: ('kept', BOOTED),
        **dict.fromkeys(ID[1:6], ('done', '')),
    }
    assert [*fleet.images] == [ID[0]]
    # Applying it again deletes nothing.
    assert {r for r, _why in results(api, todo).values()} == {'gone', 'kept'}
    assert not planned(api).changes


def test_deletion_takes_two_requests_per_image(api, fleet):
    todo = planned(api)
    fleet.requests.clear()
    results(api, todo)
    assert fleet.requests[0] == 'GET /servers/detail'
    assert fleet.requests[1:] == [
        f'{method} /images/{i}'
        for i in (ID[5], ID[4], ID[3], ID[2], ID[1])
        for method in ('GET', 'DELETE')
    ]


@pytest.mark.parametrize(
    ('images', 'servers', 'expected'),
    [
        # Only the snapshot that has the name of a shelved server.
        (
            [('a', 'web-shelved', WEB), ('b', 'nightly', WEB)],
            [Server(WEB, 'web', 'SHELVED_OFFLOADED', 'base')],
            {'a': SHELVED_IN, 'b': None},
        ),
        # All snapshots of the server, if none has that name.
        (
            [('a', 'x', WEB), ('b', 'nightly', WEB), ('c', 'n', DB)],
            [Server(WEB, 'web', 'SHELVED', 'base')],
            {'a': SHELVED_IN, 'b': SHELVED_IN, 'c': None},
        ),
        (
            [('a', 'x', None), ('b', 'y', None)],
            [Server(WEB, 'web', image_id='a'), Server(DB, 'db', image_id='a')],
            {'a': 'servers web and 1 more were booted from it', 'b': None},
        ),
        (
            [('a', 'x', None)],
            [Server(WEB, image_id='A')],
            {'a': f'server {WEB} was booted from it'},
        ),
    ],
)
def test_images_in_use_are_protected(images, servers, expected):
    made = [made_image(*image) for image in images]
    protection = Protection(ServerList(tuple(servers)), made)
    assert {i.id: protection.reason(i) for i in made} == expected
    # include_used deletes images in use, but not those of shelved servers.
    protection = Protection(
        ServerList(tuple(servers)), made, include_used=True
    )
    assert {i.id: protection.reason(i) for i in made} == {
        k: v if v == SHELVED_IN else None for k, v in expected.items()
    }
    # Images that are named are not protected.
    protection = Protection(ServerList(tuple(servers)), made, named=expected)
    assert {protection.reason(i) for i in made} == {None}
    assert {s.reason for s in plan.delete(made, protection).steps} == {'named'}


def made_image(image_id, name, server_id, **fields):
    document = {
        'id': 'any',
        'name': name,
        'status': 'ACTIVE',
        **({'server': {'id': server_id}} if server_id else {}),
        **fields,
    }
    made = msgspec.convert(document, Image)
    # It may be one that no decoded image has.
    return msgspec.structs.replace(made, id=image_id)


def test_kernels_and_ramdisks_are_protected():
    images = [
        made_image('k', 'vmlinuz', None),
        made_image('m', 'machine', None, metadata={'kernel_id': 'k'}),
    ]
    reason = 'it is the kernel or ramdisk of image machine'
    servers = ServerList(())
    assert Protection(servers, images).reason(images[0]) == reason
    assert Protection(servers, images).reason(images[1]) is None
    used = Protection(servers, images, include_used=True)
    assert used.reason(images[0]) is None


@pytest.mark.parametrize(
    ('status', 'action'),
    [
        ('ACTIVE', 'delete'),
        ('ERROR', 'delete'),
        ('SAVING', 'keep'),
        ('UNKNOWN', 'keep'),
        ('DELETED', 'keep'),
        (None, 'keep'),
    ],
)
def test_only_active_and_error_images_are_deleted(status, action):
    images = [made_image('a', 'x', None, status=status)]
    (step,) = plan.delete(images).steps
    assert step.action == action
    state = 'it has no status' if status is None else f'it is {status}'
    assert step.reason == ('chosen' if action == 'delete' else state)
    protection = Protection(ServerList(()), images, named=['a'])
    assert plan.delete(images, protection).steps[0].action == 'delete'


@pytest.mark.parametrize(
    'image_id', ['', '.', '..', 'detail', 'a/b', '../servers/x', 'ä', 'a b']
)
def test_image_with_invalid_id_is_kept(image_id):
    images = [made_image(image_id, 'x', None)]
    for todo in (
        plan.delete(images),
        plan.set_properties(images, {'a': 'b'}),
    ):
        assert todo.steps[0].image is images[0]
        assert todo.steps[0].action == 'keep'
        assert todo.steps[0].reason == 'its ID is invalid'


def test_duplicate_image_has_one_step():
    images = [made_image('a', 'x', WEB), made_image('a', 'y', WEB)]
    for todo in (
        plan.delete(images),
        plan.prune(images, retention.Rules(last=0)),
        plan.set_properties(images, {'a': 'b'}),
        plan.unset_properties(images, ['a']),
    ):
        assert len(todo.steps) == 1


def test_rules_apply_to_each_group(api, fleet):
    fleet.images[ID[9]] = snapshot(9, WEB, created=day(9), status='SAVING')
    fleet.images[ID[8]] = snapshot(8, None, created=day(8))

    def prune(images, protection):
        return plan.prune(images, retention.Rules(daily=1), protection)

    todo = planned(api, prune)
    assert actions(todo) == {
        ID[0]: ('keep', 'it has no server to group by'),
        ID[8]: ('keep', 'it has no server to group by'),
        ID[9]: ('keep', 'it is SAVING'),
        ID[3]: ('keep', 'kept by daily'),
        ID[2]: ('delete', 'no rule keeps it'),
        ID[1]: ('delete', 'no rule keeps it'),
        ID[5]: ('keep', 'kept by daily'),
        ID[4]: ('delete', 'no rule keeps it'),
    }
    assert {s.successor for s in todo.changes} == {ID[3], ID[5]}
    results(api, todo)
    assert {*fleet.images} == {ID[n] for n in (0, 3, 5, 8, 9)}
    assert not planned(api, prune).changes


def test_rule_of_zero_deletes_nothing(api, fleet):
    todo = planned(api, lambda i, p: plan.prune(i, retention.Rules(last=0), p))
    assert not todo.changes
    assert todo.steps[-1].reason == 'all retention rules are 0'


def test_images_that_do_not_count_are_kept_and_are_no_successors(api, fleet):
    fleet.images[ID[8]] = snapshot(8, DB, created='9999-01-01T00:00:00Z')
    fleet.images[ID[9]] = snapshot(9, DB, created='today')
    images = [i for i in api.list_detail() if i.server_id == DB]
    todo = plan.prune(images, retention.Rules(last=1))
    assert actions(todo) == {
        ID[5]: ('keep', 'kept by last'),
        ID[4]: ('delete', 'no rule keeps it'),
        ID[8]: ('keep', 'its creation time is in the future'),
        ID[9]: ('keep', 'its creation time is unknown'),
    }
    assert {s.successor for s in todo.changes} == {ID[5]}


def test_pruning_looks_at_the_servers_again(api, fleet):
    todo = planned(api, lambda i, p: plan.prune(i, retention.Rules(last=1), p))
    assert ID[2] in {step.image.id for step in todo.changes}
    fleet.servers['new'] = server('new', 'web', image=ID[2])
    assert results(api, todo)[ID[2]] == ('changed', BOOTED)
    assert ID[2] in fleet.images


def test_image_is_kept_if_its_successor_was_deleted(api, fleet):
    todo = planned(api, lambda i, p: plan.prune(i, retention.Rules(last=1), p))
    del fleet.images[ID[3]]
    why = f'image {ID[3]}, which was to be kept instead, no longer exists'
    assert results(api, todo) == {
        ID[0]: ('kept', 'it has no server to group by'),
        ID[3]: ('kept', 'kept by last'),
        ID[2]: ('changed', why),
        ID[1]: ('changed', why),
        ID[5]: ('kept', 'kept by last'),
        ID[4]: ('done', ''),
    }


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
    assert results(api, todo) == {
        ID[1]: ('changed', f'its {field} changed from {was!r} to {value!r}')
    }
    assert not fleet.writes


def test_new_server_protects_its_image(api, fleet, monkeypatch):
    todo = only(api, 1)
    # A machine that was just started.
    monkeypatch.setattr(time, 'monotonic', lambda: 0.5)
    fleet.servers['x'] = server('x', 'new', image=ID[1])
    assert results(api, todo) == {
        ID[1]: ('changed', 'server new was booted from it')
    }
    assert not fleet.writes


def test_newly_shelved_server_protects_its_snapshots(api, fleet):
    todo = only(api, 1, include_used=True)
    fleet.servers[WEB]['status'] = 'SHELVED_OFFLOADED'
    assert results(api, todo) == {ID[1]: ('changed', SHELVED_IN)}
    assert not fleet.writes


def test_servers_are_listed_again_after_a_second(
    api, fleet, slept, monkeypatch
):
    fleet.before = lambda method, _path: method == 'DELETE' and time.sleep(0.4)
    todo = planned(api)
    fleet.requests.clear()
    results(api, todo)
    # At 0 and 1.2 seconds.
    assert fleet.requests.count('GET /servers/detail') == 2
    fleet.requests.clear()


def test_protection_with_other_servers_keeps_its_options():
    all_visible = ServerList((), all_projects=True)
    first = Protection(ServerList(()), (), named=['a'])
    then = first.with_servers(all_visible)
    assert (first.named, then.named) == ({'a'}, {'a'})
    unknown = first.usage.unknown, then.usage.unknown
    assert [u.other_projects for u in unknown] == [True, False]


def test_image_named_by_id_is_deleted_even_if_changed(api, fleet):
    todo = only(api, 1, named=[ID[1]])
    fleet.images[ID[1]]['name'] = 'new'
    fleet.servers['x'] = server('x', 'new', image=ID[1])
    fleet.requests.clear()
    assert results(api, todo) == {ID[1]: ('done', '')}
    assert fleet.requests == [f'DELETE /images/{ID[1]}']
    assert results(api, todo) == {ID[1]: ('done', '')}


def test_missing_image_counts_as_deleted(api, fleet):
    todo = only(api, 1)
    fleet.images[ID[1]]['status'] = 'DELETED'
    assert results(api, todo) == {ID[1]: ('gone', '')}
    del fleet.images[ID[1]]
    assert results(api, todo) == {ID[1]: ('gone', '')}


def test_image_deleted_right_before_deletion(api, fleet):
    todo = only(api, 1)
    fleet.before = lambda method, _path: (
        method == 'DELETE' and fleet.images.pop(ID[1])
    )
    assert results(api, todo) == {ID[1]: ('done', '')}


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


class _Lost(requests.exceptions.ConnectionError):
    pass


def losing(wanted):
    """Raise a connection error at requests with this method."""

    def lose(method, _path):
        if method == wanted:
            raise _Lost('connection aborted')

    return lose


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


def test_nothing_is_deleted_if_servers_cannot_be_listed(api, fleet, slept):
    todo = only(api, 1)

    def fail(_method, path):
        if path.startswith('/servers'):
            raise _Lost('refused')

    fleet.before = fail
    ((result, _why),) = results(api, todo).values()
    assert result == 'failed'
    assert not fleet.writes


@pytest.fixture
def clock(monkeypatch):
    """Return the time, in a list, which only the test changes."""
    now = [0.0]
    monkeypatch.setattr(time, 'monotonic', lambda: now[0])
    return now


def test_servers_are_cached_four_times_as_long_as_they_take(api, fleet, clock):
    todo = planned(api)

    def tick(method, path):
        if method == 'DELETE' or path.startswith('/servers'):
            clock[0] += 1

    fleet.before = tick
    read = [
        sum(r.startswith('GET /servers') for r in fleet.requests) - 1
        for outcome in api.apply(todo)
        if outcome.result is Result.DONE
    ]
    # At 0, and at 5: four seconds after they were read.
    assert read == [1, 1, 1, 1, 2]


@pytest.mark.parametrize(('seconds', 'times'), [(0.1, 1), (0.5, 2), (1, 4)])
def test_successor_is_checked_once_a_second(api, fleet, clock, seconds, times):
    fleet.images |= {ID[n]: snapshot(n, DB, created=day(n)) for n in (6, 7, 8)}
    images = [i for i in api.list_detail() if i.server_id == DB]
    todo = plan.prune(images, retention.Rules(last=1))
    assert [s.image.id for s in todo.changes] == [ID[n] for n in (7, 6, 5, 4)]

    def tick(method, _path):
        if method == 'DELETE':
            clock[0] += seconds

    fleet.before = tick
    assert [*results(api, todo).values()].count(('done', '')) == 4
    assert fleet.requests.count(f'GET /images/{ID[8]}') == times


def test_apply_is_lazy(api, fleet):
    for outcome in api.apply(planned(api)):
        if outcome.result is Result.DONE:
            break
    assert len(fleet.writes) == 1


def test_set_properties(api, fleet):
    fleet.images[ID[1]]['metadata']['tier'] = 'gold'
    todo = plan.set_properties(api.list_detail(), {'tier': 'gold', 'x': 'y'})
    assert {s.image.id: dict(s.properties) for s in todo.changes} == {
        ID[1]: {'x': 'y'},
        **{ID[n]: {'tier': 'gold', 'x': 'y'} for n in (0, 2, 3, 4, 5)},
    }
    assert {s.reason for s in todo.changes} == {'chosen'}
    before = dict(fleet.images[ID[0]]['metadata'])
    fleet.requests.clear()
    assert {*results(api, todo).values()} == {('done', '')}
    assert len(fleet.requests) == 12
    assert fleet.images[ID[0]]['metadata'] == {
        **before,
        'tier': 'gold',
        'x': 'y',
    }
    again = plan.set_properties(api.list_detail(), {'tier': 'gold', 'x': 'y'})
    assert {(s.action, s.reason) for s in again.steps} == {
        (Action.KEEP, 'it has these properties')
    }


@pytest.mark.parametrize('moment', ['before', 'after'])
@pytest.mark.parametrize('answer', ['readable', 'unreadable'])
def test_lost_response_to_edit_is_verified(api, fleet, slept, moment, answer):
    images = [i for i in api.list_detail() if i.id == ID[1]]
    todo = plan.set_properties(images, {'tier': 'gold'})

    def lose(method, _path):
        if method == 'POST':
            if answer == 'unreadable':
                fleet.before = losing('GET')
            raise _Lost('connection aborted')

    setattr(fleet, moment, lose)
    ((result, why),) = results(api, todo).values()
    is_done = moment == 'after' and answer == 'readable'
    assert result == ('done' if is_done else 'failed')
    assert (why == '') == is_done


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


def test_unset_properties(api, fleet):
    todo = plan.unset_properties(
        api.list_detail(), ['os_distro', 'none', 'os_distro']
    )
    assert {s.image.id: s.keys for s in todo.changes} == {
        ID[0]: ('os_distro',)
    }
    assert {s.reason for s in todo.changes} == {'chosen'}
    assert {s.reason for s in todo.kept} == {'it has none of these properties'}
    assert results(api, todo)[ID[0]] == ('done', '')
    assert fleet.images[ID[0]]['metadata'] == {}
    assert not plan.unset_properties(api.list_detail(), ['os_distro']).changes


@pytest.mark.parametrize('moment', ['before', 'after'])
@pytest.mark.parametrize('method', ['POST', 'DELETE'])
def test_lost_response_to_change_is_verified(
    api, fleet, slept, moment, method
):
    images = [i for i in api.list_detail() if i.id == ID[0]]
    todo = (
        plan.set_properties(images, {'a': 'b'})
        if method == 'POST'
        else plan.unset_properties(images, ['os_distro'])
    )
    setattr(fleet, moment, losing(method))
    ((result, why),) = results(api, todo).values()
    assert result == ('done' if moment == 'after' else 'failed')
    assert (why == '') == (moment == 'after')


def test_lost_response_is_verified_for_a_property_that_nova_decodes(
    api, fleet, slept
):
    images = [i for i in api.list_detail() if i.id == ID[0]]
    todo = plan.set_properties(images, {'mappings': '[]', 'a': 'b'})

    def decode(method, _path):
        if method == 'POST':
            fleet.images[ID[0]]['metadata']['mappings'] = []
            raise _Lost('connection aborted')

    fleet.after = decode
    assert results(api, todo) == {ID[0]: ('done', '')}


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


def test_image_deleted_during_change_has_failed(api, fleet):
    images = [i for i in api.list_detail() if i.id == ID[0]]
    todo = plan.unset_properties(images, ['os_distro'])
    fleet.before = lambda method, _path: (
        method == 'DELETE' and fleet.images.pop(ID[0])
    )
    ((result, _why),) = results(api, todo).values()
    assert result == 'failed'


def test_change_that_would_corrupt_other_properties_is_not_planned():
    images = [
        made_image('a', 'x', None, metadata={'mappings': 'text', 'k': 'v'})
    ]
    for todo in (
        plan.set_properties(images, {'a': 'b'}),
        plan.unset_properties(images, ['k']),
    ):
        assert todo.steps[0].action == 'keep'
        assert 'mappings' in todo.steps[0].reason
    with pytest.raises(InvalidProperty):
        plan.set_properties(images, {'name': 'b'})


def test_keep_function_keeps_images(api, fleet):
    for make in (
        lambda images, keep: plan.set_properties(images, {'a': 'b'}, keep),
        lambda images, keep: plan.unset_properties(
            images, ['os_distro'], keep
        ),
    ):
        todo = make(api.list_detail(), lambda image: 'because')
        assert not todo.changes


def test_check_size(api, fleet):
    todo = planned(api)
    plan.check_size([todo], 5)
    with pytest.raises(PlanRefused, match=r'changes 10 images, and 9 are'):
        plan.check_size([todo, todo], 9)


def test_plans_compare_by_steps():
    assert Plan((), Protection(ServerList(()), ())) == Plan(())


@pytest.mark.parametrize(
    'rules',
    [
        {'last': 2},
        {'hourly': 3},
        {'daily': 2, 'weekly': 3},
        {'monthly': 2, 'yearly': 5},
        {'within': datetime.timedelta(days=3)},
        {'daily': 0},
    ],
)
def test_pruning_is_idempotent(rules):
    times = [
        datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        + datetime.timedelta(hours=7 * n * n)
        for n in range(60)
    ]
    images = [
        made_image(f'{n}', 'x', WEB, created=time.isoformat())
        for n, time in enumerate(times)
    ]
    kept = {s.image for s in plan.prune(images, retention.Rules(**rules)).kept}
    # Also after an interrupted run.
    for rest in (kept, kept | {*images[::2]}, kept | {*images[:40]}):
        again = plan.prune(rest, retention.Rules(**rules))
        assert {s.image for s in again.kept} == kept


def test_list_that_is_stored_already_is_not_set_again():
    stored = [{'virtual': 'ami', 'device': 'sda'}]
    image = made_image('a', 'x', None, metadata={'mappings': stored})
    (step,) = plan.set_properties(
        [image], {'mappings': json.dumps(stored, indent=1)}
    ).steps
    assert (step.image, step.action) == (image, Action.KEEP)
    wanted = {'mappings': '[{"virtual": "root"}]'}
    (step,) = plan.set_properties([image], wanted).steps
    assert (step.action, step.properties) == (Action.SET, wanted)


def test_images_that_must_be_kept_are_kept_with_the_reason():
    image = made_image('a', 'x', None, metadata={'k': 'v'})

    def keep(_image):
        return 'it is shared'

    for todo in (
        plan.set_properties([image], {'a': 'b'}, keep),
        plan.unset_properties([image], ['k'], keep),
    ):
        (step,) = todo.steps
        assert step.image is image
        assert (step.action, step.reason) == (Action.KEEP, 'it is shared')
