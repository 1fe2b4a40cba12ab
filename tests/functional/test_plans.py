# SPDX-License-Identifier: Apache-2.0

"""Choose, plan and apply on the real cloud, checked in Glance and Nova.

Every name begins with ``ours-``, which is what the commands choose by: the
cloud has other images, too.
"""

from concurrent.futures import ThreadPoolExecutor
import json

import pytest

from tests.functional.real import told
from tests.functional.servers import wait_until
from tests.functional.shell import executable
from tests.functional.shell import fresh

DELETE = ('compute', 'image', 'delete')
PRUNE = ('compute', 'image', 'prune')
APPLY = ('compute', 'image', 'apply')
OURS = ('--name-pattern', 'ours-*')
JSON = ('-f', 'json')
DRY = '--dry-run'
GO = '--auto-approve'

FORBIDDEN = 'You are not allowed to delete the image. (HTTP 403)'


# --- what is protected ----------------------------------------------------


NEEDED = 'image ours-machine needs it'
STORED = 'server ours-rest, which is SHELVED, may be stored in it'
REASONS = {
    'ours-web-base': 'server ours-web was booted from it',
    'ours-rest-base': 'server ours-rest was booted from it',
    'ours-rest-shelved': STORED,
    'ours-nightly': STORED,
    'ours-kernel': NEEDED,
    'ours-ramdisk': NEEDED,
}
FREE = ('ours-old', 'ours-machine')
STAY = {'ours-rest-shelved', 'ours-nightly', 'ours-protected'}


def test_used_images_are_kept_and_others_deleted(
    demo, images, boot, compute, left
):
    machine = {
        f'{kind}_id': images(
            f'ours-{kind}', disk_format=format_, container_format=format_
        )
        for kind, format_ in (('kernel', 'aki'), ('ramdisk', 'ari'))
    }
    images('ours-machine', **machine)
    images('ours-old')
    images('ours-protected', protected=True)
    _web, resting = boot('ours-web', 'ours-rest')
    compute.snapshot(resting, 'ours-nightly')
    compute.shelve(resting)
    assert left() == {*REASONS, *FREE, 'ours-protected'}

    # One is forbidden, and the others are deleted.
    result = demo.run(*DELETE, *OURS, GO, *JSON)
    assert result.code == 1
    unseen, error, *_counts = result.errors()
    assert 'servers of other projects are not visible' in unseen
    assert FORBIDDEN in error
    results = told(result.json(), 'Result', 'Reason')
    assert results.pop('ours-protected')[0] == 'failed'
    assert results == {
        **{name: ('kept', reason) for name, reason in REASONS.items()},
        **dict.fromkeys(FREE, ('done', 'selected')),
    }
    assert left() == {*REASONS, 'ours-protected'}

    # What is named is deleted, unless a server may be stored in it.
    assert demo(*DELETE, 'ours-web-base').out == ''
    result = demo.run(*DELETE, 'ours-rest-shelved', 'ours-nightly')
    assert (result.code, result.out) == (7, '')
    # The option includes all but that.
    demo.run(*DELETE, *OURS, '--include-used', GO)
    assert left() == STAY
    result = demo.run(*PRUNE, *OURS, '--keep-last', '0', GO, *JSON)
    assert result.code == 0
    assert left() == STAY

    # The server still has what it is stored in.
    compute.unshelve(resting)
    wait_until(lambda: left() == STAY - {'ours-rest-shelved'})


# --- plans that one process makes, and another one applies ----------------


@pytest.fixture
def planned(demo, tmp_path):
    """Return a function that writes a plan in one process: its file."""

    def plan(*words: str) -> str:
        file = tmp_path / 'plan.json'
        file.write_text(demo.run(*words, DRY, *JSON).out)
        return str(file)

    return plan


def test_apply_after_others_have_changed_things(
    demo, boot, compute, planned, images, left
):
    names = ('plain', 'renamed', 'gone', 'booted', 'left')
    ids = {n: images(f'ours-{n}') for n in names}
    [web] = boot('ours-web')
    compute.snapshot(web, 'ours-nightly')
    file = planned(*DELETE, *OURS, '--not-name', 'ours-left')
    # Meanwhile others boot, shelve, rename and delete.
    new, reason = compute.boot(ids['booted'], '1', 'ours-new')
    assert new, reason
    try:
        compute.wait(new)
        compute.shelve(web)
        demo('image', 'set', '--name', 'ours-golden', ids['renamed'])
        demo('image', 'delete', ids['gone'])
        result = demo.run(*APPLY, file, GO, *JSON)
    finally:
        compute.delete(new)
    assert result.code == 1
    assert told(result.json(), 'Result', 'Reason') == {
        'ours-plain': ('done', 'selected'),
        'ours-booted': ('kept', 'server ours-new was booted from it'),
        'ours-gone': ('kept', 'it no longer exists, or is not selected'),
        'ours-golden': (
            'kept',
            "its name changed from 'ours-renamed' to 'ours-golden'",
        ),
        'ours-nightly': (
            'kept',
            'server ours-web, which is SHELVED, may be stored in it',
        ),
    }
    # The image that the shelved server is stored in is not in the plan.
    assert left() == {
        *('ours-left', 'ours-booted', 'ours-golden', 'ours-nightly'),
        *('ours-web-base', 'ours-web-shelved'),
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


def test_plan_of_two_regions_through_a_pipe(demo, images, images_in_two, left):
    images('ours-a')
    images_in_two('ours-a')
    refused = images_in_two('ours-b', protected=True)
    plan = demo.run(*DELETE, *OURS, '--all-regions', DRY, '-f', 'jsonl')
    rows = [json.loads(line) for line in plan.out.splitlines()]
    assert [row['Region'] for row in rows] == [
        *('RegionOne', 'RegionTwo', 'RegionTwo')
    ]
    # A person removes all rows of one region.
    text = '\ufeff' + '\r\n'.join(map(json.dumps, rows[1:]))
    words = [executable(), *APPLY, '-', GO, *JSON]
    result = fresh(words, demo.environment, input=text)
    assert result.code == 1
    [error] = [line for line in result.errors() if 'Failed' in line]
    assert error.startswith(
        f'Region RegionTwo: Failed to delete image {refused!r}'
    )
    assert FORBIDDEN in error
    assert told(result.json(), 'Region', 'Result') == {
        'ours-a': ('RegionTwo', 'done'),
        'ours-b': ('RegionTwo', 'failed'),
    }
    assert left() == {'ours-a'}
