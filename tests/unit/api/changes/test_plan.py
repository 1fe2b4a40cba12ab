# SPDX-License-Identifier: Apache-2.0

"""Plans: which images are changed or kept, and why."""

import datetime
import json

import msgspec
import pytest

from osc_compute_images.api import GapsFound
from osc_compute_images.api import Image
from osc_compute_images.api import InvalidProperty
from osc_compute_images.api import PlanRefused
from osc_compute_images.api import Server
from osc_compute_images.api import ServerList
from osc_compute_images.api.changes import plan
from osc_compute_images.api.changes import retention
from osc_compute_images.api.changes.plan import Action
from osc_compute_images.api.changes.plan import Plan
from osc_compute_images.api.changes.plan import Result
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.changes.usage import Usage
from tests.unit.running import day
from tests.unit.running import DB
from tests.unit.running import WEB

LAST = retention.Rules(last=1)


def made_image(image_id, name=None, server_id=None, **fields):
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


def protecting(*servers, images=(), missing=(), **options):
    listed = ServerList(servers, missing=missing)
    return Protection(Usage(listed, images, **options))


def actions(todo):
    return {s.image.id: (s.action.value, s.reason) for s in todo.steps}


def test_plans_are_equal_if_their_steps_are():
    images = [made_image('a'), made_image('b')]
    todo = plan.delete(images, protecting())
    assert todo == plan.delete(images)
    assert todo != plan.delete(images[:1])
    assert todo.changes == todo.steps
    assert todo.kept == ()


def test_defaults_of_steps_and_outcomes():
    step = plan.Step(image=Image(id='x'), action=Action.DELETE, reason='why')
    assert (step.properties, step.keys, step.successor) == ({}, (), None)
    assert (step.is_refused, step.replaces) == (False, False)
    outcome = plan.Outcome(step=step, result=Result.DONE)
    assert (outcome.reason, outcome.error) == ('', None)
    assert not Plan(()).named


# --- deletion -------------------------------------------------------------


@pytest.mark.parametrize(
    ('status', 'action'),
    [
        *(('ACTIVE', 'delete'), ('active', 'delete'), ('ERROR', 'delete')),
        *(('SAVING', 'keep'), ('UNKNOWN', 'keep'), ('DELETED', 'keep')),
        (None, 'keep'),
    ],
)
def test_only_active_and_error_images_are_deleted(status, action):
    images = [made_image('a', status=status)]
    (step,) = plan.delete(images).steps
    assert step.action == action
    state = 'it has no status' if status is None else f'it is {status}'
    assert step.reason == ('selected' if action == 'delete' else state)
    # What is named is deleted all the same.
    (step,) = plan.delete(images, named=True).steps
    assert (step.action, step.reason) == ('delete', 'named')


def test_protected_images_are_kept_and_refused():
    images = [made_image('a', server_id=WEB), made_image('b', server_id=DB)]
    protection = protecting(Server(WEB, 'web', 'SHELVED'))
    reason = 'server web, which is SHELVED, may be stored in it'
    for named in (True, False):
        todo = plan.delete(images, protection, named=named)
        (kept,) = todo.kept
        assert (kept.image, kept.reason) == (images[0], reason)
        assert kept.is_refused
        assert todo.named is named
        assert todo.protection is protection


GAP = Server('x', 'x', 'ACTIVE', may_use_any_image=True)


def test_gap_refuses_what_would_be_deleted():
    images = [made_image(f'{n}', 'x', WEB, created=day(n)) for n in (1, 2)]
    for protection in (
        protecting(GAP),
        protecting(missing=('a region',)),
    ):
        # It does not matter which server it is.
        if protection.reason(images[0]) is None:
            for make in (
                lambda p: plan.delete(images, p),
                lambda p: plan.prune(images, LAST, p),
            ):
                with pytest.raises(GapsFound) as raised:
                    make(protection)
                assert isinstance(raised.value, PlanRefused)
        # Nothing is deleted.
        plan.delete([], protection)
        plan.prune(images[:1], LAST, protection)
    todo = plan.delete(images, protecting(GAP), named=True)
    assert len(todo.changes) == 2
    accepted = protecting(GAP, accept_gaps=True)
    assert len(plan.delete(images, accepted).changes) == 2
    unread = protecting(missing=('a region',), accept_gaps=True)
    assert not plan.delete(images, unread).changes


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


