# SPDX-License-Identifier: Apache-2.0

"""Plans: which images are changed or kept, and why."""

import dataclasses

import pytest

from osc_compute_images.api import Image
from osc_compute_images.api import InvalidProperty
from osc_compute_images.api import PlanRefused
from osc_compute_images.api import Server
from osc_compute_images.api import ServerRef
from osc_compute_images.api.changes import keep
from osc_compute_images.api.changes import plan
from osc_compute_images.api.changes.properties import JSON_KEYS
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.changes.retention import Rules
from tests.unit.api.changes.conftest import image
from tests.unit.api.changes.conftest import usage_of
from tests.unit.running import day
from tests.unit.running import DB
from tests.unit.running import ID
from tests.unit.running import WEB

LAST = Rules(last=1)
PLANS = {
    'delete': plan.delete,
    'named': lambda images: plan.delete(images, named=True),
    'prune': lambda images: plan.prune(images, Rules(last=0)),
    'set': lambda *args: plan.set_properties(args[0], {'a': 'b'}, *args[1:]),
    'unset': lambda *args: plan.unset_properties(args[0], ['k'], *args[1:]),
}


def actions(todo):
    return {s.image.id: (s.action.value, s.reason) for s in todo.steps}


def refused(todo):
    """Return the reason to keep the only image, although that is possible."""
    (step,) = todo.kept
    assert step.is_refused
    return step.reason


@pytest.mark.parametrize('make', PLANS)
def test_duplicate_image_has_one_step(make):
    images = [image('a', of=WEB), image('a', of=WEB)]
    assert len(PLANS[make](images).steps) == 1


@pytest.mark.parametrize('make', ['delete', 'named', 'set', 'unset'])
@pytest.mark.parametrize('image_id', ['', '..', 'detail', '../servers/x'])
def test_image_with_invalid_id_is_kept(make, image_id):
    invalid = image(image_id, metadata={'k': 'v'})
    assert refused(PLANS[make]([invalid])) == 'its ID is invalid'


def test_only_active_and_error_images_are_deleted():
    statuses = ['ACTIVE', 'active', 'ERROR', 'SAVING', None]
    images = [image(f'{n}', status=s) for n, s in enumerate(statuses)]
    assert [(s.action, s.reason) for s in plan.delete(images).steps] == [
        *[('delete', 'selected')] * 3,
        *(('keep', 'it is SAVING'), ('keep', 'it has no status')),
    ]
    # What is named is deleted all the same.
    changes = plan.delete(images, named=True).changes
    assert [s.reason for s in changes] == ['named'] * 5


def test_protected_images_are_kept_and_refused():
    """If there are gaps, see the model."""
    protection = Protection(usage_of([Server(WEB, 'web', 'SHELVED')]))
    images = [
        image(f'{n}', of=of, created=day(n))
        for n, of in enumerate((WEB, WEB, DB, DB), 1)
    ]
    for made, changed in (
        (plan.delete(images, protection), '34'),
        (plan.delete(images, protection, named=True), '34'),
        (plan.prune(images, LAST, protection), '3'),
    ):
        reasons = {s.reason for s in made.kept if s.is_refused}
        assert reasons == {'server web, which is SHELVED, may be stored in it'}
        assert [s.image.id for s in made.changes] == [*changed]
        assert made.protection is protection
    assert plan.delete(images, named=True).named


def test_chosen_images_of_unknown_properties_are_kept():
    """It is unknown whether a filter such as ``key!=value`` selects them."""
    unknown = Image(
        id='a', status='ACTIVE', created=day(1), server=ServerRef(WEB)
    )
    newer = image('b', of=WEB, created=day(9))
    for used in (True, False):
        protection = Protection(usage_of([]), include_used=used)
        for made in (
            plan.delete([unknown], protection),
            plan.prune([newer, unknown], LAST, protection),
        ):
            reasons = [s.reason for s in made.kept if s.is_refused]
            assert reasons == ['its properties are unknown']
        assert plan.delete([unknown], protection, named=True).changes


def test_rules_apply_to_each_group():
    images = [
        image('a', of=WEB, created=day(3)),
        image('b', of=WEB, created=day(2)),
        # What does not count is kept, and is no successor.
        image('s', of=WEB, created=day(9), status='SAVING'),
        image('c', of=DB, created=day(5)),
        image('d', of=DB, created=day(4)),
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
    }
    assert not any(s.is_refused for s in todo.steps)
    assert [s.successor for s in todo.changes] == ['a', 'c']
    by_name = plan.prune(images, LAST, group_by=['name', 'server'])
    assert not by_name.changes


def test_snapshots_on_volumes_replace_no_others():
    """Nova may have copied the server that they seem to be taken from."""
    on_volume = {'size': 0, 'metadata': {'block_device_mapping': []}}
    images = [
        image(f'{n}', of=WEB, created=day(n + 1), **fields)
        for n, fields in enumerate([{}, {}, on_volume, on_volume])
    ]
    made = plan.prune(images, LAST)
    assert {s.image.id: s.successor for s in made.changes} == {
        '0': '1',
        '2': '3',
    }
    made = plan.prune(images, LAST, group_by=['status'])
    assert {s.image.id for s in made.kept} == {'3'}


