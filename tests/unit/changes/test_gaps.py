# SPDX-License-Identifier: Apache-2.0

"""Servers that cannot be read, alone and in several regions."""

import os
import signal
import time

import pytest

from testbed.fleet import server
from tests.unit.running import acted
from tests.unit.running import DRY
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import rows
from tests.unit.running import run
from tests.unit.running import WEB

DELETE = f'delete --type=snapshot {GO}'
PRUNE = f'prune --keep-last=1 {GO}'
#: What would not be right if a server was not read.
RESTING_ON_SERVERS = [
    DELETE,
    f'{DELETE} {DRY}',
    f'{DELETE} --include-used',
    PRUNE,
    'list --unused',
    'list --orphaned',
    'summary --unused',
    'summary --orphaned',
    f'set --with-unused --property=a=b {GO}',
]


def lose_cell(fleet):
    fleet.servers[WEB] = {'id': WEB, 'status': 'UNKNOWN'}


@pytest.mark.parametrize('command', RESTING_ON_SERVERS)
def test_gap_refuses_and_is_named(app, fleet, caplog, command):
    lose_cell(fleet)
    assert run(app, command) == (7, '')
    [message] = caplog.messages
    assert WEB in message
    assert message.endswith('. To go on with what was read, use --accept-gaps')
    assert not fleet.writes
    caplog.clear()
    code, printed = run(app, command, '--accept-gaps')
    assert code == 0
    assert printed
    assert ': Compute does not tell which images these servers use' in (
        caplog.text
    )
    # Its snapshots are kept all the same.
    assert {ID[1], ID[2], ID[3]} <= {*fleet.images}


def test_accepted_gap_does_not_count_as_unused(app, fleet):
    lose_cell(fleet)
    got = [
        ID.index(r['ID']) for r in rows(app, 'list --unused', '--accept-gaps')
    ]
    assert got == [5, 4, 0]
    got = acted(app, PRUNE, '--accept-gaps')
    assert got[0:2] == [('keep', 5), ('delete', 4)]
    assert {*fleet.images} == {*ID[0:4], ID[5]}


def test_gap_does_not_refuse_what_changes_nothing(app, fleet):
    lose_cell(fleet)
    assert acted(app, f'delete --name=cirros-1 {GO}') == [('keep', 1)]
    assert len(acted(app, f'set --all --property=a=b {GO}')) == 6
    assert len(rows(app, 'list')) == 6


def demote(fleet):
    fleet.is_admin = False


@pytest.mark.parametrize(
    ('event', 'result'), [(lose_cell, 'skipped'), (demote, 'failed')]
)
def test_servers_that_are_not_visible_after_the_plan(
    app, fleet, slept, event, result
):
    def after_a_while(method, _path):
        if method == 'DELETE':
            event(fleet)
            time.sleep(100)

    fleet.before = after_a_while
    got = [r['Result'] for r in rows(app, DELETE, code=1)]
    assert got == ['done', *[result] * 4]


RANGE = 'The plan covers images and servers of all projects'
UNKNOWN = 'Some uses of images are unknown: '


@pytest.mark.parametrize('command', [DELETE, PRUNE])
@pytest.mark.parametrize(
    ('denied', 'told'),
    [
        ('', [RANGE]),
        ('is_admin', [UNKNOWN + 'servers of other projects are not visible']),
        ('has_microversions', [RANGE, UNKNOWN + 'servers of a cell that']),
    ],
)
def test_what_the_plan_covers_is_told(
    app, fleet, caplog, command, denied, told
):
    if denied:
        setattr(fleet, denied, False)
    assert run(app, command)[0] == 0
    *about_servers, total = caplog.messages
    assert len(about_servers) == len(told)
    assert all(map(str.startswith, about_servers, told))
    assert ' images deleted (' in total


# --- several regions ------------------------------------------------------

ALL = '--all-regions'


def fail(_method, path):
    if path.startswith('/servers'):
        raise OSError('down')


def test_results_have_region_column(app, fleet, apart):
    got = rows(app, DELETE, ALL)
    assert [r['Region'] for r in got] == [
        *['RegionOne'] * 5,
        *['RegionTwo'] * 5,
    ]
    assert next(iter(got[0])) == 'Region'
    assert [*fleet.images] == [ID[0]]
    assert not apart.images


def test_image_that_another_region_uses_is_kept(app, fleet, shared):
    for words in ((ALL,), ('--region=RegionOne',), ()):
        got = rows(app, DELETE, DRY, *words)
        kept = {r['ID']: r['Reason'] for r in got if r['Action'] == 'keep'}
        assert kept == {ID[4]: 'server db was booted from it'}
    assert len(rows(app, 'list --unused')) == 4
    # The second region lists images that are gone by then.
    got = rows(app, DELETE, ALL)
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
    assert run(app, DELETE, *words)[0] == 7
    assert not fleet.writes
    assert 'down' in caplog.text


def test_region_that_fails_is_no_gap_for_others(
    app, fleet, apart, caplog, slept
):
    apart.before = fail
    got = rows(app, DELETE, ALL, code=1)
    assert [r['Region'] for r in got] == ['RegionOne'] * 5
    assert 'Region RegionTwo: ' in caplog.text
    assert [*fleet.images] == [ID[0]]


def test_same_images_show_a_shared_service(app, fleet, apart, caplog):
    assert run(app, DELETE, ALL, '--max-changes=9')[0] == 7
    assert 'changes 10 images' in caplog.text
    assert not fleet.writes
    # Its catalog shows two URLs.
    apart.images = fleet.images
    apart.servers['x'] = server('x', 'x', image=ID[5])
    # Each image counts once.
    got = acted(app, DELETE, DRY, ALL, '--max-changes=4')
    assert [a for a in got if a[0] == 'keep'] == [('keep', 5)] * 2


def test_failures_name_the_region_and_are_counted(app, fleet, apart, caplog):
    apart.images[ID[14]]['metadata']['protected_here'] = '1'
    rows(app, DELETE, ALL, code=1)
    first, total = errors(caplog)
    assert first.startswith(
        f'Region RegionTwo: Failed to delete image {ID[14]!r}: '
    )
    assert total == '1 of 10 images failed to delete.'


def test_image_of_two_regions_counts_once(app, fleet, shared, caplog, typed):
    terminal = typed('y\n')
    fleet.images[ID[2]]['metadata']['protected_here'] = '1'
    rows(app, 'delete --type=snapshot', ALL, code=1)
    assert 'Delete 4 images? [y/N]' in terminal.getvalue()
    assert errors(caplog)[-1] == '1 of 4 images failed to delete.'
    assert {*fleet.images} == {ID[0], ID[2], ID[4]}


def test_exit_code_of_a_signal_wins(app, fleet, apart, slept):
    def interrupt(method, _path):
        if method == 'DELETE':
            os.kill(os.getpid(), signal.SIGTERM)

    apart.before = fail
    fleet.before = interrupt
    assert rows(app, DELETE, ALL, code=128 + signal.SIGTERM) == []
