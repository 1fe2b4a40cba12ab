# SPDX-License-Identifier: Apache-2.0

"""A plan that one process makes, and another one applies.

Meanwhile a third one boots, shelves, renames and deletes. Every name begins
with ``ours-``.
"""

from concurrent.futures import ThreadPoolExecutor
import json
import subprocess

import pytest

from tests.functional.conftest import executable
from tests.functional.conftest import Images
from tests.functional.conftest import told
from tests.functional.terminal import Terminal

DELETE = ('compute', 'image', 'delete')
APPLY = ('compute', 'image', 'apply')
OURS = ('--name-pattern', 'ours-*')
JSON = ('-f', 'json')
DRY = '--dry-run'
GO = '--auto-approve'


@pytest.fixture
def planned(demo, tmp_path):
    """Return a function that writes a plan in one process: its file."""

    def plan(*words: str) -> str:
        file = tmp_path / 'plan.json'
        file.write_text(demo.run(*words, DRY, *JSON).out)
        return str(file)

    return plan


@pytest.fixture
def actor(demo, compute, images):
    """Return a function that a third process is: it changes ``ours-*``."""

    def act(server_id: str, ids: dict[str, str]) -> None:
        compute.shelve(server_id)
        demo('image', 'set', '--name', 'ours-golden', ids['ours-renamed'])
        demo('image', 'delete', ids['ours-gone'])

    return act


@pytest.fixture
def ids(images) -> dict[str, str]:
    """Provide images by their names."""
    names = ('plain', 'renamed', 'gone', 'booted', 'left')
    return {f'ours-{n}': images(f'ours-{n}') for n in names}


def test_apply_after_others_have_changed_things(
    demo, boot, compute, planned, actor, ids, left
):
    server_id = boot('ours-web')
    compute.snapshot(server_id, 'ours-nightly')
    file = planned(*DELETE, *OURS, '--not-name', 'ours-left')
    [*_, web] = [boot('ours-other'), server_id]
    new, reason = compute.boot(ids['ours-booted'], '1', 'ours-new')
    assert new, reason
    try:
        compute.wait(new)
        actor(web, ids)
        shown = demo.run(*APPLY, file, DRY, *JSON)
        result = demo.run(*APPLY, file, GO, *JSON)
    finally:
        compute.delete(new)
    assert {row['ID'] for row in shown.json()} == {
        row['ID'] for row in result.json()
    }
    assert result.code == 1
    results = told(result.json(), 'Result', 'Reason')
    assert results.pop('ours-plain') == ('done', 'selected')
    assert {result for result, _ in results.values()} == {'kept'}
    reasons = {name: reason for name, (_, reason) in results.items()}
    assert reasons == {
        'ours-booted': 'server ours-new was booted from it',
        'ours-gone': 'it no longer exists, or is not selected',
        'ours-golden': (
            "its name changed from 'ours-renamed' to 'ours-golden'"
        ),
        'ours-nightly': (
            'server ours-web, which is SHELVED, may be stored in it'
        ),
    }
    # The image that the shelved server is stored in is not in the plan.
    assert left() == {
        *('ours-left', 'ours-booted', 'ours-golden', 'ours-nightly'),
        *('ours-web-base', 'ours-web-shelved', 'ours-other-base'),
    }


def test_changes_while_the_question_is_open(
    demo, boot, compute, planned, actor, ids, left
):
    server_id = boot('ours-web')
    compute.snapshot(server_id, 'ours-nightly')
    file = planned(*DELETE, *OURS)
    terminal = Terminal(demo, *APPLY, file, *JSON, stdout=False)
    assert terminal.shows('Delete 6 images? [y/N]'), terminal.end()
    actor(server_id, ids)
    terminal.type('y\n')
    code, shown, out = terminal.end()
    assert code in (1, 7), shown
    kept = {'ours-golden', 'ours-nightly', 'ours-web-base'}
    assert left() >= {*kept, 'ours-web-shelved'}
    if code == 7:
        # The machine is slow: the plan was made again.
        assert 'no longer holds' in shown
        return
    results = told(json.loads(out), 'Result')
    assert results == {
        **dict.fromkeys(('ours-plain', 'ours-booted', 'ours-left'), ('done',)),
        'ours-gone': ('gone',),
        **dict.fromkeys(('ours-renamed', 'ours-nightly'), ('skipped',)),
    }


def test_two_processes_apply_the_same_plan(demo, images, planned, left):
    ids = {images(f'ours-{n}') for n in range(12)}
    file = planned(*DELETE, *OURS)
    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(demo.run, *APPLY, file, GO, *JSON) for _ in range(2)
        ]
    ends = [each.result() for each in both]
    assert [end.code for end in ends] == [0, 0], [end.err for end in ends]
    results = [
        {row['ID']: row['Result'] for row in end.json()} for end in ends
    ]
    assert [{*each} for each in results] == [ids, ids]
    for image_id in ids:
        got = {each[image_id] for each in results}
        # Nova may accept two requests for a deletion at the same moment.
        assert 'done' in got <= {'done', 'gone', 'kept'}, got
    assert left() == set()
    # Once more.
    again = demo.run(*APPLY, file, GO, *JSON)
    assert again.code == 0
    assert {row['Result'] for row in again.json()} == {'kept'}


def test_plan_of_two_regions_through_a_pipe(demo, cloud, images, left):
    images('ours-a')
    with Images(cloud, 'demo', 'RegionTwo') as in_two:
        in_two('ours-a')
        in_two('ours-b')
        plan = demo.run(*DELETE, *OURS, '--all-regions', DRY, '-f', 'jsonl')
        rows = [json.loads(line) for line in plan.out.splitlines()]
        assert [row['Region'] for row in rows] == [
            *('RegionOne', 'RegionTwo', 'RegionTwo')
        ]
        # A person removes all rows of one region.
        text = '\r\n'.join(map(json.dumps, rows[1:]))
        done = subprocess.run(
            [executable(), *APPLY, '-', GO, *JSON],
            env=demo.environment,
            input=text.encode('utf-8-sig'),
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        results = [
            (row['Region'], row['Name'], row['Result'])
            for row in json.loads(done.stdout)
        ]
        assert sorted(results) == [
            ('RegionTwo', name, 'done') for name in ('ours-a', 'ours-b')
        ]
    assert left() == {'ours-a'}


def test_plan_of_another_project(demo, admin, planned, images, left):
    images('ours-a')
    file = planned(*DELETE, *OURS)
    error = admin.fails(*APPLY, file, GO, code=7)
    assert 'The plan is refused: it was made in cloud demo' in error
    assert left() == {'ours-a'}
