# SPDX-License-Identifier: Apache-2.0

"""Plans that are reviewed and applied later, and images that are kept."""

import datetime
import io
import json
import pathlib
import sys

import pytest

from osc_compute_images.api.changes.plan import Plan
from osc_compute_images.changes import work
from testbed import nova
from testbed.fleet import server
from tests.unit.conftest import set_catalog
from tests.unit.running import App
from tests.unit.running import CLOUD
from tests.unit.running import day
from tests.unit.running import DRY
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID

PRUNE = 'prune --keep-last=1'
DELETE = 'delete --type=snapshot'
SET = 'set --all --property=a=b'


@pytest.fixture
def app(fleet, tmp_path):
    return App(tmp_path, {'other': CLOUD})


@pytest.fixture
def reviewed(app, tmp_path):
    """Return a function that writes a plan, and returns its file."""

    def write(*words):
        file = tmp_path / 'plan.json'
        file.write_text(json.dumps(app.rows(*words, DRY)))
        return str(file)

    return write


@pytest.fixture
def stdin_of(monkeypatch):
    """Return a function that replaces stdin."""

    def replace(text):
        stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
        monkeypatch.setattr(sys, 'stdin', stdin)

    return replace


def applied(app, file, *words, code=0):
    """Apply a plan; return the results by the number of the image."""
    done = app.rows('apply', file, GO, *words, code=code)
    return {ID.index(row['ID']): row['Result'] for row in done}


# --- from the plan to its application ---------------------------------------


@pytest.mark.parametrize(
    ('command', 'changed'),
    [
        (PRUNE, [4, 2, 1]),
        (f'delete {ID[0]} {ID[1]} cirros-2', [0, 1, 2]),
        (SET, [5, 4, 3, 2, 1, 0]),
        (f'unset {ID[1]} --property=image_type', [1]),
    ],
)
def test_plan_is_shown_and_applied_twice(
    app, fleet, reviewed, caplog, command, changed
):
    file = reviewed(command)
    assert [n for _, n in app.acted('apply', file, DRY)] == changed
    assert not fleet.writes
    assert applied(app, file) == dict.fromkeys(changed, 'done')
    assert len(fleet.writes) == len(changed)
    fleet.requests.clear()
    assert {*applied(app, file).values()} <= {'kept'}
    assert not fleet.writes
    assert errors(caplog) == []


def test_plan_from_stdin_as_lines(app, stdin_of):
    _, printed = app.run(PRUNE, DRY, '-f', 'jsonl')
    stdin_of(printed)
    assert applied(app, '-') == dict.fromkeys([4, 2, 1], 'done')


def test_empty_plan(app, fleet, tmp_path):
    file = tmp_path / 'plan.json'
    file.write_text('[]')
    assert applied(app, str(file)) == {}
    assert fleet.requests == []


# --- what has changed meanwhile ---------------------------------------------


def boot(fleet):
    fleet.servers['x'] = server('x', image=ID[1])


def rename(fleet):
    fleet.images[ID[1]]['name'] = 'golden'


def delete_successor(fleet):
    """The newest that is left must stay."""
    del fleet.images[ID[3]]


def add_newer(fleet):
    """More could be deleted now than was reviewed."""
    newer = {**fleet.images[ID[3]], 'id': ID[9], 'created': day(20)}
    fleet.images[ID[9]] = newer


def lose(fleet):
    del fleet.images[ID[1]]


@pytest.mark.parametrize(
    ('act', 'kept', 'code'),
    [
        (boot, {1}, 1),
        (rename, {1}, 1),
        (delete_successor, {2}, 1),
        (add_newer, set(), 0),
        (lose, {1}, 0),
    ],
)
def test_image_that_must_be_kept_now(
    app, fleet, reviewed, caplog, act, kept, code
):
    file = reviewed(PRUNE)
    act(fleet)
    # The plan was made without this option: it allows nothing.
    results = applied(app, file, '--include-used', code=code)
    assert results == {n: 'kept' if n in kept else 'done' for n in (4, 2, 1)}
    assert len(fleet.writes) == 3 - len(kept)
    assert len([e for e in errors(caplog) if 'is kept' in e]) == code


# --- plans that are refused -------------------------------------------------


def refused(app, fleet, caplog, file, *words):
    caplog.clear()
    code, printed = app.run('apply', file, GO, *words)
    assert (code, printed) == (7, '')
    assert not fleet.writes
    [message] = errors(caplog)
    return message


