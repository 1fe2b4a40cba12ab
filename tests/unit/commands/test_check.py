# SPDX-License-Identifier: Apache-2.0

"""Whether servers have good snapshots, from the parser to a fake Nova."""

import datetime
import io
import re

import pytest

from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from testbed.fleet import snapshot
from tests.unit.conftest import set_catalog
from tests.unit.running import DB
from tests.unit.running import errors
from tests.unit.running import ID
from tests.unit.running import TWO
from tests.unit.running import WEB

OK, WARNING, CRITICAL, UNKNOWN = range(4)
LEVELS = ('OK', 'WARNING', 'CRITICAL')
GOOD = '1 of 1 servers have good snapshots'
SHORT = '1 of 2 servers falls short:'
ONE = f'{SHORT} 1 CRITICAL'


def ago(hours):
    now = datetime.datetime.now(datetime.UTC)
    return f'{now - datetime.timedelta(hours=hours):%FT%TZ}'


@pytest.fixture(autouse=True)
def fleet(http):
    """Serve two servers: web has snapshots of 5 and 30 hours, db of 30."""
    servers = [
        server(WEB, 'web', image=ID[0], metadata={'backup': 'yes'}),
        server(DB, 'db', image=ID[0]),
    ]
    images = [
        nova.image(0),
        snapshot(1, WEB, created=ago(5)),
        snapshot(2, WEB, created=ago(30)),
        snapshot(3, DB, created=ago(30)),
        snapshot(4, nova.image_id(99), created=ago(1)),
    ]
    return Fleet(images, servers).serve(http)


def levels(got):
    return [(row['Server'], row['Level']) for row in got]


@pytest.mark.parametrize(
    ('words', 'code', 'short', 'line'),
    [
        ('', OK, {}, '2 of 2 servers have good snapshots'),
        (
            '--critical=29h --warning=4h',
            CRITICAL,
            {'web': 'WARNING', 'db': 'CRITICAL'},
            '2 of 2 servers fall short: 1 CRITICAL, 1 WARNING',
        ),
        ('--newest-within=29h', CRITICAL, {'db': 'CRITICAL'}, ONE),
        ('--min-count=2', CRITICAL, {'db': 'CRITICAL'}, ONE),
        ('--warning=29h', WARNING, {'db': 'WARNING'}, f'{SHORT} 1 WARNING'),
        ('--critical=29h --with-metadata=backup=yes', OK, {}, GOOD),
    ],
)
def test_level_is_the_exit_code(app, caplog, words, code, short, line):
    assert levels(app.rows(f'check {words}', code=code)) == [*short.items()]
    [message] = caplog.messages
    assert message == f'{LEVELS[code]}: {line}'


def test_columns(app, fleet):
    got = app.rows('check --include-ok --sort-column=Age --sort-descending')
    assert levels(got) == [('db', 'OK'), ('web', 'OK')]
    web = got[1]
    assert 5 * 3600 <= web.pop('Age') < 5 * 3600 + 600
    assert web == {
        'Level': 'OK',
        'Server ID': WEB,
        'Server': 'web',
        'Newest Image': ID[1],
        'Newest': fleet.images[ID[1]]['created'],
        'Count': 2,
        'Reason': '',
    }
    assert '| 5.0 hours ' in app.run('check --include-ok')[1]


def test_server_without_a_good_snapshot(app, fleet):
    fleet.images[ID[3]]['status'] = 'SAVING'
    [row] = app.rows('check', code=CRITICAL)
    assert (row['Server'], row['Count'], row['Age']) == ('db', 0, None)
    fleet.images[ID[5]] = snapshot(5, DB, created=ago(1))
    assert app.rows('check', '--stuck-after=31h') == []
    [row] = app.rows('check', '--stuck-after=29h', code=WARNING)
    assert row['Reason'] == f'image {ID[3]} is stuck in SAVING'


