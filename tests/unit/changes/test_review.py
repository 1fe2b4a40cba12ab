# SPDX-License-Identifier: Apache-2.0

"""Plans that are reviewed and applied later, and images that are kept."""

import datetime
import io
import pathlib

from osc_lib import exceptions
import pytest

from osc_compute_images.api.changes.plan import Plan
from testbed import nova
from testbed.fleet import server
from tests.unit.changes.conftest import REGIONS
from tests.unit.changes.conftest import written
from tests.unit.conftest import set_catalog
from tests.unit.running import App
from tests.unit.running import CLOUD
from tests.unit.running import DB
from tests.unit.running import DRY
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import WEB

PRUNE = 'prune --keep-last=1'
DELETE = 'delete --type=snapshot'
SET = 'set --all --property=a=b'


@pytest.fixture
def app(tmp_path):
    """Provide the shell with two clouds, of which none is the default."""
    return App(tmp_path, {'other': CLOUD})


@pytest.fixture
def reviewed(app, tmp_path):
    """Return a function that writes a plan, and returns its file."""
    return lambda *words: written(tmp_path, app.rows(*words, DRY))


@pytest.fixture
def stdin_of(typed):
    """Return a function that replaces stdin."""
    return lambda text: typed(
        text, lambda text: io.TextIOWrapper(io.BytesIO(text.encode()))
    )


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
    assert applied(app, file) == dict.fromkeys(changed, 'kept')
    assert not fleet.writes
    assert errors(caplog) == []


def test_command_is_shown(app, fleet, reviewed, typed, caplog):
    """A row does not tell what is set."""
    file = reviewed('set', '--all', '--property=a=\x1b[2J')
    title = r"Plan of: set -f json --all '--property=a=\x1b[2J' --dry-run"
    terminal = typed('n\n')
    with pytest.raises(exceptions.CommandError, match='Not approved'):
        app.run('apply', file)
    assert terminal.getvalue().startswith(f'{title}\n')
    app.run('apply', file, DRY)
    assert title in caplog.messages
    assert not fleet.writes


def test_plans_from_stdin(app, fleet, stdin_of):
    _, printed = app.run(PRUNE, DRY, '-f', 'jsonl')
    stdin_of(printed)
    assert applied(app, '-') == dict.fromkeys([4, 2, 1], 'done')
    fleet.requests.clear()
    stdin_of('[]')
    assert applied(app, '-') == {}
    assert fleet.requests == []


# --- what has changed meanwhile ---------------------------------------------


@pytest.mark.parametrize(
    ('act', 'code'),
    [
        (lambda f: f.servers.update(x=server('x', image=ID[1])), 1),
        (lambda f: f.images[ID[1]].update(name='golden'), 1),
        (lambda f: f.images.pop(ID[1]), 0),
    ],
    ids=['used', 'renamed', 'gone'],
)
def test_image_that_must_be_kept_now(app, fleet, reviewed, caplog, act, code):
    file = reviewed(PRUNE)
    act(fleet)
    # The plan was made without this option: it allows nothing.
    results = applied(app, file, '--include-used', code=code)
    assert results == {4: 'done', 2: 'done', 1: 'kept'}
    assert len(fleet.writes) == 2
    assert len([e for e in errors(caplog) if 'is kept' in e]) == code


def test_server_that_is_stored_while_a_named_image_is_approved(
    app, fleet, reviewed, typed_slowly, caplog
):
    file = reviewed('delete', ID[1])
    shelved = {'status': 'SHELVED_OFFLOADED'}
    typed_slowly(1, lambda: fleet.servers[WEB].update(shelved))
    [row] = app.rows('apply', file, code=1)
    assert row['Result'] == 'skipped'
    assert f'Image {ID[1]} was not changed: server web' in caplog.text
    assert not fleet.writes


def test_gap_does_not_keep_an_image_that_was_named(app, fleet, reviewed):
    """Only its own server matters, as without a review."""
    fleet.servers = {'x': server('', 'x')}
    file = reviewed('delete', ID[1], ID[2])
    assert applied(app, file) == dict.fromkeys([1, 2], 'done')
    assert 'GET /servers/detail' not in fleet.requests


