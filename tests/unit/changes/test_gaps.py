# SPDX-License-Identifier: Apache-2.0

"""Servers that cannot be read, alone and in several regions."""

import re

from osc_lib import exceptions
import pytest
import requests

from testbed import keystone
from testbed import nova
from testbed.fleet import server
from tests.unit.changes.conftest import REGIONS
from tests.unit.running import App
from tests.unit.running import AUTH
from tests.unit.running import CLOUD
from tests.unit.running import DB
from tests.unit.running import DRY
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import WEB

DELETE = f'delete --type=snapshot {GO}'
PRUNE = f'prune --keep-last=1 {GO}'
#: What would not be right if a server was not read.
RESTING_ON_SERVERS = [
    *(DELETE, f'{DELETE} {DRY}', f'{DELETE} --include-used', PRUNE),
    *('list --unused', 'summary --orphaned'),
    f'set --with-unused --property=a=b {GO}',
]


@pytest.mark.parametrize('command', RESTING_ON_SERVERS)
def test_gap_refuses_and_is_named(app, fleet, caplog, command):
    fleet.down = {WEB}
    assert app.run(command) == (7, '')
    [message] = caplog.messages
    assert WEB in message
    assert message.endswith('. To go on with what was read, use --accept-gaps')
    assert not fleet.writes
    caplog.clear()
    code, printed = app.run(command, '--accept-gaps')
    assert code == 0
    assert printed
    assert ': Compute does not tell which images these servers use' in (
        caplog.text
    )
    # Its snapshots are kept all the same.
    assert {ID[1], ID[2], ID[3]} <= {*fleet.images}


@pytest.mark.parametrize(
    'metadata', [{'metadata': None}, {'metadata': ['x']}, {}, None]
)
def test_what_is_no_image_or_has_no_properties_is_a_gap(
    app, fleet, http, caplog, metadata
):
    image, named = None, 'one without an ID'
    if metadata is not None:
        named, name = ID[5], 'cirros-5'
        image = {'id': named, 'name': name, 'status': 'ACTIVE', **metadata}
    listed = nova.page([*{**fleet.images, ID[5]: image}.values()])
    http.get(nova.DETAIL, json=listed)
    http.get(f'{nova.ENDPOINT}/images/{ID[5]}', json={'image': image})
    gap = f'the properties of these images, which may need any other: {named}'
    for command in (f'delete --all {GO}', *RESTING_ON_SERVERS):
        caplog.clear()
        assert app.run(command) == (7, '')
        assert gap in caplog.text
    assert not fleet.writes
    if image is not None:
        # A server may be stored in it.
        plan = app.acted(f'delete --all {DRY} --accept-gaps')
        assert {('keep', 5), ('delete', 4)} <= {*plan}
        assert app.run('delete', ID[5])[0] == 7
        assert app.run('delete', ID[5], '--force') == (0, '')
        assert ID[5] not in fleet.images


def test_list_that_breaks_off_changes_nothing(app, fleet, http, slept):
    first = {'json': nova.page([fleet.images[ID[5]]], nova.link(ID[5]))}
    lost = {'exc': requests.exceptions.ReadTimeout}
    for command in (DELETE, PRUNE, f'set --all --property=a=b {GO}'):
        http.get(nova.DETAIL, [first, lost])
        with pytest.raises(exceptions.CommandError, match='timed out'):
            app.run(command, '--accept-gaps')
    assert not fleet.writes


def test_gap_does_not_refuse_what_changes_nothing(app, fleet):
    fleet.down = {WEB}
    assert app.acted(f'delete --name=cirros-1 {GO}') == [('keep', 1)]
    assert len(app.acted(f'set --all --property=a=b {GO}')) == 6
    assert len(app.rows('list')) == 6


def test_what_the_plan_covers_is_told(app, fleet, caplog):
    told = 'The plan covers images and servers of all projects'
    unknown = 'Some uses of images are unknown: servers of '
    for lacking, expected in (
        ('nothing', [told]),
        ('has_microversions', [told, f'{unknown}a cell that']),
        ('is_admin', [f'{unknown}other projects are not visible; servers of']),
    ):
        setattr(fleet, lacking, False)
        caplog.clear()
        app.rows(DELETE, DRY)
        *about_servers, _total = caplog.messages
        assert len(about_servers) == len(expected)
        assert all(map(str.startswith, about_servers, expected))


def test_image_of_a_server_of_another_project_is_kept(app, fleet):
    """An administrator has shelved it, and others do not see it."""
    other = server(DB, 'db', status='SHELVED_OFFLOADED', tenant_id='other')
    fleet.servers[DB] = other
    fleet.images[ID[5]]['metadata']['instance_owner'] = 'other'
    for fleet.is_admin in (False, True):
        assert ('keep', 5) in app.acted(DELETE, DRY)
        assert app.acted('delete', ID[5], DRY, code=7) == [('keep', 5)]
    del fleet.servers[DB]
    for fleet.is_admin, orphans in ((False, [4]), (True, [5, 4])):
        got = app.acted('delete --orphaned', DRY)
        assert got == [('delete', n) for n in orphans]
        code = 0 if fleet.is_admin else 7
        assert app.run('delete', ID[5], DRY)[0] == code
    app.rows('delete --orphaned', GO)
    assert ID[5] not in fleet.images


