# SPDX-License-Identifier: Apache-2.0

"""Choose, plan and apply on the real cloud, checked in Glance and Nova.

Every name begins with ``plans-``, which is what the commands choose by: the
cloud has other images, too.
"""

from collections.abc import Callable
from collections.abc import Iterator
import csv
import dataclasses
import io
import json
from typing import Any

import pytest

from tests.functional.conftest import Cloud
from tests.functional.conftest import Glance
from tests.functional.conftest import Images
from tests.functional.conftest import Result
from tests.functional.conftest import Shell
from tests.functional.servers import Compute
from tests.functional.servers import wait_until
from tests.functional.terminal import Terminal

DELETE = ('compute', 'image', 'delete')
SET = ('compute', 'image', 'set')
UNSET = ('compute', 'image', 'unset')
PRUNE = ('compute', 'image', 'prune')
OURS = ('--name-pattern', 'plans-*')
WITH_OURS = ('--with-name-pattern', 'plans-*')
JSON = ('-f', 'json')
DRY = '--dry-run'
GO = '--auto-approve'

FORBIDDEN = 'You are not allowed to delete the image. (HTTP 403)'


@pytest.fixture(scope='module')
def compute(cloud: Cloud) -> Compute:
    """Provide Nova, for the ordinary user."""
    Compute(cloud, 'admin').wait_for_host()
    return Compute(cloud, 'demo')


@pytest.fixture
def left(glance: Glance) -> Callable[[], set[str]]:
    """Provide what tells the names of our images that are there."""
    return lambda: {
        str(image['name'])
        for image in glance.images()
        if str(image['name']).startswith('plans-')
    }


def told(rows: list[dict[str, Any]], *columns: str) -> dict[str, Any]:
    """Return the columns of rows, by the name of the image."""
    return {row['Name']: tuple(row[c] for c in columns) for row in rows}


UNSEEN = (
    'Some uses of images are unknown: servers of other projects are not '
    'visible'
)


def warned(shell: Shell, *words: str, code: int = 0) -> Result:
    """Run a plan of deletions, which warns of what the user cannot see.

    :return: the result, with the rest of stderr
    """
    result = shell.run(*words)
    assert result.code == code, result.err
    first, *rest = result.errors()
    assert first == UNSEEN
    return Result(result.code, result.out, '\n'.join(rest))


# --- what is protected ----------------------------------------------------


@dataclasses.dataclass
class Stage:
    """Images that are in use, and some that are not.

    :param ids: of the images, by their names
    :param resting: the ID of the server that is shelved
    """

    ids: dict[str, str]
    resting: str


@pytest.fixture
def stage(images: Images, compute: Compute, glance: Glance) -> Iterator[Stage]:
    """Provide images of each kind that is protected, and two others."""
    ids = {
        name: images(name, **fields)
        for name, fields in {
            'plans-base': {},
            'plans-rest-base': {},
            'plans-kernel': dict.fromkeys(
                ('disk_format', 'container_format'), 'aki'
            ),
            'plans-ramdisk': dict.fromkeys(
                ('disk_format', 'container_format'), 'ari'
            ),
            'plans-protected': {'protected': True},
            'plans-old': {},
            'plans-older': {},
        }.items()
    }
    ids['plans-machine'] = images(
        'plans-machine',
        kernel_id=ids['plans-kernel'],
        ramdisk_id=ids['plans-ramdisk'],
    )
    servers = [
        compute.boot(ids[image], '1', name)[0]
        for name, image in (
            ('plans-web', 'plans-base'),
            ('plans-rest', 'plans-rest-base'),
        )
    ]
    try:
        for server_id in servers:
            compute.wait(server_id)
        compute.snapshot(servers[1], 'plans-nightly')
        compute.do(servers[1], 'shelve')
        compute.wait(servers[1], 'SHELVED')
        yield Stage(ids, servers[1])
    finally:
        compute.delete(*servers)
        for image in glance.images():
            if image.get('instance_uuid') in servers:
                glance.delete(image['id'])


NEEDED = 'image plans-machine needs it'
STORED = 'server plans-rest, which is SHELVED, may be stored in it'
REASONS = {
    'plans-base': 'server plans-web was booted from it',
    'plans-rest-base': 'server plans-rest was booted from it',
    'plans-rest-shelved': STORED,
    'plans-nightly': STORED,
    'plans-kernel': NEEDED,
    'plans-ramdisk': NEEDED,
}
FREE = ('plans-old', 'plans-older', 'plans-machine')
STAY = {'plans-rest-shelved', 'plans-nightly', 'plans-protected'}