# --- pruning --------------------------------------------------------------


def test_rules_apply_to_each_group():
    images = [
        made_image('a', None, WEB, created=day(3)),
        made_image('b', None, WEB, created=day(2)),
        # What does not count is kept, and is no successor.
        made_image('s', None, WEB, created=day(9), status='SAVING'),
        made_image('f', None, DB, created='9999-01-01T00:00:00Z'),
        made_image('c', None, DB, created=day(5)),
        made_image('d', None, DB, created=day(4)),
        made_image('u', None, DB, created='today'),
        made_image('x', created=day(8)),
    ]
    todo = plan.prune(images, LAST)
    assert actions(todo) == {
        'x': ('keep', 'it has no server to group by'),
        's': ('keep', 'it is SAVING'),
        'a': ('keep', 'kept by last'),
        'b': ('delete', 'no rule keeps it'),
        'c': ('keep', 'kept by last'),
        'd': ('delete', 'no rule keeps it'),
        'f': ('keep', 'its creation time is in the future'),
        'u': ('keep', 'its creation time is unknown'),
    }
    assert [s.successor for s in todo.changes] == ['a', 'c']
    by_name = plan.prune(images, LAST, group_by=['name', 'server'])
    assert not by_name.changes
    with pytest.raises(ValueError, match='color'):
        plan.prune(images, LAST, group_by=['color'])


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


# --- properties -----------------------------------------------------------


def test_unset_properties():
    images = [made_image('a', metadata={'k': 'v'}), made_image('b')]
    todo = plan.unset_properties(images, ['k', 'none', 'k'])
    assert actions(todo) == {
        'a': ('unset', 'selected'),
        'b': ('keep', 'it has none of these properties'),
    }
    assert todo.steps[0].keys == ('k',)
    named = plan.unset_properties(images, ['k'], named=True)
    assert (named.named, named.steps[0].reason) == (True, 'named')


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


def test_rule_of_zero_deletes_nothing():
    images = [made_image('a', server_id=WEB, created=day(1))]
    todo = plan.prune(images, retention.Rules(last=0))
    assert actions(todo) == {'a': ('keep', 'all retention rules are 0')}


@pytest.mark.parametrize('replace', [True, False])
def test_set_properties(replace):
    wanted = {'tier': 'gold', 'x': 'y'}
    images = [
        made_image('a', metadata={'tier': 'gold', 'z': '1'}),
        made_image('b', metadata={'tier': 'gold', 'x': 'y'}),
        made_image('c', metadata={'tier': 'gold', 'x': 'y', 'z': '1'}),
    ]
    todo = plan.set_properties(images, wanted, replace=replace)
    has = ('keep', 'it has these properties')
    change = ('set', 'selected')
    assert actions(todo) == {
        'a': change,
        'b': has,
        'c': change if replace else has,
    }
    first = todo.steps[0]
    assert first.properties == (wanted if replace else {'x': 'y'})
    assert first.replaces is replace
    named = plan.set_properties(images, wanted, named=True)
    assert (named.named, named.steps[0].reason) == (True, 'named')


def test_images_that_must_be_kept_are_refused_with_the_reason():
    image = made_image('a', metadata={'k': 'v'})

    def keep(_image):
        return 'it is shared'

    for todo in (
        plan.set_properties([image], {'a': 'b'}, keep),
        plan.unset_properties([image], ['k'], keep),
    ):
        (step,) = todo.steps
        assert (step.image, step.action) == (image, Action.KEEP)
        assert (step.reason, step.is_refused) == ('it is shared', True)


def test_size_counts_an_image_once():
    one = plan.delete([made_image('a'), made_image('b')])
    two = plan.delete([made_image('b'), made_image('c')])
    kept = plan.delete([made_image('d', status='SAVING')])
    plan.check_size([one, two, kept], 3)
    with pytest.raises(PlanRefused, match=r'changes 3 images, and 2 are'):
        plan.check_size([one, two], 2)
