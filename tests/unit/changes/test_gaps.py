# SPDX-License-Identifier: Apache-2.0

"""Servers that cannot be read, alone and in several regions."""

import os
import signal
import sys
import time

import pytest

from osc_compute_images.commands.delete import DeleteComputeImage
from osc_compute_images.commands.list import ListComputeImage
from osc_compute_images.commands.prune import PruneComputeImages
from osc_compute_images.commands.set import SetComputeImage
from osc_compute_images.commands.summary import SummarizeComputeImages
from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from tests.unit.commands.test_commands import App
from tests.unit.commands.test_commands import run
from tests.unit.conftest import set_catalog
from tests.unit.running import acted
from tests.unit.running import DB
from tests.unit.running import DRY
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import images
from tests.unit.running import new_fleet
from tests.unit.running import rows
from tests.unit.running import SNAPSHOTS
from tests.unit.running import Terminal
from tests.unit.running import WEB

DELETE = (DeleteComputeImage, *SNAPSHOTS, GO)
PRUNE = (PruneComputeImages, '--keep-last=1', GO)
UNUSED = (ListComputeImage, '--unused')
#: What would not be right if a server was not read.
RESTING_ON_SERVERS = [
    DELETE,
    (*DELETE, DRY),
    (*DELETE, '--include-used'),
    PRUNE,
    UNUSED,
    (ListComputeImage, '--orphaned'),
    (SummarizeComputeImages, '--unused'),
    (SummarizeComputeImages, '--orphaned'),
    (SetComputeImage, '--with-unused', '--property=a=b', GO),
]


@pytest.fixture
def fleet(http):
    return new_fleet().serve(http)


@pytest.fixture
def app(fleet, tmp_path):
    return App(tmp_path)


def lose_cell(fleet):
    fleet.servers[WEB] = {'id': WEB, 'status': 'UNKNOWN'}


@pytest.mark.parametrize('command', RESTING_ON_SERVERS)
def test_gap_refuses_and_is_named(app, fleet, caplog, command):
    lose_cell(fleet)
    assert run(app, *command) == (7, '')
    [message] = caplog.messages
    assert WEB in message
    assert message.endswith('. To go on with what was read, use --accept-gaps')
    assert not fleet.writes
    caplog.clear()
    code, printed = run(app, *command, '--accept-gaps')
    assert code == 0
    assert printed
    assert ': Compute does not tell which images these servers use' in (
        caplog.text
    )
    # Its snapshots are kept all the same.
    assert {ID[1], ID[2], ID[3]} <= {*fleet.images}


def test_accepted_gap_does_not_count_as_unused(app, fleet):
    lose_cell(fleet)
    words = ('--accept-gaps', GO)
    got = [ID.index(r['ID']) for r in rows(app, *UNUSED, '--accept-gaps')]
    assert got == [5, 4, 0]
    assert acted(app, *PRUNE[:-1], *words)[0:2] == [('keep', 5), ('delete', 4)]
    assert {*fleet.images} == {*ID[0:4], ID[5]}


def test_gap_does_not_refuse_what_changes_nothing(app, fleet):
    lose_cell(fleet)
    assert acted(app, DeleteComputeImage, '--name=cirros-1', GO) == [
        ('keep', 1)
    ]
    words = (SetComputeImage, '--all', '--property=a=b', GO)
    assert len(acted(app, *words)) == 6
    assert len(rows(app, ListComputeImage)) == 6


@pytest.mark.parametrize(
    'record', [None, {'id': '', 'image': ''}, {'image': {'id': ID[1]}}]
)
def test_invalid_record_is_a_gap(app, fleet, caplog, record):
    fleet.servers['x'] = record
    assert run(app, *DELETE) == (7, '')
    assert '1 servers are invalid in the list' in caplog.text


@pytest.mark.parametrize('seconds', [0, 100])
def test_gap_that_opens_after_the_plan(app, fleet, slept, seconds):
    """A list of servers is used for a second; the server is asked for."""

    def lose(method, _path):
        if method == 'DELETE':
            lose_cell(fleet)
            time.sleep(seconds)

    fleet.before = lose
    got = [r['Result'] for r in rows(app, *DELETE, code=1)]
    assert got == ['done', 'skipped' if seconds else 'done', *['skipped'] * 3]


@pytest.mark.parametrize(
    ('command', 'told'),
    [
        (DELETE, 'The plan covers images and servers of all projects'),
        (PRUNE, 'The plan covers images and servers of all projects'),
        ((ListComputeImage, '--orphaned'), None),
    ],
)
def test_administrator_is_told_the_range(app, caplog, command, told):
    run(app, *command)
    assert caplog.messages == ([told] if told else [])


@pytest.mark.parametrize(
    'command', [DELETE, PRUNE, (ListComputeImage, '--orphaned')]
)
def test_servers_of_other_projects_are_not_visible(
    app, fleet, caplog, command
):
    fleet.is_admin = False
    assert run(app, *command)[0] == 0
    assert caplog.messages == [
        (
            'Some uses of images are unknown: servers of other projects are '
            'not visible'
        )
    ]


def test_all_projects_never_become_the_own_one(app, fleet, slept):
    def demote(method, _path):
        if method == 'DELETE':
            fleet.is_admin = False
            time.sleep(100)

    fleet.before = demote
    got = rows(app, *DELETE, code=1)
    assert [r['Result'] for r in got] == ['done', *['failed'] * 4]