def test_used_images_are_kept_and_others_deleted(demo, stage, compute, left):
    everything = {*REASONS, *FREE, 'plans-protected'}
    rows = warned(demo, *DELETE, *OURS, DRY, *JSON).json()
    assert told(rows, 'Action', 'Reason') == {
        **{name: ('keep', reason) for name, reason in REASONS.items()},
        **dict.fromkeys((*FREE, 'plans-protected'), ('delete', 'selected')),
    }
    assert left() == everything

    # One is forbidden, and the others are deleted.
    result = warned(demo, *DELETE, *OURS, GO, *JSON, code=1)
    line, last = result.errors()
    protected = stage.ids['plans-protected']
    assert line.startswith(
        f'Failed to delete image {protected!r}: {FORBIDDEN}'
    )
    assert last == '1 of 4 images failed to delete.'
    results = told(result.json(), 'Result', 'Reason')
    failed, reason = results.pop('plans-protected')
    assert failed == 'failed'
    assert reason.startswith(FORBIDDEN)
    assert results == {
        **{name: ('kept', reason) for name, reason in REASONS.items()},
        **dict.fromkeys(FREE, ('done', 'selected')),
    }
    assert left() == {*REASONS, 'plans-protected'}

    # What is named is deleted, unless a server may be stored in it.
    assert demo(*DELETE, 'plans-base').out == ''
    result = demo.run(*DELETE, 'plans-rest-shelved', 'plans-nightly')
    assert (result.code, result.out) == (7, '')
    # The option includes all but that.
    result = demo.run(*DELETE, *OURS, '--include-used', GO, *JSON)
    assert told(result.json(), 'Result') == {
        **dict.fromkeys(
            ('plans-rest-base', 'plans-kernel', 'plans-ramdisk'), ('done',)
        ),
        **dict.fromkeys(('plans-rest-shelved', 'plans-nightly'), ('kept',)),
        'plans-protected': ('failed',),
    }
    assert left() == STAY
    result = demo.run(*PRUNE, *OURS, '--keep-last', '0', GO, *JSON)
    assert result.code == 0
    assert left() == STAY

    # The server still has what it is stored in.
    compute.do(stage.resting, 'unshelve')
    compute.wait(stage.resting)
    wait_until(lambda: left() == STAY - {'plans-rest-shelved'})


# --- what is not done -----------------------------------------------------


def test_no_changes_without_approval(demo, images, left):
    names = {f'plans-{n}' for n in range(3)}
    for name in names:
        images(name)
    commands = (
        (*DELETE, *OURS),
        (*SET, *WITH_OURS, '--property', 'a=b'),
        (*UNSET, *WITH_OURS, '--property', 'a'),
        (*PRUNE, *OURS, '--type', 'all', '--keep-last', '1'),
    )
    for words in commands:
        line = demo.fails(*words)
        assert line.startswith('Nothing was changed: there is no terminal')
    few = ('--max-changes', '2', GO)
    too_many = (
        'Nothing was changed: the plan changes 3 images, and 2 are allowed'
    )
    assert warned(demo, *DELETE, *OURS, *few, code=7).err == too_many
    words = (*SET, *WITH_OURS, '--property', 'a=b', *few)
    assert demo.fails(*words, code=7) == too_many
    # A word of its own for all.
    rows = warned(demo, *DELETE, '--all', DRY, *JSON).json()
    assert len(rows) == len(demo.images())
    # Not approved.
    terminal = Terminal(demo, *DELETE, *OURS, stdout=False)
    code, shown, out = asked(terminal, 'N\n')
    assert (code, out) == (1, '')
    assert 'nothing was changed' in shown
    assert left() == names

    terminal = Terminal(demo, *DELETE, *OURS, *JSON, stdout=False)
    code, shown, out = asked(terminal, 'y\n')
    assert code == 0, shown
    # The plan is on the terminal, and the results alone on stdout.
    assert all(f'| {name} ' in shown for name in names)
    assert told(json.loads(out), 'Result') == dict.fromkeys(names, ('done',))
    assert left() == set()


def asked(terminal: Terminal, answer: str) -> tuple[int, str, str]:
    """Answer the question for approval, and wait for the end."""
    assert terminal.shows('Delete 3 images? [y/N]'), terminal.end()
    terminal.type(answer)
    return terminal.end()


