# SPDX-License-Identifier: Apache-2.0

"""Snapshots of servers, from the parser to a fake Nova."""

import json
import os
import re
import signal
import threading
import time

from osc_lib import exceptions
import pytest

from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from tests.unit.conftest import sent
from tests.unit.conftest import set_catalog
from tests.unit.running import DB
from tests.unit.running import DRY
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import TWO
from tests.unit.running import WEB

APP = 'b0a2f2d4-0000-4000-8000-000000000003'
VOLUME = 'b0a2f2d4-0000-4000-8000-000000000004'
POSTS = {f'POST /servers/{i}/action': i for i in (WEB, DB, APP, VOLUME)}


@pytest.fixture(autouse=True)
def fleet(http):
    """Serve three servers, and one on a volume."""
    yes = {'backup': 'yes'}
    servers = [
        server(WEB, 'web', image=ID[0], metadata=yes),
        server(DB, 'db', image=ID[0], metadata={'backup': 'no'}),
        server(APP, 'app', image=ID[0], status='SHUTOFF'),
        server(VOLUME, 'volume', metadata=yes),
    ]
    return Fleet([nova.image(0)], servers).serve(http)


def names(got, action='create'):
    return [row['Server'] for row in got if row['Action'] == action]


def taken(fleet):
    """Return the servers of which snapshots were requested."""
    return [POSTS[write] for write in fleet.writes]


# --- which servers -------------------------------------------------------


@pytest.mark.parametrize(
    ('words', 'chosen'),
    [
        (['--all', '--include-volumes'], ['web', 'db', 'app', 'volume']),
        (['--with-metadata=backup=yes'], ['web']),
        (['--with-metadata=backup!=yes'], ['db', 'app']),
        (['--with-metadata=backup', '--with-metadata=backup!=no'], ['web']),
        (['--name-regex=^(web|app)$', '--status=shutoff'], ['app']),
        (['--name-pattern=web', '--name-pattern=db'], ['web', 'db']),
        (['--status=ERROR', '--status=SHUTOFF'], ['app']),
        (['db', 'web', DB.upper()], ['db', 'web']),
    ],
)
def test_dry_run_shows_what_is_done(app, fleet, words, chosen):
    planned = app.rows('create', *words, DRY)
    assert names(planned) == chosen
    assert not fleet.writes
    done = [
        r for r in app.rows('create', *words, GO) if r['Action'] == 'create'
    ]
    assert sorted(names(done)) == sorted(chosen)
    assert len(taken(fleet)) == len(chosen)
    for row in done:
        image = fleet.images[row['Image ID']]
        assert row['Result'] == 'done'
        assert image['name'] == row['Image Name']
        assert image['server']['id'] == row['Server ID']


def test_columns_template_and_properties(app, fleet):
    words = ('--image-name=b {server} {date}', '--property=by=cron')
    [planned] = app.rows('create', 'web', *words, DRY)
    headers = ['Action', 'Server ID', 'Server', 'Image Name']
    assert [*planned] == [*headers, 'Reason']
    [row] = app.rows('create', 'web', *words)
    assert [*row] == [*headers, 'Image ID', 'Result', 'Reason', 'Time']
    assert re.fullmatch(r'b web \d{4}-\d\d-\d\d', row['Image Name'])
    assert fleet.images[row['Image ID']]['metadata']['by'] == 'cron'
    _, table = app.run('create', 'db')
    assert 'Image ID' in table
    assert 'Time' not in table


def test_names_are_unique_in_several_regions(app, fleet, http):
    set_catalog(http, {'RegionOne': nova.ENDPOINT, 'RegionTwo': TWO})
    other = Fleet([], [server(VOLUME, 'web', image=ID[0])]).serve(http, TWO)
    del fleet.servers[VOLUME]
    got = app.rows('create', '--name-pattern=web', '--all-regions', GO)
    assert {(row['Region'], row['Image Name'][-36:]) for row in got} == {
        ('RegionOne', WEB),
        ('RegionTwo', VOLUME),
    }
    assert (taken(fleet), len(other.writes)) == ([WEB], 1)
    # The same server in two regions has one snapshot.
    other.servers = fleet.servers
    got = app.rows('create', '--name-pattern=db', '--all-regions', DRY)
    assert names(got) == ['db']