def test_server_without_microversions_is_told(app, fleet, caplog):
    fleet.has_microversions = False
    assert run(app, *DELETE)[0] == 0
    unknown = caplog.messages[-1]
    assert 'cell that does not respond would not be listed' in unknown
    assert '2.69' in unknown


# --- several regions ------------------------------------------------------

OTHER = 'http://nova2.example.com:8774/v2.1'
REGIONS = {'RegionOne': nova.ENDPOINT, 'RegionTwo': OTHER}
ALL = '--all-regions'


@pytest.fixture
def apart(fleet, http):
    """Serve a second region, with an Image service of its own."""
    set_catalog(
        http, REGIONS, {name: f'http://{name}/image' for name in REGIONS}
    )
    others = [{**i, 'id': ID[15 - n]} for n, i in enumerate(images()[1:])]
    return Fleet(others, [server(DB, 'db')]).serve(http, OTHER)


@pytest.fixture
def shared(fleet, http):
    """Serve a second region of the same Image service."""
    image = 'http://image.example.com'
    set_catalog(
        http, REGIONS, {'RegionOne': f'{image}/v2', 'RegionTwo': image}
    )
    other = Fleet([], [server(DB, 'db', image=ID[4])])
    other.images = fleet.images
    return other.serve(http, OTHER)


def fail(_method, path):
    if path.startswith('/servers'):
        raise OSError('down')


def test_results_have_region_column(app, fleet, apart):
    got = rows(app, *DELETE, ALL)
    assert [r['Region'] for r in got] == [
        *['RegionOne'] * 5,
        *['RegionTwo'] * 5,
    ]
    assert {*got[0]} == {'Region', 'Action', 'ID', 'Name', 'Result', 'Reason'}
    assert [*fleet.images] == [ID[0]]
    assert not apart.images


def test_image_that_another_region_uses_is_kept(app, fleet, shared):
    for words in ((ALL,), ('--region=RegionOne',), ()):
        got = rows(app, *DELETE, DRY, *words)
        kept = {r['ID']: r['Reason'] for r in got if r['Action'] == 'keep'}
        assert kept == {ID[4]: 'server db was booted from it'}
    assert len(rows(app, *UNUSED)) == 4
    # The second region lists images that are gone by then.
    got = rows(app, *DELETE, ALL)
    assert [r['Result'] for r in got] == [
        *('done', 'kept', 'done', 'done', 'done'),
        *('gone', 'kept', 'gone', 'gone', 'gone'),
    ]
    assert {*fleet.images} == {ID[0], ID[4]}


@pytest.mark.parametrize('words', [(), (ALL,)])
def test_region_that_fails_is_a_gap_where_images_are_shared(
    app, fleet, shared, caplog, slept, words
):
    shared.before = fail
    assert run(app, *DELETE, *words)[0] == 7
    assert not fleet.writes
    assert 'down' in caplog.text


def test_region_that_fails_is_no_gap_for_others(
    app, fleet, apart, caplog, slept
):
    apart.before = fail
    got = rows(app, *DELETE, ALL, code=1)
    assert [r['Region'] for r in got] == ['RegionOne'] * 5
    assert 'Region RegionTwo: ' in caplog.text
    assert [*fleet.images] == [ID[0]]


def test_same_images_show_a_shared_service(app, fleet, apart):
    # Its catalog shows two URLs.
    apart.images = fleet.images
    apart.servers['x'] = server('x', 'x', image=ID[5])
    got = acted(app, *DELETE, DRY, ALL)
    assert [a for a in got if a[0] == 'keep'] == [('keep', 5)] * 2


def test_max_changes_counts_an_image_once(app, fleet, apart, caplog):
    assert run(app, *DELETE, ALL, '--max-changes=9')[0] == 7
    assert 'changes 10 images' in caplog.text
    assert not fleet.writes
    apart.images = fleet.images
    assert len(acted(app, *DELETE, DRY, ALL, '--max-changes=5')) == 10


def test_failures_name_the_region_and_are_counted(app, fleet, apart, caplog):
    apart.images[ID[14]]['metadata']['protected_here'] = '1'
    rows(app, *DELETE, ALL, code=1)
    first, total = errors(caplog)
    assert first.startswith(
        f'Region RegionTwo: Failed to delete image {ID[14]!r}: '
    )
    assert total == '1 of 10 images failed to delete.'


def test_image_of_two_regions_counts_once(
    app, fleet, shared, caplog, monkeypatch
):
    terminal = Terminal()
    monkeypatch.setattr(sys, 'stdin', Terminal('y\n'))
    monkeypatch.setattr(sys, 'stderr', terminal)
    fleet.images[ID[2]]['metadata']['protected_here'] = '1'
    rows(app, DeleteComputeImage, *SNAPSHOTS, ALL, code=1)
    assert 'Delete 4 images? [y/N]' in terminal.getvalue()
    assert errors(caplog)[-1] == '1 of 4 images failed to delete.'
    assert {*fleet.images} == {ID[0], ID[2], ID[4]}


def test_exit_code_of_a_signal_wins(app, fleet, apart, slept):
    def interrupt(method, _path):
        if method == 'DELETE':
            os.kill(os.getpid(), signal.SIGTERM)

    apart.before = fail
    fleet.before = interrupt
    assert rows(app, *DELETE, ALL, code=128 + signal.SIGTERM) == []