def test_each_forbidden_deletion_is_reported(reader, images, left):
    images('plans-a')
    images('plans-b')
    result = warned(reader, *DELETE, *OURS, GO, *JSON, code=1)
    *lines, last = result.errors()
    assert len(lines) == 2
    assert all(line.startswith('Failed to delete image') for line in lines)
    assert last == '2 of 2 images failed to delete.'
    assert {row['Result'] for row in result.json()} == {'failed'}
    assert left() == {'plans-a', 'plans-b'}


# --- formats --------------------------------------------------------------


def rows_of(form: str, text: str) -> list[list[str]]:
    """Read the cells of an output, by what its format is."""
    match form:
        case 'json':
            return [[*row.values()] for row in json.loads(text)]
        case 'jsonl':
            return [[*json.loads(li).values()] for li in text.splitlines()]
        case 'csv':
            return [*csv.reader(io.StringIO(text))][1:]
        case 'value':
            return [line.split(' ') for line in text.splitlines()]
    lines = [line for line in text.splitlines() if line.startswith('| ')]
    return [[c.strip() for c in line[1:-1].split('|')] for line in lines[1:]]


@pytest.mark.parametrize('form', ['table', 'json', 'csv', 'jsonl', 'value'])
def test_plans_and_results_have_every_format(demo, images, left, form):
    image_id = images('plans-one')
    words = (*DELETE, *OURS, '-f', form)
    row = ['delete', image_id, 'plans-one', 'selected']
    assert rows_of(form, warned(demo, *words, DRY).out) == [row]
    row[3:3] = ['done']
    results = warned(demo, *words, GO)
    assert (rows_of(form, results.out), results.err) == ([row], '')
    assert left() == set()
    # Again: there is nothing to do.
    again = warned(demo, *words, GO)
    assert (rows_of(form, again.out), again.err) == ([], 'No images match')
    assert (again.out == '') == (form not in ('json', 'csv'))


# --- properties -----------------------------------------------------------


def test_properties_are_set_and_removed_by_choice(demo, images, glance):
    kept = {
        'old': 'value',
        'mappings': '[{"virtual": "ami", "device": "sda1"}]',
    }
    ids = {
        'plans-a': images('plans-a', **kept),
        'plans-b': images('plans-b', tier='gold', **kept),
        'plans-shared': images('plans-shared', visibility='shared'),
    }
    before = {name: glance.image(i) for name, i in ids.items()}

    def changed() -> dict[str, dict[str, Any]]:
        """Return what is another in Glance now, by name."""
        now = {name: glance.image(i) for name, i in ids.items()}
        return {
            name: {
                key: now[name].get(key)
                for key in {*was, *now[name]} - {'updated_at'}
                if now[name].get(key) != was.get(key)
            }
            for name, was in before.items()
        }

    words = (*SET, *WITH_OURS, '--property', 'tier=gold', *JSON)
    rows = demo(*words, DRY).json()
    private = (
        'its visibility is shared, and a change would make it private: allow '
        'that with --allow-private'
    )
    has = 'it has these properties'
    assert told(rows, 'Action', 'Reason') == {
        'plans-a': ('set', 'selected'),
        'plans-b': ('keep', has),
        'plans-shared': ('keep', private),
    }
    assert changed() == {name: {} for name in ids}

    assert told(demo.run(*words, GO).json(), 'Result', 'Reason') == {
        'plans-a': ('done', 'selected'),
        'plans-b': ('kept', has),
        'plans-shared': ('kept', private),
    }
    gold = {'tier': 'gold'}
    assert changed() == {'plans-a': gold, 'plans-b': {}, 'plans-shared': {}}
    again = demo.run(*words, GO)
    assert {row['Result'] for row in again.json()} == {'kept'}

    words = (
        *(*UNSET, *WITH_OURS, '--with-property', 'tier=gold', *JSON),
        *('--without-name', 'plans-b', '--property', 'tier'),
    )
    rows = demo(*words, DRY).json()
    assert told(rows, 'Action', 'Reason') == {'plans-a': ('unset', 'selected')}
    result = demo.run(*words, GO)
    assert told(result.json(), 'Result', 'Reason') == {
        'plans-a': ('done', 'selected')
    }
    assert changed() == {name: {} for name in ids}


# --- retention ------------------------------------------------------------

