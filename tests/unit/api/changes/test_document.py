# SPDX-License-Identifier: Apache-2.0

"""Plans as documents: what is reviewed, and what is then applied."""

import json

from hypothesis import assume
from hypothesis import given
from hypothesis import strategies as st
import pytest

from osc_compute_images.api import PlanRefused
from osc_compute_images.api.changes import _document
from osc_compute_images.api.changes import plan
from osc_compute_images.api.changes.plan import Action
from osc_compute_images.api.changes.plan import Origin
from osc_compute_images.api.changes.plan import Plan
from osc_compute_images.api.changes.retention import Rules
from tests.unit.api.changes.conftest import image
from tests.unit.running import day
from tests.unit.running import ID

ORIGIN = Origin('mycloud', 'RegionOne', 'd1')

texts = st.text(st.characters(max_codepoint=0xD7FF), max_size=5)
#: With control characters and lone surrogates.
names = st.text(
    st.sampled_from('\ud800\0\x1b\u202e\'"\\\n') | st.characters(), max_size=5
)

IMAGES = st.lists(
    st.builds(
        image,
        st.sampled_from(ID[:6]),
        st.none() | names,
        status=st.sampled_from(['ACTIVE', 'SAVING', 'ERROR']),
        created=st.integers(1, 9).map(day),
        updated=st.sampled_from([day(9), day(10)]),
        size=st.sampled_from([5, 6]),
        metadata=st.sampled_from([{}, {'a': '1'}, {'a': '2'}]),
    ),
    min_size=1,
    unique_by=lambda i: i.id,
)
#: All kinds of plans, of images with any name.
PLANS = st.one_of(
    st.builds(plan.delete, IMAGES),
    st.builds(
        plan.prune,
        IMAGES,
        st.builds(Rules, last=st.integers(0, 2)),
        group_by=st.just(['type']),
    ),
    st.builds(
        plan.set_properties,
        IMAGES,
        texts.map(lambda text: {'a': '1', 'b': text}),
    ),
    st.builds(plan.unset_properties, IMAGES, st.just(['a'])),
)


def seen(step):
    """Return what a document holds of a step."""
    image = step.image
    return (
        *(image.id, image.name, image.status, image.updated, image.size),
        *(step.action, step.reason, dict(step.properties), step.replaces),
        *(step.keys, step.successor),
    )


@given(PLANS, st.integers(0, 5))
def test_document_has_all_of_a_plan(made, number):
    text = made.to_json(ORIGIN)
    read = Plan.from_json(text)
    # Rows may be removed.
    left = json.dumps(json.loads(text)[number:])
    assert Plan.from_json(left).steps == read.steps[number:]
    assert [*map(seen, read.steps)] == [*map(seen, made.steps)]
    assert [*_document.read(text)[0]] == [ORIGIN]
    lines = '\n'.join(map(json.dumps, json.loads(text)))
    assert Plan.from_json(lines) == read
    assert Plan.from_json(b'\xef\xbb\xbf' + text.encode()) == read


@given(PLANS, PLANS)
def test_only_what_was_reviewed_and_is_planned_again(reviewed, current):
    """It changes nothing else, and says for each image why not."""
    document = Plan.from_json(reviewed.to_json())
    assert reviewed.only(document).steps == reviewed.changes
    steps = current.only(document).steps
    assert [s.image.id for s in steps] == [
        s.image.id for s in reviewed.changes
    ]
    planned = {s.image.id: s for s in current.changes}
    before = {s.image.id: s for s in reviewed.changes}
    for step in steps:
        if step.action is Action.KEEP:
            assert step.reason
            continue
        old = before[step.image.id]
        assert step == planned[step.image.id]
        assert (step.action, step.properties, step.keys) == (
            *(old.action, old.properties, old.keys),
        )
        assert seen(step)[:5] == seen(old)[:5]


def test_image_that_is_kept_now_tells_why():
    images = [image(ID[0])]
    marked = plan.delete(images, keep=lambda _: 'it is marked')
    (step,) = marked.only(plan.delete(images)).steps
    assert (step.reason, step.is_refused) == ('it is marked', True)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | texts,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2)
    ),
    max_leaves=3,
)


@given(
    PLANS,
    st.data(),
    st.sampled_from([*_document.COLUMNS, 'Other']),
    values
    | st.sampled_from([*map(str, Action), *ID[:6], 'ACTIVE', 'mycloud']),
)
def test_altered_document_is_refused(made, data, column, value):
    """A row that was altered or cut is refused: its reason, too."""
    rows = json.loads(made.to_json(ORIGIN))
    row = data.draw(st.sampled_from(rows))
    before = dict(row)
    if data.draw(st.booleans()):
        row.pop(column, None)
    else:
        row[column] = value
    assume(json.dumps(row) != json.dumps(before))
    with pytest.raises(PlanRefused, match='The plan is refused'):
        Plan.from_json(json.dumps(rows))


def test_text_that_is_no_plan():
    first, second = plan.delete([image(ID[0]), image(ID[1])]).steps
    row = _document.row(first, ORIGIN)
    other = _document.row(second, Origin('mycloud', 'RegionTwo', 'd1'))
    command = _document.row(second, ORIGIN, ['x'])
    invalid = ('{', '[1]', 'null', b'\xff\xfe[\0', '[' * 100_000, '[{}]')
    for text, message in (
        *(('', 'it is empty'), (' \n', 'it is empty')),
        *((text, 'not a plan in JSON') for text in invalid),
        (json.dumps([row, other]), 'several regions'),
        (json.dumps([row, row]), 'twice'),
        (json.dumps([row, command]), 'several commands'),
        (json.dumps([row | {'Schema': 2}]), 'its schema is 2, and not 1'),
    ):
        with pytest.raises(PlanRefused, match=message):
            Plan.from_json(text)
    assert Plan.from_json('[]').steps == ()


def test_document_is_not_applied_as_it_is(api):
    reviewed = Plan.from_json(plan.delete([image(ID[0])]).to_json())
    with pytest.raises(ValueError, match='only'):
        api.apply(reviewed)
