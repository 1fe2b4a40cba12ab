# SPDX-License-Identifier: Apache-2.0

"""Plans: which images are changed or kept, and why."""

import pytest

from osc_compute_images.api import GapsFound
from osc_compute_images.api import InvalidProperty
from osc_compute_images.api import Server
from osc_compute_images.api.changes import plan
from osc_compute_images.api.changes import retention
from osc_compute_images.api.changes.protection import Protection
from tests.unit.api.changes.conftest import image
from tests.unit.api.changes.conftest import usage_of
from tests.unit.running import day
from tests.unit.running import DB
from tests.unit.running import WEB

LAST = retention.Rules(last=1)


def actions(todo):
    return {s.image.id: (s.action.value, s.reason) for s in todo.steps}


# --- deletion -------------------------------------------------------------


def test_only_active_and_error_images_are_deleted():
    statuses = ['ACTIVE', 'active', 'ERROR', 'SAVING', 'DELETED', '?', None]
    images = [image(f'{n}', status=s) for n, s in enumerate(statuses)]
    reasons = [s.reason for s in plan.delete(images).steps]
    assert reasons == [
        *['selected'] * 3,
        *('it is SAVING', 'it is DELETED', 'it is ?', 'it has no status'),
    ]
    assert len(plan.delete(images).changes) == 3
    # What is named is deleted all the same.
    changes = plan.delete(images, named=True).changes
    assert [s.reason for s in changes] == ['named'] * 7


def test_protected_images_are_kept_and_refused():
    images = [image('a', of=WEB), image('b', of=DB)]
    protection = Protection(usage_of([Server(WEB, 'web', 'SHELVED')]))
    reason = 'server web, which is SHELVED, may be stored in it'
    for named in (True, False):
        todo = plan.delete(images, protection, named=named)
        (kept,) = todo.kept
        assert (kept.image, kept.reason) == (images[0], reason)
        assert kept.is_refused
        assert todo.named is named
        assert todo.protection is protection


@pytest.mark.parametrize(
    'gap',
    [
        {'servers': [Server('x', status='ACTIVE', may_use_any_image=True)]},
        {'servers': [], 'missing': ('a region',)},
    ],
)
def test_gap_refuses_what_would_be_deleted(gap):
    # It does not matter which server it is.
    images = [image(f'{n}', created=day(n)) for n in (1, 2)]
    protection = Protection(usage_of(**gap))
    with pytest.raises(GapsFound):
        plan.delete(images, protection)
    with pytest.raises(GapsFound):
        plan.prune(images, LAST, protection, group_by=['status'])
    # Nothing is deleted.
    plan.delete([image('s', status='SAVING')], protection)
    plan.prune(images[:1], LAST, protection, group_by=['status'])
    assert len(plan.delete(images, protection, named=True).changes) == 2
    accepting = Protection(usage_of(**gap, accept_gaps=True))
    assert len(plan.delete(images, accepting).changes) == 2


@pytest.mark.parametrize('image_id', ['', '..', 'detail', '../servers/x'])
def test_image_with_invalid_id_is_kept(image_id):
    images = [image(image_id)]
    for todo in (
        plan.delete(images, named=True),
        plan.set_properties(images, {'a': 'b'}),
    ):
        (step,) = todo.kept
        assert (step.image, step.is_refused) == (images[0], True)
        assert step.reason == 'its ID is invalid'


def test_duplicate_image_has_one_step():
    images = [image('a', of=WEB), image('a', of=WEB)]
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
        image('a', of=WEB, created=day(3)),
        image('b', of=WEB, created=day(2)),
        # What does not count is kept, and is no successor.
        image('s', of=WEB, created=day(9), status='SAVING'),
        image('f', of=DB, created='9999-01-01T00:00:00Z'),
        image('c', of=DB, created=day(5)),
        image('d', of=DB, created=day(4)),
        image('u', of=DB, created='today'),
        image('x', created=day(8)),
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
    assert not any(s.is_refused for s in todo.steps)
    assert [s.successor for s in todo.changes] == ['a', 'c']
    by_name = plan.prune(images, LAST, group_by=['name', 'server'])
    assert not by_name.changes
    with pytest.raises(ValueError, match='color'):
        plan.prune(images, LAST, group_by=['color'])


# --- properties -----------------------------------------------------------


def test_unset_properties():
    images = [image('a', metadata={'k': 'v'}), image('b')]
    todo = plan.unset_properties(images, ['k', 'none', 'k'])
    assert actions(todo) == {
        'a': ('unset', 'selected'),
        'b': ('keep', 'it has none of these properties'),
    }
    assert todo.steps[0].keys == ('k',)
    named = plan.unset_properties(images, ['k'], named=True)
    assert (named.named, named.steps[0].reason) == (True, 'named')


@pytest.mark.parametrize(
    ('metadata', 'keep', 'reason'),
    [
        ({'k': 'v'}, lambda _image: 'it is shared', 'it is shared'),
        # Others would be corrupted.
        ({'mappings': 'text', 'k': 'v'}, None, "The property 'mappings' of"),
    ],
)
def test_properties_that_must_be_kept_are_refused(metadata, keep, reason):
    images = [image('a', metadata=metadata)]
    for todo in (
        plan.set_properties(images, {'a': 'b'}, keep),
        plan.unset_properties(images, ['k'], keep),
    ):
        (step,) = todo.kept
        assert (step.image, step.is_refused) == (images[0], True)
        assert step.reason.startswith(reason)
    if keep is None:
        for todo in (
            plan.set_properties(images, {'a': 'b'}, replace=True),
            plan.unset_properties(images, ['mappings']),
        ):
            assert todo.changes
    with pytest.raises(InvalidProperty):
        plan.set_properties(images, {'name': 'b'})


@pytest.mark.parametrize('replace', [True, False])
def test_set_properties(replace):
    wanted = {'tier': 'gold', 'mappings': '[ {"a": 1} ]'}
    stored = {'tier': 'gold', 'mappings': [{'a': 1}]}
    images = [
        image('a', metadata={'tier': 'gold', 'mappings': [{'a': 2}]}),
        image('b', metadata=stored),
        image('c', metadata={**stored, 'z': '1'}),
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
    missing = {'mappings': wanted['mappings']}
    assert first.properties == (wanted if replace else missing)
    assert first.replaces is replace
    named = plan.set_properties(images, wanted, named=True)
    assert (named.named, named.steps[0].reason) == (True, 'named')