def test_image_whose_row_was_removed_does_not_matter(
    app, fleet, tmp_path, caplog, slept
):
    def fail(_method, path):
        if path == f'/servers/{DB}':
            raise OSError('down')

    plan = app.rows('delete', 'cirros-1', 'cirros-4', DRY)
    file = written(tmp_path, plan[:1])
    fleet.before = fail
    assert applied(app, file) == {1: 'done'}
    # The name of the other one becomes ambiguous.
    fleet.images[ID[5]]['name'] = 'cirros-4'
    assert applied(app, file) == {1: 'kept'}
    assert errors(caplog) == []
    assert applied(app, written(tmp_path, plan[1:]), code=1) == {4: 'kept'}
    assert "2 images have the name 'cirros-4'" in errors(caplog)[0]
    assert fleet.writes == [f'DELETE /images/{ID[1]}']


# --- plans that are refused -------------------------------------------------


def refused(app, fleet, caplog, file, *words):
    caplog.clear()
    code, printed = app.run('apply', file, GO, *words)
    assert (code, printed) == (7, '')
    assert not fleet.writes
    [message] = errors(caplog)
    return message


def test_plan_of_another_place(app, fleet, reviewed, caplog, monkeypatch):
    file = reviewed(PRUNE)
    app.options.cloud = 'other'
    assert 'made in cloud mycloud' in refused(app, fleet, caplog, file)
    app.options.cloud = 'mycloud'
    function = 'keystoneauth1.adapter.Adapter.get_project_id'
    monkeypatch.setattr(function, lambda _: 'another')
    assert 'project another' in refused(app, fleet, caplog, file)


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


def test_file_that_is_no_plan(app, fleet, reviewed, caplog):
    file = pathlib.Path(reviewed(PRUNE))
    plan = file.read_text()
    for content, told in (
        (plan.replace('keep', 'delete', 1), 'was altered'),
        (Plan.from_json(plan).to_json(), 'not made by a command'),
    ):
        file.write_text(content)
        assert told in refused(app, fleet, caplog, str(file))
    file.unlink()
    assert str(file) in refused(app, fleet, caplog, str(file))


# --- images that are kept ----------------------------------------------------


def test_images_are_kept_by_property_and_by_files(
    app, fleet, tmp_path, stdin_of
):
    fleet.images[ID[4]]['metadata']['keep'] = 'yes'
    fleet.images[ID[5]]['metadata']['keep'] = 'no'
    state = tmp_path / 'terraform.tfstate'
    state.write_text(f'{{"image": "{ID[1].upper()}"}}')
    stdin_of(f'{ID[2]}\n')
    sources = (f'--keep-from={state}', '--keep-from=-')
    plan = app.rows(DELETE, '--keep-property=keep=yes', *sources, DRY)
    assert [row['Reason'] for row in plan] == [
        *('selected', 'it has the property keep=yes', 'selected'),
        *('named in stdin', f'named in {state}'),
    ]
    # Images that are named are kept, too.
    words = (ID[3], ID[4], ID[5], '--keep-property=keep')
    assert app.run('delete', *words)[0] == 1
    assert fleet.writes == [f'DELETE /images/{ID[3]}']


def test_file_that_names_nothing(app, fleet, tmp_path, caplog):
    """An empty file is rather a broken pipe than a list without images."""
    file = tmp_path / 'names'
    for content in ('', 'no UUID'):
        file.write_text(content)
        assert app.run(PRUNE, f'--keep-from={file}', GO) == (7, '')
        assert str(file) in errors(caplog)[-1]
    assert fleet.requests == []


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


def test_options_that_keep_are_given_again_or_refused(
    app, fleet, reviewed, caplog, stdin_of
):
    stdin_of(ID[1])
    file = reviewed(PRUNE, '--keep-from=-')
    assert '--keep-from -' in refused(app, fleet, caplog, file)
    stdin_of(ID[2])
    results = applied(app, file, '--keep-from=-', code=1)
    assert results == {4: 'done', 2: 'kept'}
    # An option without effect would be taken for a protection.
    file = reviewed(SET)
    fleet.requests.clear()
    for option in ('--keep-property=a', '--keep-from=-'):
        told = refused(app, fleet, caplog, file, option)
        assert 'deletes nothing' in told


# --- exit codes, totals and outcomes -----------------------------------------


def test_detailed_exit_code(app):
    dry = (DRY, '--detailed-exitcode')
    codes = [app.run(PRUNE, *words)[0] for words in (dry, [GO], dry)]
    assert codes == [8, 0, 0]


