# SPDX-License-Identifier: Apache-2.0

"""Commands for several regions and clouds: which are used, and how."""

import re
import types

from keystoneauth1.identity import v3
from openstack import exceptions as sdk_exceptions
from openstack.config import cloud_region
from osc_lib import exceptions
from osc_lib.cli import client_config
import pytest

from osc_compute_images.api import ImagesError
from osc_compute_images.targets import finder
from osc_compute_images.targets import scope
from testbed import nova
from tests.unit.conftest import set_catalog
from tests.unit.running import App
from tests.unit.running import AUTH
from tests.unit.running import COMMANDS
from tests.unit.running import TWO

LOGIN = f'{nova.KEYSTONE}/v3/auth/tokens'
REFUSED = nova.fault(401, 'error', 'No.')


def entry(**settings):
    """Return a cloud without a region."""
    return {'auth_type': 'v3password', 'auth': AUTH, **settings}


def logins(http):
    return [r.text for r in http.request_history if r.url == LOGIN]


def test_list_all_clouds(http, two_regions, tmp_path, caplog):
    others = {'other': entry(region_name='RegionTwo'), 'bad': entry(auth={})}
    app = App(tmp_path, others)
    entries = app.cloud_config.cloud_config['clouds']
    entries[False] = entry(region_name='RegionOne')
    app.options.password = 'of the command line'
    got = app.rows('list --all-clouds', code=1)
    found = [(row['Cloud'], row['Name']) for row in got]
    assert found == [('mycloud', 'cirros-1'), ('other', 'cirros-2')]
    assert re.findall('Cloud (.+?):', caplog.text) == ['False', 'bad']
    assert 'of the command line' not in ''.join(logins(http))
    # Even if others fail, there may be several regions.
    assert app.run('list --all-clouds --marker x')[0] == 2


def test_no_cloud_can_be_used(http, two_regions, tmp_path, caplog):
    app = App(tmp_path, {'other': entry(regions=[True])})
    http.post(LOGIN, **REFUSED)
    line = 'list --all-clouds --all-regions'
    for match in 'Every region failed', 'No clouds found':
        with pytest.raises(exceptions.CommandError, match=match):
            app.run(line)
        # No file: openstacksdk generates a cloud.
        app.cloud_config = client_config.OSC_Config(
            config_files=[], secure_files=[], load_envvars=False
        )
    assert re.findall('Cloud (.+?):', caplog.text) == ['mycloud', 'other']


def test_image_to_change_is_not_found_if_a_cloud_failed():
    error = ImagesError('unusable')
    regions = scope.Regions(('Region',), {}, {('a', ''): error})
    with pytest.raises(ImagesError, match='unusable'):
        finder.find(regions, 'x')


def test_list_regions_of_all_clouds(http, two_regions, tmp_path, caplog):
    others = [f'other-{number}' for number in range(8)]
    app = App(tmp_path, dict.fromkeys(others, entry(regions=['RegionTwo'])))
    got = app.rows('list --all-clouds --all-regions')
    assert [row['Region'] for row in got] == ['RegionOne', *['RegionTwo'] * 9]
    assert not caplog.messages
    [row] = app.rows('list', '--all-clouds', '--region=RegionOne')
    assert row['Region'] == 'RegionOne'
    # They are reported in order.
    assert caplog.messages == [
        f'Cloud {name} is skipped: it has none of these regions'
        for name in others
    ]


def test_region_is_not_found(http, two_regions, tmp_path):
    app = App(tmp_path, regions=['RegionTwo'], region_name=None)
    # No login is needed for this.
    http.post(LOGIN, **REFUSED)
    for words, kind, message in (
        (['--all-clouds'], exceptions.CommandError, 'No cloud has a region'),
        ([], sdk_exceptions.ConfigException, 'Valid choices are RegionTwo'),
    ):
        with pytest.raises(kind, match=message):
            app.run('list', *words, '--region', 'RegionOne')
    assert not http.request_history


def test_global_options_apply_to_each_region(
    http, two_regions, app, monkeypatch
):
    # The shell itself does not log in.
    monkeypatch.delattr(App, 'prepare_to_run_command')
    app.options.password = 'of the command line'
    app.options.interface = 'public'
    app.options.timing = True
    assert len(app.rows('list', '--all-regions')) == 2
    (login,) = logins(http)
    assert 'of the command line' in login
    # The shell reads only its own session at the end.
    timings = [*app.timing_data, *app.client_manager.session.get_timings()]
    urls = {timing.url.partition('?')[0] for timing in timings}
    assert {nova.DETAIL, f'{TWO}/images/detail'} <= urls


def test_cached_token_that_has_expired_is_replaced(
    http, two_regions, app, monkeypatch
):
    stored = {}
    keyring = types.SimpleNamespace(
        get_password=lambda _service, key: stored.get(key),
        set_password=lambda _service, *item: stored.update([item]),
    )
    monkeypatch.setattr(cloud_region, 'keyring', keyring)
    app.cloud_config._cache_auth = True
    regions = {'RegionOne': nova.ENDPOINT, 'RegionTwo': TWO}
    expired = '2000-01-01T00:00:00.000000Z'
    set_catalog(http, regions, expires_at=expired)
    app.rows('list --all-regions')
    assert expired in str(stored)
    set_catalog(http, regions)
    before = len(logins(http))
    for _twice in range(2):
        app.rows('list --all-regions')
    assert len(logins(http)) == before + 1


def test_keystone_to_keystone_federation(http, tmp_path):
    app = App(tmp_path, service_provider='sp', remote_project_name='there')
    http.post(LOGIN, **REFUSED)
    command = COMMANDS['list'](app, None)
    parsed = command.get_parser('x').parse_args(['--region', 'RegionTwo'])
    with pytest.raises(exceptions.CommandError, match='No'):
        command.run(parsed)
    assert isinstance(
        command.logins[0].get_session().auth, v3.Keystone2Keystone
    )


def test_cloud_that_fails_is_named_once():
    regions = scope.Regions(
        ('Cloud', 'Region'), {}, {('x', ''): ImagesError('No')}
    )
    for _name in range(2):
        with pytest.raises(ImagesError, match=r'^Cloud x: No$'):
            finder.find(regions, 'name')


def test_delete_in_several_regions(http, two_regions, app, caplog):
    url = f'{TWO}/images/{nova.image_id(2)}'
    http.delete(url, status_code=204)
    http.get(url, json={'image': nova.image(2)})
    both = ('--region', 'RegionOne', '--region', 'RegionTwo')
    assert app.run('delete', *both, 'cirros-2') == (0, '')
    assert http.last_request.method == 'DELETE'
    http.get(f'{TWO}/images/detail', json=nova.page([nova.image(1)]))
    assert app.run('delete', *both, 'cirros-1', 'none') == (1, '')
    several, none, _total = caplog.messages
    one = nova.image_id(1)
    assert several.endswith(f': RegionOne {one}, RegionTwo {one}')
    assert 'in these regions' in none
    http.get(f'{TWO}/images/detail', **nova.fault(403, 'forbidden', 'No.'))
    error = r'Region RegionTwo: No\. \(HTTP 403\)'
    with pytest.raises(exceptions.CommandError, match=error):
        app.run('delete', *both, 'cirros-1')
    assert [r.method for r in http.request_history].count('DELETE') == 1
