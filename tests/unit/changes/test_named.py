# SPDX-License-Identifier: Apache-2.0

"""Changes of images that are named one by one."""

import time

from osc_lib.exceptions import CommandError
import pytest

from testbed import nova
from testbed.fleet import server
from tests.unit.changes.conftest import written
from tests.unit.running import DB
from tests.unit.running import DRY
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import WEB

SET = 'set --property=a=b'
REGIONS = ('--region=RegionOne', '--region=RegionTwo')
UNSET = 'unset --property=os_distro'


@pytest.fixture
def fleet(fleet):
    for image in fleet.images.values():
        image['metadata'].setdefault('os_distro', 'cirros')
    return fleet


@pytest.mark.parametrize('command', ['delete', SET, UNSET])
def test_named_image_is_changed_and_nothing_printed(
    app, fleet, caplog, command
):
    # A server was booted from it.
    assert app.acted(command, ID[0], DRY) == [(command.split()[0], 0)]
    assert not fleet.writes
    fleet.requests.clear()
    assert app.run(command, ID[0]) == (0, '')
    [write] = fleet.writes
    assert ID[0] in write
    assert not caplog.records
    # The number of requests does not depend on the cloud.
    assert not {r for r in fleet.requests if r.endswith('/detail')}
    assert len(fleet.requests) <= 6


@pytest.mark.parametrize('words', [(), (DRY,)])
def test_names_that_are_not_found_are_reported(app, fleet, caplog, words):
    """Names are looked up before a deletion makes one of them unique."""
    fleet.images[ID[2]]['name'] = fleet.images[ID[1]]['name'] = 'twin'
    names = ('nope', ID[2], 'twin', 'nope', 'cirros-0', ID[2].upper())
    code, printed = app.run('delete', *names, *words)
    assert code == 1
    assert printed.count(ID[2]) == printed.count(ID[0]) == len(words)
    # What is given twice is deleted once.
    deleted = [] if words else [f'DELETE /images/{ID[n]}' for n in (2, 0)]
    assert fleet.writes == deleted
    missing, ambiguous, total = caplog.messages
    assert missing == (
        "Failed to delete image 'nope': No image with a name or ID of 'nope' "
        'exists'
    )
    assert "2 images have the name 'twin'" in ambiguous
    assert total == '2 of 4 images failed to delete.'


def shelve(fleet):
    fleet.servers[WEB]['status'] = 'SHELVED_OFFLOADED'


def lose_name(fleet):
    fleet.images[ID[1]].pop('server', None)
    fleet.images[ID[1]] |= {'name': 'web-shelved', 'metadata': {}}


def shelve_nameless(fleet):
    shelve(fleet)
    lose_name(fleet)


def shelve_in_capitals(fleet):
    shelve(fleet)
    fleet.images[ID[1]]['server'] = {'id': WEB.upper()}


def shelve_with_property(fleet):
    shelve(fleet)
    fleet.images[ID[1]]['server'] = {}


def lose_cell(fleet):
    fleet.down = {WEB}


@pytest.mark.parametrize(
    'change',
    [
        *(shelve, shelve_nameless, shelve_in_capitals, shelve_with_property),
        lose_cell,
    ],
)
def test_image_in_which_a_server_may_be_stored_is_refused(
    app, fleet, caplog, change
):
    change(fleet)
    name = fleet.images[ID[1]]['name'] if change is shelve else ID[1]
    for words, code in (([name], 7), ([name, 'cirros-5'], 1)):
        plan = app.acted('delete', *words, DRY, code=code)
        assert plan[0] == ('keep', 1)
        caplog.clear()
        assert app.run('delete', *words) == (code, '')
        assert ID[1] in fleet.images
        assert 'may be stored in it. To delete it all the same, use' in (
            caplog.text
        )
    assert ID[5] not in fleet.images
    assert app.run('delete', name, '--force') == (0, '')
    assert ID[1] not in fleet.images


def test_server_that_a_gateway_does_not_show(app, fleet, http, caplog):
    """It denies whatever it has no route for."""
    path = f'{nova.ENDPOINT}/servers'
    text = f'default backend: no route for /servers/{WEB}'
    gateway = {'status_code': 404, 'text': text}
    http.get(f'{path}/{WEB}', **gateway)
    listed = {'json': {'servers': [None]}}
    http.get(f'{path}/detail', [gateway, listed])
    for _each in range(2):
        with pytest.raises(CommandError, match='default backend'):
            app.run('delete', ID[1])
    stored = server(WEB, 'web', status='SHELVED')
    http.get(f'{path}/detail', json={'servers': [stored]})
    assert app.run('delete', ID[1])[0] == 7
    assert 'server web, which is SHELVED, may be stored in it' in caplog.text
    assert not fleet.writes
    # Another Nova than that of OpenStack may not name the server.
    http.get(f'{path}/detail', json={'servers': []})
    assert app.run('delete', ID[1]) == (0, '')
    assert ID[1] not in fleet.images