def test_totals(app, fleet, caplog):
    """How many images are deleted and kept, and how many bytes that frees."""
    for number in range(6):
        fleet.images[ID[number]]['OS-EXT-IMG-SIZE:size'] = 10**number
    fleet.images[ID[5]]['OS-EXT-IMG-SIZE:size'] = None
    app.rows(DELETE, DRY)
    assert caplog.messages[-1] == '5 images to delete (11.1K), 0 kept'
    fleet.images[ID[5]]['OS-EXT-IMG-SIZE:size'] = 10**24
    app.rows(DELETE, DRY)
    assert caplog.messages[-1] == '5 images to delete (>999Z), 0 kept'
    fleet.servers['x'] = server('x', image=ID[5])
    fleet.images[ID[1]]['metadata']['protected_here'] = 'yes'

    def meanwhile(method, path):
        if (method, path) == ('DELETE', f'/images/{ID[4]}'):
            fleet.images[ID[2]]['name'] = 'x'
            del fleet.images[ID[3]]

    fleet.before = meanwhile
    app.rows(DELETE, GO, code=1)
    warnings = [r.message for r in caplog.records if r.levelname == 'WARNING']
    assert warnings[-1] == (
        '1 image deleted (10K), 1 kept, 1 skipped, 1 gone, 1 failed'
    )


def test_images_that_are_not_changed_are_reported_once(
    app, fleet, reviewed, caplog, typed_slowly
):
    """Even if the answer took long, and the plan is made again."""
    file = reviewed(f'delete {ID[1]} cirros-2 cirros-3')
    fleet.images[ID[1]]['name'] = 'cirros-2'
    typed_slowly(61, lambda: None)
    got = app.rows('apply', file, code=1)
    assert [r['Result'] for r in got] == ['kept', 'kept', 'done']
    ambiguous, kept, total = errors(caplog)
    assert "have the name 'cirros-2'" in ambiguous
    assert ID[1] in kept
    assert total == '2 of 3 images failed to delete.'


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


# --- several regions and clouds ----------------------------------------------


def fail(_method, _path):
    raise OSError('down')


def test_plan_of_two_regions(app, fleet, apart, tmp_path, caplog):
    plan = app.rows(DELETE, '--region=RegionOne', '--region=RegionTwo', DRY)
    assert len(plan) == 10
    # Rows that only one region is left of.
    left = [row for row in plan if row['Region'] == 'RegionTwo'][1:]
    got = app.rows('apply', written(tmp_path, left), GO)
    assert {row['Region'] for row in got} == {'RegionTwo'}
    assert [row['Result'] for row in got] == ['done'] * 4
    assert len(fleet.images) == 6
    assert [*apart.images] == [ID[11]]
    app.rows('apply', written(tmp_path, plan), GO)
    assert ([*fleet.images], apart.images) == ([ID[0]], {})
    assert caplog.messages[-1] == '6 images deleted (128.6M), 4 kept'


def test_region_that_fails_or_is_gone(
    app, fleet, apart, http, tmp_path, caplog, slept
):
    file = written(tmp_path, app.rows(DELETE, '--all-regions', DRY))
    apart.before = fail
    for word in (DRY, GO):
        caplog.clear()
        got = app.rows('apply', file, word, code=1)
        assert {row['Region'] for row in got} == {'RegionOne'}
        assert errors(caplog)[0].startswith('Region RegionTwo: ')
    assert [*fleet.images] == [ID[0]]
    assert len(apart.images) == 5
    set_catalog(http, {'RegionOne': REGIONS['RegionOne']})
    assert app.run('apply', file, GO) == (7, '')
    assert 'made in cloud mycloud, region RegionTwo' in errors(caplog)[-1]
    assert not apart.writes


def test_plan_of_all_clouds(fleet, apart, tmp_path, caplog):
    other = {**CLOUD, 'region_name': 'RegionTwo'}
    app = App(tmp_path, {'other': other})
    file = written(tmp_path, app.rows(DELETE, '--all-clouds', DRY))
    broken = {**other, 'auth': {'auth_url': 'http://nowhere.example.com'}}
    app = App(tmp_path, {'other': broken})
    got = app.rows('apply', file, GO, code=1)
    assert {r['Cloud'] for r in got} == {'mycloud'}
    assert errors(caplog)[0].startswith('Cloud other: ')
    assert [*fleet.images] == [ID[0]]
    assert len(apart.images) == 5
    app = App(tmp_path, {'other': other})
    got = app.rows('apply', file, GO)
    done = {(r['Cloud'], r['Region']) for r in got if r['Result'] == 'done'}
    assert done == {('other', 'RegionTwo')}
    assert not apart.images