WEB = '11111111-2222-4333-8444-000000000001'
DB = '11111111-2222-4333-8444-000000000002'


@pytest.fixture
def snapshot(images: Images) -> Callable[..., str]:
    """Provide a maker of snapshots of servers that are gone."""

    def make(name: str, server_id: str, created: str, **fields: Any) -> str:
        taken = {'image_type': 'snapshot', 'instance_uuid': server_id}
        image_id = images(name, **taken, **fields)
        images.set_created(image_id, created)
        return image_id

    return make


def test_rules_keep_and_the_rest_is_deleted(demo, snapshot, images, left):
    for name, server_id, created in (
        ('plans-web-1', WEB, '2020-03-01 23:59:59'),
        ('plans-web-2', WEB, '2020-03-02 00:00:00'),
        ('plans-web-3', WEB, '2020-03-02 12:00:00'),
        ('plans-web-4', WEB, '2020-03-04 12:00:00'),
        ('plans-db-1', DB, '2020-01-01 00:00:00'),
    ):
        snapshot(name, server_id, created)
    snapshot('plans-web-5', WEB, '2020-03-05 00:00:00', data=None)
    images('plans-base')
    words = (*PRUNE, *OURS, '--keep-daily', '2', *JSON)
    plan = warned(demo, *words, DRY).json()
    goes = ('delete', 'no rule keeps it')
    assert told(plan, 'Action', 'Reason') == {
        'plans-web-5': ('keep', 'it is SAVING'),
        'plans-web-4': ('keep', 'kept by daily'),
        'plans-web-3': ('keep', 'kept by daily'),
        'plans-web-2': goes,
        'plans-web-1': goes,
        # Of its group it is the last.
        'plans-db-1': ('keep', 'kept by daily'),
    }
    assert len(left()) == 7
    warned(demo, *words, '--max-changes', '1', GO, code=7)
    assert len(left()) == 7
    assert warned(demo, *words, '--max-changes', '2', GO).err == ''
    after = {
        *('plans-web-5', 'plans-web-4', 'plans-web-3'),
        *('plans-db-1', 'plans-base'),
    }
    assert left() == after
    again = warned(demo, *words, GO)
    assert {row['Result'] for row in again.json()} == {'kept'}
    assert left() == after
    # In one group, of another kind, and by more rules.
    words = (*PRUNE, *OURS, '--type', 'all', '--group-by', 'status')
    rules = ('--keep-last', '1', '--keep-within', '1d', '--keep-yearly', '9')
    rows = warned(demo, *words, *rules, DRY, *JSON).json()
    assert told(rows, 'Action', 'Reason') == {
        'plans-base': ('keep', 'kept by last, yearly, within'),
        'plans-web-5': ('keep', 'it is SAVING'),
        'plans-web-4': ('keep', 'kept by yearly'),
        'plans-web-3': goes,
        'plans-db-1': ('keep', 'kept by yearly (oldest)'),
    }


# --- regions --------------------------------------------------------------


@pytest.fixture
def images_in_two(cloud: Cloud) -> Iterator[Images]:
    """Provide images of the ordinary user in the second region."""
    made = Images(
        Glance(cloud, 'demo', 'RegionTwo'),
        cloud.facts['regions']['RegionTwo']['glance_db'],
    )
    yield made
    made.remove()


def test_one_plan_for_several_regions(
    cloud, demo, images, images_in_two, left
):
    one = images('plans-a')
    two = images_in_two('plans-a')
    refused = images_in_two('plans-b', protected=True)
    words = (*DELETE, *OURS, '--all-regions', *JSON)
    result = warned(demo, *words, '--max-changes', '2', GO, code=7)
    assert result.err.startswith(
        'Nothing was changed: the plan changes 3 images'
    )
    assert left() == {'plans-a'}
    result = warned(demo, *words, GO, code=1)
    line, last = result.errors()
    assert line.startswith(
        f'Region RegionTwo: Failed to delete image {refused!r}: {FORBIDDEN}'
    )
    assert last == '1 of 3 images failed to delete.'
    assert [
        (row['Region'], row['ID'], row['Result']) for row in result.json()
    ] == [
        ('RegionOne', one, 'done'),
        ('RegionTwo', refused, 'failed'),
        ('RegionTwo', two, 'done'),
    ]
    assert left() == set()
    glance = Glance(cloud, 'demo', 'RegionTwo')
    assert glance.image(two) is None
    assert glance.image(refused) is not None