def test_administrator_sees_other_projects_only_if_asked(app, fleet, http):
    for words in (), ('--all-projects',):
        app.rows('create', '--all', DRY, *words)
        is_asked = any('all_tenants' in line for line in sent(http))
        assert is_asked == bool(words)
    fleet.is_admin = False
    app.rows('create', '--all', DRY)
    with pytest.raises(exceptions.CommandError, match='403'):
        app.rows('create', '--all', DRY, '--all-projects')


def test_second_run_of_a_night_does_nothing(app, fleet, caplog):
    words = ('--all', '--not-within=20h', GO)
    got = app.rows('create', *words)
    assert len(names(got)) == 3
    [skipped] = [row for row in got if row['Action'] == 'skip']
    assert skipped['Result'] == 'skipped'
    assert skipped['Reason'] == 'it was booted from a volume'
    assert caplog.messages == ['3 servers snapshotted, 1 skipped']
    words = (*words, '--include-volumes')
    for image in fleet.images.values():
        image['status'] = 'ACTIVE'
    fleet.requests.clear()
    assert names(app.rows('create', *words)) == ['volume']
    # A server that is created in between has no snapshot.
    listed = [r for r in fleet.requests if r.endswith('/detail')]
    assert listed == ['GET /servers/detail', 'GET /images/detail']
    # Its server is recorded, so that it is found.
    assert names(app.rows('create', *words)) == []
    # Without the option, images are not read.
    fleet.requests.clear()
    app.rows('create', '--all', DRY)
    assert fleet.requests == ['GET /servers/detail']


# --- what is skipped, and what fails ---------------------------------------


@pytest.mark.parametrize(
    ('state', 'code', 'reason'),
    [
        ({'OS-EXT-STS:task_state': 'uploading'}, 1, 'it is busy: uploading'),
        # What is shelved needs no snapshot: that is told if it is named.
        ({'status': 'SHELVED'}, 0, 'it is SHELVED'),
    ],
)
@pytest.mark.parametrize('option', [DRY, GO])
@pytest.mark.parametrize('word', ['web', '--name-pattern=web'])
def test_server_in_another_state_is_skipped(
    app, fleet, caplog, state, code, reason, option, word
):
    fleet.servers[WEB] |= state
    [row] = app.rows('create', word, option, code=code)
    assert (row['Action'], row['Reason']) == ('skip', reason)
    text = f'Server web ({WEB}) is skipped: {reason}'
    assert (text in caplog.messages) == (code == 1 or word == 'web')
    assert not fleet.writes


def test_missing_names_are_reported(app, fleet, caplog):
    fleet.servers[DB]['name'] = 'web'
    got = app.rows('create', 'nope', 'web', 'app', code=1)
    assert names(got) == ['app']
    nope, twins, total = errors(caplog)
    assert "'nope'" in nope
    assert WEB in twins
    assert DB in twins
    assert total == '2 of 3 servers failed to snapshot.'


def test_gap_is_an_error(app, fleet, caplog):
    fleet.down = {DB}
    got = app.rows('create', '--name-pattern=web', GO, code=1)
    assert names(got) == ['web']
    assert DB in errors(caplog)[0]
    # It has no name, and so it only matches everything.
    got = app.rows('create', '--all', DRY, code=1)
    assert '' in names(got, 'skip')
    fleet.servers.clear()
    assert app.rows('create', '--all', GO) == []
    assert caplog.messages[-1] == 'No servers match'


# --- waiting, and signals ---------------------------------------------------


def test_wait(app, fleet, slept):
    [row] = app.rows('create', 'db', '--wait', '--timeout=30', code=1)
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
    *begun, stopped = errors(caplog)
    assert any(f'server db ({DB}) may have been' in text for text in begun)
    assert not [n for n in done if any(f'server {n} ' in t for t in begun)]
    assert 'run the same command again with --not-within' in stopped


def test_image_that_is_awaited_is_named(app, fleet, caplog):
    def interrupt(method, path):
        if method == 'GET' and path.startswith('/images/'):
            os.kill(os.getpid(), signal.SIGTERM)

    fleet.before = interrupt
    code, _ = app.run('create', 'web', '--wait')
    assert code == 128 + signal.SIGTERM
    [image_id] = fleet.images.keys() - {ID[0]}
    assert any(image_id in m and 'was begun' in m for m in errors(caplog))