@pytest.mark.parametrize('change', [shelve, shelve_nameless, lose_cell])
def test_server_that_is_stored_during_an_earlier_deletion(
    app, fleet, slept, caplog, change
):
    def meanwhile(method, _path):
        if method == 'DELETE':
            change(fleet)
            time.sleep(100)

    if change is shelve_nameless:
        lose_name(fleet)
    fleet.before = meanwhile
    assert app.run('delete', ID[5], ID[1], ID[4]) == (1, '')
    assert {*fleet.images} == {*ID[0:4]}
    assert f'Image {ID[1]} was not changed: ' in caplog.text


def test_server_that_is_stored_during_a_deletion_in_another_region(
    app, fleet, apart, slept, caplog
):
    def meanwhile(method, _path):
        if method == 'DELETE':
            apart.servers[DB]['status'] = 'SHELVED_OFFLOADED'

    fleet.before = meanwhile
    assert app.run('delete', *REGIONS, ID[5], ID[11]) == (1, '')
    assert ID[5] not in fleet.images
    assert ID[11] in apart.images
    assert f'Image {ID[11]} was not changed: ' in caplog.text


def test_force_is_advised_only_where_it_helps(app, fleet, tmp_path, caplog):
    fleet.images[ID[0]]['metadata']['keep'] = 'yes'
    words = (ID[0], '--keep-property=keep')
    for more in ((), ('--force',)):
        assert app.run('delete', *words, *more) == (7, '')
    file = written(tmp_path, app.rows('delete', ID[1], DRY))
    shelve(fleet)
    assert app.run('apply', file, GO, '--force')[0] == 7
    assert ID[1] in fleet.images
    assert caplog.text.count('is kept') == 3
    assert '--force' not in caplog.text


def test_changes_by_others_are_reported(app, fleet, caplog):
    def change(method, _path):
        if method == 'POST':
            fleet.images[ID[0]]['metadata']['the\x1birs'] = '1'

    fleet.before = change
    assert app.run(SET, ID[0]) == (0, '')
    assert caplog.messages == [
        f'Image {ID[0]}: properties changed by others: the\\x1birs'
    ]


@pytest.mark.parametrize(
    ('visibility', 'code', 'told'),
    [
        ('public', 0, ''),
        ('hidden', 0, 'The visibility of image'),
        ('shared', 7, 'its visibility is shared'),
    ],
)
@pytest.mark.parametrize('command', [SET, UNSET, 'set --no-property'])
def test_shared_images_do_not_become_private(
    app, fleet, caplog, command, visibility, code, told
):
    fleet.visibility[ID[0]] = visibility
    action = 'keep' if code else command.split()[0]
    assert app.acted(command, ID[0], DRY, code=code) == [(action, 0)]
    caplog.clear()
    assert app.run(command, ID[0]) == (code, '')
    assert len(fleet.writes) == (not code)
    assert told in caplog.text
    assert bool(caplog.records) == bool(told)
    assert ('allow that with --allow-private' in caplog.text) == bool(code)
    if code:
        assert app.run(command, ID[0], '--allow-private') == (0, '')
        assert len(fleet.writes) == 1


def test_properties_are_changed_unless_they_are_as_wanted(app, fleet, caplog):
    command = f'set --property=os_distro=cirros {ID[4]}'
    assert app.acted(command, DRY) == [('keep', 4)]
    assert app.run(command) == (0, '')
    assert not caplog.records
    # Of those given, some are missing.
    for words in (DRY,), ():
        assert app.run(UNSET, '--property=none', ID[4], *words)[0] == 1
        assert caplog.messages[-1] == f"Image {ID[4]} has no property 'none'"
    left = fleet.images[ID[4]]['metadata']
    assert ('os_distro' in left, 'instance_uuid' in left) == (False, True)
    command = f'set --no-property {ID[4]}'
    assert app.acted(command, DRY) == [('set', 4)]
    for word, left in ('--property=a=b', {'a': 'b'}), (GO, {}):
        assert app.run(command, word) == (0, '')
        assert fleet.images[ID[4]]['metadata'] == left