@pytest.mark.parametrize('number', [0, 1, 2, 3])
def test_kept_image_counts_in_its_group(number):
    """The newest one is kept in any case."""
    images = [image(ID[n], created=day(n + 1)) for n in range(4)]
    named = keep.named_in(ID[number], 'x')
    made = plan.prune(images, LAST, group_by=['status'], keep=named)
    assert {s.image.id for s in made.kept} == {ID[number], ID[3]}
    assert {s.successor for s in made.changes} == {ID[3]}


def test_keep_with_property():
    kept = keep.either(
        keep.with_property('keep', 'yes'), keep.with_property('any')
    )
    found = [{'keep': 'yes', 'any': '1'}, {'keep': 'no'}, {'any': ''}, {}]
    assert [kept(image('a', metadata=each)) for each in found] == [
        *('it has the property keep=yes', None, 'it has the property any='),
        None,
    ]
    assert kept(Image(id='a')) == 'its properties are unknown'
    # YAML reads yes as a boolean, which is the value of no property.
    with pytest.raises(TypeError):
        keep.with_property('keep', True)


def test_keep_what_a_text_names():
    kept = keep.named_in(f'image = "{ID[1].upper()}"\n', 'main.tf')
    assert [kept(image(i)) for i in ID[:2]] == [None, 'named in main.tf']
    url = keep.named_in(f'?to=%2Fimages%2F{ID[1]}%2F', 'page')
    assert url(image(ID[1])) == 'named in page'
    for text in ('', 'no ID', ID[1][1:], ID[1][:-1]):
        with pytest.raises(PlanRefused, match=r'no UUID in main\.tf'):
            keep.named_in(text, 'main.tf')


@pytest.mark.parametrize('named', [True, False])
@pytest.mark.parametrize('replace', [True, False])
def test_set_and_unset_properties(replace, named):
    wanted = {'tier': 'gold', 'mappings': '[ {"a": 1} ]'}
    stored = {'tier': 'gold', 'mappings': [{'a': 1}]}
    images = [
        image('a', metadata={'tier': 'gold', 'mappings': [{'a': 2}]}),
        image('b', metadata=stored),
        image('c', metadata={**stored, 'z': '1'}),
    ]
    todo = plan.set_properties(images, wanted, replace=replace, named=named)
    reason = 'named' if named else 'selected'
    has = ('keep', 'it has these properties')
    change = ('set', reason)
    assert actions(todo) == {
        'a': change,
        'b': has,
        'c': change if replace else has,
    }
    first = todo.steps[0]
    missing = {'mappings': wanted['mappings']}
    assert first.properties == (wanted if replace else missing)
    assert (first.replaces, todo.named) == (replace, named)
    todo = plan.unset_properties(images[1:], ['z', 'x', 'z'], named=named)
    none = ('keep', 'it has none of these properties')
    assert actions(todo) == {'b': none, 'c': ('unset', reason)}
    assert (todo.steps[1].keys, todo.named) == (('z',), named)
    tier = plan.unset_properties(images, 'tier')
    assert {step.keys for step in tier.steps} == {('tier',)}
    assert {todo: 1}[dataclasses.replace(todo)] == 1


@pytest.mark.parametrize('make', ['set', 'unset'])
def test_images_whose_properties_must_be_kept_are_refused(make):
    images = [image('a', metadata={'k': 'v'})]
    assert refused(PLANS[make](images, lambda _: 'is shared')) == 'is shared'
    # Others would be corrupted.
    images = [image('a', metadata={'mappings': 'text', 'k': 'v'})]
    assert refused(PLANS[make](images)).startswith("The property 'mappings'")
    unknown = [Image(id='a')]
    assert 'not tell the properties' in refused(PLANS[make](unknown))


def test_property_that_is_replaced_or_removed_cannot_be_corrupted():
    images = [image('a', metadata={'mappings': '[]', 'k': 'v'})]
    for wanted in ({'a': 'b'}, {'mappings': '[]'}):
        assert plan.set_properties(images, wanted, replace=True).changes
    todo = plan.unset_properties(images, ['k', 'mappings'])
    assert todo.steps[0].keys == ('mappings', 'k')
    for text, other in (JSON_KEYS, JSON_KEYS[::-1]):
        one = [image('a', metadata={text: 'text', other: []})]
        for keys in (JSON_KEYS, JSON_KEYS[::-1]):
            [step] = plan.unset_properties(one, keys).changes
            assert step.keys == (text, other)
    # They are removed one by one.
    both = [image('a', metadata=dict.fromkeys(JSON_KEYS, 'text'))]
    assert 'JSON string' in refused(plan.unset_properties(both, JSON_KEYS))
    with pytest.raises(InvalidProperty):
        plan.set_properties(images, {'name': 'b'})