def test_snapshot_of_a_server_that_was_restored_from_this_one(app, fleet):
    """On a volume, and so Nova has copied the server of the first snapshot."""
    copied = snapshot(3, DB, created=ago(1), **{'OS-EXT-IMG-SIZE:size': 0})
    copied['metadata']['block_device_mapping'] = []
    fleet.images[ID[3]] = copied
    [row] = app.rows('check', code=CRITICAL)
    assert (row['Server'], row['Count']) == ('db', 0)
    [row] = app.rows('create db --not-within=20h --dry-run')
    assert row['Action'] == 'create'


# --- what is unknown is never OK -------------------------------------------


def test_cell_that_is_down(app, fleet, caplog):
    fleet.down = {DB}
    [row] = app.rows('check', code=UNKNOWN)
    assert (row['Server ID'], row['Level']) == (DB, 'UNKNOWN')
    # It has no metadata: it may have been chosen.
    for word in ('--with-metadata=backup', '--name-pattern=web'):
        assert app.rows('check', word, '--accept-gaps', code=UNKNOWN) == []
        text = f'UNKNOWN: {GOOD}; not everything'
        assert caplog.messages[-1].startswith(text)
    # What is worse is told.
    assert len(app.rows('check', '--critical=1h', code=CRITICAL)) == 2
    app.rows('check', 'web')
    app.rows('check', 'db', code=UNKNOWN)


def test_cells_that_are_not_listed(app, fleet, caplog):
    fleet.max_page = 2
    fleet.images = {i: fleet.images[i] for i in (ID[1], ID[3])}
    app.rows('check', code=UNKNOWN)
    assert 'would not be listed' in caplog.text
    app.rows('check', '--accept-gaps')
    app.rows('check', 'web')


@pytest.fixture
def two(http):
    """Serve a second region, with a server that has no snapshot."""
    set_catalog(http, {'RegionOne': nova.ENDPOINT, 'RegionTwo': TWO})
    Fleet([], [server(ID[7], 'other', image=ID[0])]).serve(http, TWO)


@pytest.mark.parametrize('path', ['servers', 'images'])
@pytest.mark.parametrize('status', [403, 500])
def test_region_that_fails(app, two, http, slept, caplog, path, status):
    http.get(re.compile(f'{TWO}/{path}'), status_code=status)
    assert app.rows('check', '--all-regions', code=UNKNOWN) == []
    assert any('RegionTwo' in message for message in errors(caplog))
    assert errors(caplog)[-1].startswith('UNKNOWN: 2 of 2 servers')
    http.get(re.compile(f'{nova.ENDPOINT}/{path}'), status_code=status)
    for words in (['--all-regions'], []):
        assert app.run('check', *words) == (UNKNOWN, '')


def test_servers_that_are_not_found(app, fleet, caplog):
    assert app.rows('check', 'nope', 'web', code=UNKNOWN) == []
    assert "'nope'" in errors(caplog)[0]
    fleet.servers[DB]['name'] = 'web'
    assert app.rows('check', 'web', code=UNKNOWN) == []
    for words in (['--name-pattern=none'], []):
        caplog.clear()
        assert app.rows('check', *words, code=UNKNOWN) == []
        assert caplog.messages == ['UNKNOWN: no servers found']
        fleet.servers.clear()


def test_other_regions(app, two):
    [row] = app.rows('check', '--all-regions', code=CRITICAL)
    assert (row['Region'], row['Server']) == ('RegionTwo', 'other')
    app.rows('check', '--region=RegionOne')
    assert app.run('check', '--region=None')[0] == UNKNOWN


def test_other_errors_are_unknown(app, http, caplog):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, 'No space left on device')

    app.stdout = Full()
    assert app.run('check', '--include-ok')[0] == UNKNOWN
    http.post(f'{nova.KEYSTONE}/v3/auth/tokens', status_code=401)
    assert app.run('check')[0] == UNKNOWN
    no_space, login = errors(caplog)
    assert 'No space left' in no_space
    assert login.startswith('UNKNOWN: ')


def test_interruption_is_no_level(app, fleet):
    def interrupt(_method, _path):
        raise KeyboardInterrupt

    fleet.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        app.run('check')
