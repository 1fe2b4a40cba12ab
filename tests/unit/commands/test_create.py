# SPDX-License-Identifier: Apache-2.0

"""Snapshots of servers, from the parser to a fake Nova."""

import io
import json
import os
import re
import signal
import sys
import threading
import time

from osc_lib import exceptions
import pytest

from osc_compute_images.api import ImagesAPI
from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from tests.unit.conftest import sent
from tests.unit.conftest import set_catalog
from tests.unit.running import App
from tests.unit.running import DB
from tests.unit.running import DRY
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import Terminal
from tests.unit.running import TWO
from tests.unit.running import WEB

APP = 'b0a2f2d4-0000-4000-8000-000000000003'
VOLUME = 'b0a2f2d4-0000-4000-8000-000000000004'
POSTS = {f'POST /servers/{i}/action': i for i in (WEB, DB, APP, VOLUME)}


def new_fleet():
    """Return three servers, and one on a volume."""
    yes = {'backup': 'yes'}
    servers = [
        server(WEB, 'web', image=ID[0], metadata=yes),
        server(DB, 'db', image=ID[0], metadata={'backup': 'no'}),
        server(APP, 'app', image=ID[0], status='SHUTOFF'),
        server(VOLUME, 'volume', metadata=yes),
    ]
    return Fleet([nova.image(0)], servers)


@pytest.fixture
def fleet(http):
    return new_fleet().serve(http)


@pytest.fixture
def app(fleet, tmp_path):
    return App(tmp_path)


def create(app, *words, code=0):
    return app.rows('create', *words, code=code)


def names(got, action='create'):
    return [row['Server'] for row in got if row['Action'] == action]


def taken(fleet):
    """Return the servers of which snapshots were requested."""
    return [POSTS[write] for write in fleet.writes]


def finish(fleet):
    for image in fleet.images.values():
        image['status'] = 'ACTIVE'


# --- which servers -------------------------------------------------------


@pytest.mark.parametrize(
    ('words', 'chosen'),
    [
        (['--all'], ['web', 'db', 'app']),
        (['--all', '--include-volumes'], ['web', 'db', 'app', 'volume']),
        (['--with-metadata=backup=yes'], ['web']),
        (['--with-metadata=backup!=yes'], ['db', 'app']),
        (['--with-metadata=backup', '--with-metadata=backup!=no'], ['web']),
        (['--name-regex=^(web|app)$', '--status=shutoff'], ['app']),
        (['--name-pattern=web', '--name-pattern=db'], ['web', 'db']),
        (['--status=SHUTOFF', '--status=ACTIVE'], ['web', 'db', 'app']),
        (['db', 'web', DB.upper()], ['db', 'web']),
    ],
)
def test_dry_run_shows_what_is_done(app, fleet, words, chosen):
    planned = create(app, *words, DRY)
    assert names(planned) == chosen
    assert not fleet.writes
    done = create(app, *words, GO)
    assert sorted(names(done)) == sorted(chosen)
    assert {row['Result'] for row in done if row['Action'] == 'create'} == {
        'done'
    }
    assert len(taken(fleet)) == len(chosen)
    for row in done:
        if row['Action'] == 'create':
            image = fleet.images[row['Image ID']]
            assert image['name'] == row['Image Name']
            assert image['server']['id'] == row['Server ID']


def test_columns(app):
    [planned] = create(app, 'web', DRY)
    assert [*planned] == [
        *('Action', 'Server ID', 'Server', 'Image Name', 'Reason'),
    ]
    [done] = create(app, 'web')
    assert [*done] == [
        *('Action', 'Server ID', 'Server', 'Image Name', 'Image ID'),
        *('Result', 'Reason', 'Time'),
    ]
    _, table = app.run('create', 'db')
    assert 'Image ID' in table
    assert 'Time' not in table


def test_template_and_properties(app, fleet):
    words = ('--image-name=b {server} {date}', '--property=by=cron')
    [row] = create(app, 'web', *words)
    assert re.fullmatch(r'b web \d{4}-\d\d-\d\d', row['Image Name'])
    assert fleet.images[row['Image ID']]['metadata']['by'] == 'cron'


def test_names_are_unique_in_several_regions(app, fleet, http):
    set_catalog(http, {'RegionOne': nova.ENDPOINT, 'RegionTwo': TWO})
    other = Fleet([], [server(VOLUME, 'web', image=ID[0])]).serve(http, TWO)
    del fleet.servers[VOLUME]
    got = create(app, '--name-pattern=web', '--all-regions', GO)
    assert {(row['Region'], row['Image Name'][-36:]) for row in got} == {
        ('RegionOne', WEB),
        ('RegionTwo', VOLUME),
    }
    assert (taken(fleet), len(other.writes)) == ([WEB], 1)
    # The same server in two regions has one snapshot.
    other.servers = fleet.servers
    got = create(app, '--name-pattern=db', '--all-regions', DRY)
    assert names(got) == ['db']