def test_plan_of_another_place(
    app, fleet, http, reviewed, caplog, tmp_path, monkeypatch
):
    file = reviewed(PRUNE)
    app.options.cloud = 'other'
    assert 'made in cloud mycloud' in refused(app, fleet, caplog, file)
    set_catalog(http, {'RegionTwo': nova.ENDPOINT})
    app = App(tmp_path, region_name='RegionTwo')
    message = refused(app, fleet, caplog, file)
    assert 'not in cloud mycloud, region RegionTwo' in message
    set_catalog(http, {'RegionOne': nova.ENDPOINT})
    monkeypatch.setattr(
        'keystoneauth1.adapter.Adapter.get_project_id', lambda _: 'another'
    )
    message = refused(App(tmp_path), fleet, caplog, file)
    assert 'project another' in message


@pytest.mark.parametrize(
    ('command', 'option'),
    [
        (PRUNE, '--include-used'),
        (PRUNE, '--accept-gaps'),
        (f'delete {ID[1]}', '--force'),
        (f'set {ID[1]} --property=a=b', '--allow-private'),
    ],
)
def test_options_that_allow_more_are_given_again(
    app, fleet, reviewed, caplog, command, option
):
    file = reviewed(command, option)
    assert option in refused(app, fleet, caplog, file)
    assert {*applied(app, file, option).values()} == {'done'}


@pytest.mark.parametrize('content', [None, '', 'x', '[{"ID": "x"}]'])
def test_file_that_is_no_plan(app, fleet, tmp_path, caplog, content):
    file = tmp_path / 'plan.json'
    if content is not None:
        file.write_text(content)
    expected = str(file) if content is None else 'The plan is refused'
    assert expected in refused(app, fleet, caplog, str(file))


def test_plan_of_a_python_program(app, fleet, reviewed, caplog):
    file = pathlib.Path(reviewed(PRUNE))
    file.write_text(Plan.from_json(file.read_text()).to_json())
    message = refused(app, fleet, caplog, str(file))
    assert 'not made by a command' in message


# --- images that are kept ----------------------------------------------------


def test_keep_by_property(app, fleet):
    fleet.images[ID[3]]['metadata']['keep'] = 'yes'
    fleet.images[ID[1]]['metadata']['keep'] = 'no'
    for command, option, kept in (
        (DELETE, 'keep', {3: 'yes', 1: 'no'}),
        (PRUNE, 'keep=no', {1: 'no'}),
    ):
        plan = app.rows(command, f'--keep-property={option}', DRY)
        reasons = {ID.index(r['ID']): r['Reason'] for r in plan}
        assert {n: r for n, r in reasons.items() if 'property' in r} == {
            n: f'it has the property keep={value}' for n, value in kept.items()
        }


@pytest.mark.parametrize('value', ['', '=yes', 'keep!=yes'])
def test_property_that_no_image_has(app, fleet, value):
    """A variable that is not set would protect nothing."""
    with pytest.raises(SystemExit):
        app.run(PRUNE, f'--keep-property={value}', GO)
    assert fleet.requests == []


def test_keep_what_files_name(app, tmp_path, stdin_of):
    state = tmp_path / 'terraform.tfstate'
    state.write_text(f'{{"image": "{ID[1].upper()}"}}')
    stdin_of(f'{ID[2]}\n')
    plan = app.rows(PRUNE, f'--keep-from={state}', '--keep-from=-', DRY)
    reasons = {ID.index(r['ID']): r['Reason'] for r in plan}
    assert reasons[1] == f'named in {state}'
    assert reasons[2] == 'named in stdin'
    assert reasons[4] == 'no rule keeps it'


def test_named_image_is_kept_too(app, fleet):
    fleet.images[ID[1]]['metadata']['keep'] = ''
    words = (ID[1], ID[2], '--keep-property=keep')
    assert app.run('delete', *words)[0] == 1
    assert fleet.writes == [f'DELETE /images/{ID[2]}']


@pytest.mark.parametrize('content', [None, '', 'no UUID'])
def test_file_that_names_nothing(app, fleet, tmp_path, caplog, content):
    """An empty file is rather a broken pipe than a list without images."""
    file = tmp_path / 'names'
    if content is not None:
        file.write_text(content)
    assert app.run(PRUNE, f'--keep-from={file}', GO) == (7, '')
    assert fleet.requests == []
    assert str(file) in errors(caplog)[0]