# --- several regions ------------------------------------------------------

ALL = '--all-regions'


def fail(_method, path):
    if path.startswith('/servers'):
        raise OSError('down')


def test_image_that_another_region_uses_is_kept(app, shared):
    for words in ((ALL,), ('--region=RegionOne',), ()):
        got = app.rows(DELETE, DRY, *words)
        kept = {r['ID']: r['Reason'] for r in got if r['Action'] == 'keep'}
        assert kept == {ID[4]: 'server db was booted from it'}
    assert len(app.rows('list --unused')) == 4


def test_same_images_show_a_shared_service(app, fleet, apart, caplog, slept):
    assert app.run(DELETE, ALL, '--max-changes=9')[0] == 7
    assert 'changes 10 images' in caplog.text
    # A region of another service that fails is no gap.
    apart.before = fail
    assert len(app.rows(DELETE, DRY, ALL, code=1)) == 5
    apart.before = lambda _method, _path: None
    # Its catalog shows two URLs.
    apart.images = fleet.images
    apart.servers['x'] = server('x', 'x', image=ID[5])
    # Each image counts once.
    got = app.acted(DELETE, DRY, ALL, '--max-changes=4')
    assert [a for a in got if a[0] == 'keep'] == [('keep', 5)] * 2
    # A region whose servers cannot be read is a gap in the others.
    apart.before = fail
    assert app.run(DELETE, ALL)[0] == 7
    assert not fleet.writes


def test_image_of_two_regions_counts_once(app, fleet, shared, caplog, typed):
    terminal = typed('y\n')
    fleet.images[ID[2]]['metadata']['protected_here'] = '1'
    got = app.rows('delete --type=snapshot', ALL, code=1)
    # The second region lists images that are gone by then.
    assert [r['Result'] for r in got] == [
        *('done', 'kept', 'done', 'failed', 'done'),
        *('gone', 'kept', 'gone', 'failed', 'gone'),
    ]
    assert 'Delete 4 images? [y/N]' in terminal.getvalue()
    # The bar ends there.
    assert re.findall(r'(\d+)/4', terminal.getvalue())[-1] == '4'
    *both, total = errors(caplog)
    assert [e[: e.index(' image')] for e in both] == [
        f'Region {name}: Failed to delete' for name in REGIONS
    ]
    assert total == '1 of 4 images failed to delete.'
    assert '3 images deleted (64.3M), 1 kept, 1 failed' in caplog.messages
    assert {*fleet.images} == {ID[0], ID[2], ID[4]}


def test_image_that_another_region_deletes_has_not_failed(
    app, fleet, shared, caplog
):
    def refuse(method, path):
        if method == 'DELETE' and path.endswith(ID[1]):
            raise OSError('down')

    fleet.before = refuse
    got = app.rows(DELETE, ALL, code=1)
    results = [r['Result'] for r in got if r['ID'] == ID[1]]
    assert results == ['failed', 'done']
    [error] = errors(caplog)
    assert error.startswith('Region RegionOne: Failed to delete image')
    assert '4 images deleted (85.7M), 1 kept' in caplog.messages


@pytest.mark.parametrize(
    'command',
    [
        'set --with-type=snapshot --property=a=b',
        'unset --with-type=snapshot --property=image_type',
    ],
)
def test_image_of_two_regions_is_changed_once(
    app, fleet, shared, caplog, command
):
    """The change in the first region is no change by somebody else."""
    got = app.rows(command, ALL, GO)
    assert [r['Result'] for r in got] == ['done'] * 10
    assert len(fleet.writes) == 5
    assert not shared.writes
    assert errors(caplog) == []
    # Nothing is left to do.
    assert {r['Action'] for r in app.rows(command, ALL, GO)} <= {'keep'}


def test_cloud_whose_images_cannot_be_read_uses_those_of_others(
    fleet, shared, http, tmp_path, caplog
):
    """Its catalog has the same Image service; the other lacks its region."""

    def token(request, _context):
        name = 'RegionTwo' if 'other' in request.text else 'RegionOne'
        return keystone.token({name: REGIONS[name]}, {name: 'http://image'})

    http.post(
        f'{nova.KEYSTONE}/v3/auth/tokens',
        json=token,
        headers={'X-Subject-Token': nova.TOKEN},
    )
    other = {**CLOUD, 'region_name': 'RegionTwo'}
    other['auth'] = {**AUTH, 'username': 'other'}
    app = App(tmp_path, {'other': other})
    http.get(f'{REGIONS["RegionTwo"]}/images/detail', status_code=403)
    got = app.rows(DELETE, '--all-clouds', code=1)
    kept = {r['ID']: r['Reason'] for r in got if r['Action'] == 'keep'}
    assert kept == {ID[4]: 'server db was booted from it'}
    assert {r['Cloud'] for r in got} == {'mycloud'}
    assert {*fleet.images} == {ID[0], ID[4]}