def test_administrator_sees_other_projects_only_if_asked(app, fleet, http):
    words = ('--all', DRY)
    create(app, *words)
    assert not [line for line in sent(http) if 'all_tenants' in line]
    create(app, *words, '--all-projects')
    assert [line for line in sent(http) if 'all_tenants' in line]
    fleet.is_admin = False
    create(app, *words)
    with pytest.raises(exceptions.CommandError, match='403'):
        create(app, *words, '--all-projects')


def test_volume_is_skipped_without_an_option(app, fleet, caplog):
    [row] = create(app, '--name-pattern=vol*', GO)
    assert (row['Result'], row['Action']) == ('skipped', 'skip')
    assert not fleet.writes
    create(app, 'volume', DRY)
    assert 'it was booted from a volume' in caplog.text
    words = ('volume', '--include-volumes', '--not-within=20h')
    [row] = create(app, *words)
    assert row['Result'] == 'done'
    # Its server is recorded, so that a second run finds it.
    [row] = create(app, *words)
    assert row['Action'] == 'skip'
    assert taken(fleet) == [VOLUME]


def test_second_run_of_a_night_does_nothing(app, fleet):
    words = ('--all', '--not-within=20h', GO)
    assert len(names(create(app, *words))) == 3
    finish(fleet)
    assert names(create(app, *words)) == []
    assert len(fleet.writes) == 3
    # Without the option, images are not read.
    fleet.requests.clear()
    create(app, '--all', DRY)
    assert not [r for r in fleet.requests if 'images' in r]


def test_servers_are_read_before_images(app, fleet):
    create(app, '--all', '--not-within=20h', DRY)
    assert fleet.requests == ['GET /servers/detail', 'GET /images/detail']


# --- what is skipped, and what fails ---------------------------------------


@pytest.mark.parametrize('word', ['web', '--name-pattern=web'])
def test_busy_server_is_skipped_and_reported(app, fleet, caplog, word):
    fleet.servers[WEB]['OS-EXT-STS:task_state'] = 'image_uploading'
    for option in (DRY, GO):
        caplog.clear()
        [row] = create(app, word, option, code=1)
        assert (row['Action'], row.get('Result', 'skipped')) == (
            'skip',
            'skipped',
        )
        text = f'Server web ({WEB}) is skipped: it is busy: image_uploading'
        assert text in caplog.messages
    assert not fleet.writes


def test_server_that_becomes_busy_is_skipped(app, fleet, caplog):
    def become_busy(method, _path):
        if method == 'POST':
            fleet.servers[WEB]['OS-EXT-STS:task_state'] = 'rebooting'

    fleet.before = become_busy
    got = create(app, '--name-pattern=[wd]*', '--parallel=1', GO, code=1)
    assert [(r['Server'], r['Result']) for r in got] == [
        ('web', 'skipped'),
        ('db', 'done'),
    ]
    # It is not tried again.
    assert taken(fleet) == [WEB, DB]
    assert any('It has a task' in m for m in caplog.messages)
    assert caplog.messages[-1] == '1 server snapshotted, 1 skipped'


@pytest.mark.parametrize(
    ('status', 'code'), [('ERROR', 1), ('UNKNOWN', 1), ('SHELVED', 0)]
)
def test_other_states_are_skipped(app, fleet, caplog, status, code):
    """What is shelved needs no snapshot."""
    fleet.servers[WEB]['status'] = status
    got = create(app, '--all', DRY, code=code)
    assert names(got, 'skip') == ['web', 'volume']
    assert got[0]['Reason']
    assert any('is skipped' in m for m in caplog.messages) == bool(code)
    # It can be left out.
    create(app, '--status=ACTIVE', DRY, code=int(status == 'UNKNOWN'))


def test_missing_names_are_reported(app, fleet, caplog):
    fleet.servers[DB]['name'] = 'web'
    got = create(app, 'nope', 'web', 'app', code=1)
    assert names(got) == ['app']
    nope, twins, total = errors(caplog)
    assert "'nope'" in nope
    assert WEB in twins
    assert DB in twins
    assert total == '2 of 3 servers failed to snapshot.'


def test_no_servers(app, fleet, caplog):
    fleet.servers.clear()
    assert create(app, '--all', GO) == []
    assert caplog.messages == ['No servers match']


def test_gap_is_an_error(app, fleet, caplog):
    fleet.down = {DB}
    got = create(app, '--name-pattern=web', GO, code=1)
    assert names(got) == ['web']
    assert DB in errors(caplog)[0]
    # It has no name, and so it only matches everything.
    got = create(app, '--all', DRY, code=1)
    assert '' in names(got, 'skip')


def test_region_that_fails_is_an_error(app, fleet, http, caplog, slept):
    set_catalog(http, {'RegionOne': nova.ENDPOINT, 'RegionTwo': TWO})
    http.get(re.compile(TWO), status_code=500)
    got = create(app, '--name-pattern=web', '--all-regions', GO, code=1)
    assert [row['Region'] for row in got] == ['RegionOne']
    assert any('RegionTwo' in m for m in errors(caplog))
    assert taken(fleet) == [WEB]


# --- approval, exit codes --------------------------------------------------