def test_kept_by_a_plan_and_by_its_application(app, fleet, reviewed, tmp_path):
    """A file that the plan names is read again, and more may be given."""
    names, more = tmp_path / 'names', tmp_path / 'more'
    names.write_text(ID[1])
    file = reviewed(PRUNE, f'--keep-from={names}')
    names.write_text(ID[2])
    more.write_text(ID[4])
    for option in (f'--keep-from={more}', '--keep-property=image_type'):
        results = applied(app, file, option, code=7)
        assert results == {4: 'kept', 2: 'kept'}
    assert applied(app, file, code=1) == {4: 'done', 2: 'kept'}
    assert ID[1] in fleet.images


def test_stdin_of_a_plan_is_given_again(
    app, fleet, reviewed, caplog, stdin_of
):
    stdin_of(ID[1])
    file = reviewed(PRUNE, '--keep-from=-')
    assert '--keep-from -' in refused(app, fleet, caplog, file)
    stdin_of(ID[2])
    results = applied(app, file, '--keep-from=-', code=1)
    assert results == {4: 'done', 2: 'kept'}


@pytest.mark.parametrize('option', ['--keep-property=a', '--keep-from=-'])
def test_nothing_to_keep(app, fleet, reviewed, caplog, option):
    """An option without effect would be taken for a protection."""
    file = reviewed(SET)
    assert 'deletes nothing' in refused(app, fleet, caplog, file, option)


# --- exit codes, totals and outcomes -----------------------------------------


def test_detailed_exit_code(app):
    words = (DRY, '--detailed-exitcode')
    assert app.run(PRUNE, *words)[0] == 8
    assert app.run(PRUNE, GO)[0] == 0
    assert app.run(PRUNE, *words)[0] == 0
    assert app.run(PRUNE, '--detailed-exitcode', GO)[0] == 2


def test_totals(app, fleet, caplog):
    """How many images are deleted and kept, and how many bytes that frees."""
    for number in range(6):
        fleet.images[ID[number]]['OS-EXT-IMG-SIZE:size'] = 10**number
    fleet.images[ID[2]]['OS-EXT-IMG-SIZE:size'] = None
    app.rows(PRUNE, DRY)
    assert caplog.messages[-1] == '3 images to delete (10K), 2 kept'
    fleet.images[ID[1]]['metadata']['protected_here'] = 'yes'
    renamed = fleet.images[ID[2]]
    fleet.before = lambda *_request: (
        fleet.requests.count(f'GET /images/{ID[2]}')
        and renamed.update(name='x')
    )
    assert app.run(PRUNE, GO)[0] == 1
    warnings = [r.message for r in caplog.records if r.levelname == 'WARNING']
    assert warnings[-1] == '1 image deleted (10K), 2 kept, 1 skipped, 1 failed'


def test_image_that_others_deleted_frees_nothing(app, fleet, caplog):
    def delete(method, path):
        if (method, path) == ('DELETE', f'/images/{ID[4]}'):
            fleet.images.pop(ID[2])

    fleet.before = delete
    assert [r['Result'] for r in app.rows(PRUNE, GO)].count('gone') == 1
    assert caplog.messages[-1] == '2 images deleted (42.9M), 2 kept, 1 gone'


def test_kept_image_is_reported_once(
    app, fleet, reviewed, caplog, monkeypatch, typed
):
    """Even if the answer took long, and the plan is made again."""
    file = reviewed(PRUNE)
    rename(fleet)
    monkeypatch.setattr(work, '_FRESH', -1)
    typed('y\n')
    got = app.rows('apply', file, code=1)
    assert [r['Result'] for r in got] == ['done', 'done', 'kept']
    kept, total = errors(caplog)
    assert ID[1] in kept
    assert total == '1 of 3 images failed to delete.'


def test_outcomes_are_an_audit_log(app, http):
    """They say when, and under which request ID, for each change."""
    for n, status in ((1, 204), (2, 403)):
        http.delete(
            f'{nova.ENDPOINT}/images/{ID[n]}',
            status_code=status,
            headers={'X-OpenStack-Request-Id': f'req-{n}'},
        )
    done = {ID.index(r['ID']): r for r in app.rows(PRUNE, GO, code=1)}
    requests = {n: row['Request ID'] for n, row in done.items()}
    assert requests == {1: 'req-1', 2: 'req-2', 3: None, 4: None, 5: None}
    times = [datetime.datetime.fromisoformat(r['Time']) for r in done.values()]
    assert all(time.utcoffset() == datetime.timedelta() for time in times)
    assert times == sorted(times)
    assert 'Request ID' not in app.run(PRUNE, GO)[1]