@pytest.mark.parametrize('task', [None, 'rebooting'])
def test_plan_is_made_again_after_a_long_question(
    app, fleet, monkeypatch, slept, caplog, task
):
    class Slow(Terminal):
        def readline(self, *_size):
            time.sleep(61)
            fleet.servers[WEB]['OS-EXT-STS:task_state'] = task
            return 'y\n'

    monkeypatch.setattr(sys, 'stdin', Slow())
    monkeypatch.setattr(sys, 'stderr', terminal := Terminal())
    code, _ = app.run('create', '--all')
    assert 'Snapshot 3 servers? [y/N]' in terminal.getvalue()
    assert 'Image Name' in terminal.getvalue()
    assert (code, len(fleet.writes)) == ((7, 0) if task else (0, 3))
    text = f'no longer holds for server {WEB}'
    assert (text in caplog.text) == bool(task)


def test_named_servers_need_no_approval(app, fleet):
    create(app, 'web')
    with pytest.raises(exceptions.CommandError, match='no terminal'):
        create(app, '--all')
    assert taken(fleet) == [WEB]


@pytest.mark.parametrize(
    ('words', 'text'),
    [
        ([], 'No servers chosen'),
        (['--include-volumes'], 'No servers chosen'),
        (['web', '--all'], 'not allowed with --all'),
        (['web', '--status=ACTIVE'], 'options that choose servers'),
        (['web', '--all-regions'], 'not allowed with --all-regions'),
        (['web', '--timeout=3'], '--timeout needs --wait'),
        (['web', '--detailed-exitcode'], 'needs --dry-run'),
        (['web', '--image-name={host}'], '{host} is not a field'),
    ],
)
def test_invalid_options(app, fleet, caplog, words, text):
    assert app.run('create', *words) == (2, '')
    assert text in caplog.text
    assert not fleet.requests


@pytest.mark.parametrize(
    'word',
    ['--status=ACTIV', '--with-metadata==x', '--with-metadata=', ''],
)
def test_invalid_values(app, fleet, word):
    with pytest.raises(SystemExit) as e:
        app.run('create', word)
    assert e.value.code == 2
    with pytest.raises(exceptions.CommandError, match='cannot be set'):
        create(app, 'web', '--property=name=x')
    assert not fleet.requests


# --- waiting, and signals ---------------------------------------------------


def test_wait(app, fleet, slept):
    [row] = create(app, 'db', '--wait', '--timeout=30', code=1)
    assert (row['Result'], row['Image ID'] in fleet.images) == ('failed', True)
    assert 'SAVING' in row['Reason']


@pytest.fixture
def ended():
    """Provide an event; set it, and wait for the threads of the test."""
    before = {*threading.enumerate()}
    event = threading.Event()
    yield event
    event.set()
    for thread in {*threading.enumerate()} - before:
        # A signal may have interrupted its start.
        while thread.ident is None:
            time.sleep(0.01)
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ('parallel', 'number'), [('1', signal.SIGINT), ('2', signal.SIGTERM)]
)
def test_what_was_begun_is_named(app, fleet, caplog, ended, parallel, number):
    """A signal arrives while the snapshot of db is requested."""

    def interrupt(method, path):
        if POSTS.get(f'{method} {path}') == DB:
            os.kill(os.getpid(), number)
            # The response does not come before the command has ended.
            ended.wait()

    fleet.before = interrupt
    words = ('--all', GO, '-f', 'json', f'--parallel={parallel}')
    code, printed = app.run('create', *words)
    assert code == 128 + number
    done = [row['Server'] for row in json.loads(printed)]
    assert 'db' not in done
    text = '\n'.join(errors(caplog))
    assert f'server db ({DB}) may have been begun' in text
    assert 'run the same command again with --not-within' in text


def test_image_that_is_awaited_is_named(app, fleet, caplog):
    def interrupt(method, path):
        if method == 'GET' and path.startswith('/images/'):
            os.kill(os.getpid(), signal.SIGTERM)

    fleet.before = interrupt
    code, _ = app.run('create', 'web', '--wait')
    assert code == 128 + signal.SIGTERM
    [image_id] = fleet.images.keys() - {ID[0]}
    assert any(image_id in m and 'was begun' in m for m in errors(caplog))


def test_signal_between_two_results(app, caplog, ended, monkeypatch):
    """The snapshot of db is requested meanwhile."""
    begun = threading.Event()
    create_snapshot = ImagesAPI.create_snapshot

    def hold(api, server, *args, **more):
        if server.id == DB:
            begun.set()
            ended.wait()
        begun.wait()
        return create_snapshot(api, server, *args, **more)

    monkeypatch.setattr(ImagesAPI, 'create_snapshot', hold)

    class Stdout(io.StringIO):
        def write(self, text):
            if WEB in text:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().write(text)

    app.stdout = Stdout()
    words = ('--name-pattern=[wd]*', GO, '--parallel=2', '-f', 'value')
    code, printed = app.run('create', *words)
    assert (code, WEB in printed) == (128 + signal.SIGTERM, True)
    assert f'server db ({DB}) may have been begun' in errors(caplog)[0]
    assert not any('server web' in message for message in errors(caplog))
