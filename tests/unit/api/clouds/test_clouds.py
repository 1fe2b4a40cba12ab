# SPDX-License-Identifier: Apache-2.0

"""APIs of regions and clouds from an openstacksdk configuration."""

import datetime
import json
import os

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import fixture
from keystoneauth1.identity import v3
from openstack import exceptions as sdk_exceptions
from openstack.config import OpenStackConfig
from osc_lib import exceptions
import pytest
import yaml

from osc_compute_images import api as images
from osc_compute_images.api import clouds
from osc_compute_images.api import in_regions
from osc_compute_images.api.clouds._settings import adapter_of
from osc_compute_images.commands.delete import DeleteComputeImage
from osc_compute_images.commands.list import ListComputeImage
from osc_compute_images.commands.show import ShowComputeImage
from osc_compute_images.targets import finder
from osc_compute_images.targets import scope
from testbed import nova
from tests.unit.conftest import set_catalog
from tests.unit.running import App
from tests.unit.running import AUTH
from tests.unit.running import listed
from tests.unit.running import run

pytestmark = pytest.mark.timeout(120, func_only=True)

TWO = 'http://nova-two.example.com/v2.1'
LOGIN = f'{nova.KEYSTONE}/v3/auth/tokens'
OTHER_KEYSTONE = 'http://keystone-two.example.com'
REFUSED = nova.fault(401, 'error', 'No.')


@pytest.fixture
def two_regions(http):
    set_catalog(http, {'RegionOne': nova.ENDPOINT, 'RegionTwo': TWO})
    http.get(nova.DETAIL, json=nova.page([nova.image(1)]))
    http.get(f'{TWO}/images/detail', json=nova.page([nova.image(2)]))


@pytest.fixture
def config_of(tmp_path, monkeypatch):
    """Return a function that makes a configuration of these clouds."""
    for name in [name for name in os.environ if name.startswith('OS_')]:
        monkeypatch.delenv(name)

    def make(odd=(), /, **entries):
        file = tmp_path / 'clouds.yaml'
        file.write_text(yaml.safe_dump({'clouds': {**entries, **dict(odd)}}))
        return OpenStackConfig(
            config_files=[str(file)], secure_files=[], vendor_files=[]
        )

    return make


def names(api):
    return [image.name for image in api.list_detail()]


def results(apis):
    return {r.region: r.unwrap() for r in in_regions(apis, names)}


def logins(http, url=LOGIN):
    return [r for r in http.request_history if r.url == url]


def entry(**settings):
    """Return a cloud without a region."""
    return {'auth_type': 'v3password', 'auth': AUTH, **settings}


# --- regions --------------------------------------------------------------


@pytest.mark.parametrize(
    ('settings', 'regions'),
    [
        ({}, ['1', 'two']),
        ({'region_name': 'two'}, ['1', 'two']),
        # This setting would override each region's own name.
        ({'compute_region_name': 'two'}, ['1', 'two']),
        ({'region_name': '1,two'}, ['1', 'two']),
        ({'region_name': None}, ['1', 'two']),
        # YAML does not read these as text.
        ({'region_name': 1}, ['1', 'two']),
        ({'region-name': 1}, ['1', 'two']),
        ({'region_name': [1, 'two']}, ['1', 'two']),
        ({'compute_region_name': 1}, ['1', 'two']),
        ({'regions': ['two', 1, 1]}, ['1', 'two']),
        ({'regions': [{'name': 'two', 'values': None}]}, ['two']),
        ({'regions': [{'name': 1, 'values': {'interface': 'public'}}]}, ['1']),
        ({'regions': []}, ['1', 'two']),
        ({'regions': None}, ['1', 'two']),
    ],
)
def test_regions_of_a_cloud(http, two_regions, config_of, settings, regions):
    set_catalog(http, {'1': nova.ENDPOINT, 'two': TWO})
    apis = clouds.apis_of(config_of(mycloud=entry(**settings)))
    if settings.get('regions'):
        # The catalog is not needed.
        assert not logins(http)
    assert [*apis] == regions
    expected = {'1': ['cirros-1'], 'two': ['cirros-2']}
    assert results(apis) == {region: expected[region] for region in regions}
    assert len(logins(http)) == 1


def test_apis_of_all_clouds(http, two_regions, config_of, monkeypatch):
    monkeypatch.setenv('OS_USERNAME', 'somebody')
    monkeypatch.setenv('OS_PASSWORD', 'secret')
    config = config_of(
        a=entry(),
        b=entry(regions=['RegionTwo']),
        broken=7,
        wrong=entry(auth={**AUTH, 'auth_url': f'{OTHER_KEYSTONE}/v3'}),
    )
    wrong = f'{OTHER_KEYSTONE}/v3/auth/tokens'
    http.post(wrong, **REFUSED)
    apis, errors = clouds.apis_of_all(config)
    assert results(apis) == {
        ('a', 'RegionOne'): ['cirros-1'],
        ('a', 'RegionTwo'): ['cirros-2'],
        ('b', 'RegionTwo'): ['cirros-2'],
    }
    assert errors.keys() == {'broken', 'wrong'}
    assert 'The configuration is invalid' in errors['broken'].message
    assert isinstance(errors['wrong'], images.Unauthorized)
    assert len(logins(http, wrong)) == 1


def test_no_cloud_gets_a_secret_of_another(http, config_of, monkeypatch):
    monkeypatch.setenv('OS_PASSWORD', 'of the environment')
    there = f'{OTHER_KEYSTONE}/v3/auth/tokens'
    # It is not followed, as the login of one would be sent to the other.
    http.post(there, status_code=307, headers={'Location': LOGIN})
    auth = {'auth_url': f'{OTHER_KEYSTONE}/v3', 'password': 'of b'}
    config = config_of(a=entry(), b=entry(auth={**AUTH, **auth}))
    _apis, errors = clouds.apis_of_all(config)
    assert errors.keys() == {'b'}
    assert 'of b' in logins(http, there)[0].text
    assert [AUTH['password'] in r.text for r in logins(http)] == [True]


def test_no_clouds_configured(config_of):
    assert clouds.apis_of_all(config_of()) == ({}, {})


def test_api_of_cloud(http, two_regions, config_of):
    config = config_of(
        one=entry(region_name='RegionOne'),
        both=entry(regions=['RegionTwo', 'RegionOne']),
    )
    assert names(clouds.api_of(config, 'one')) == ['cirros-1']
    assert names(clouds.api_of(config, 'one', 'RegionTwo')) == ['cirros-2']
    assert names(clouds.api_of(config, 'both')) == ['cirros-2']
    assert names(clouds.api_of(config, 'both', 'RegionOne')) == ['cirros-1']
    elsewhere = clouds.api_of(config, 'one', 'Elsewhere')
    with pytest.raises(images.EndpointNotFound, match="region 'Elsewhere'"):
        names(elsewhere)
    for wrong in (('both', 'Elsewhere'), ('none',)):
        with pytest.raises(sdk_exceptions.ConfigException):
            clouds.api_of(config, *wrong)


@pytest.mark.parametrize('setting', ['region_name', 'compute_region_name'])
def test_api_of_default_cloud_does_not_log_in(
    http, config_of, monkeypatch, setting
):
    monkeypatch.setenv('OS_CLOUD', 'mine')
    config = config_of(mine=entry(**{setting: 1}), other=entry())
    api = clouds.api_of(config)
    assert api.adapter.region_name == '1'
    assert type(api.adapter) is ksa_adapter.Adapter
    assert not http.request_history


@pytest.mark.parametrize(
    ('name', 'cloud', 'message'),
    [
        (False, entry(), 'name of the cloud as False'),
        (1, entry(), 'name of the cloud as 1,'),
        (None, entry(), 'name of the cloud as None'),
        (datetime.date(2026, 1, 1), entry(), 'the cloud as datetime'),
        ('x', entry(regions=[False, 'a']), 'name of a region as False'),
        ('x', entry(regions=[1.5]), 'name of a region as 1.5'),
        ('x', entry(regions=[None]), 'name of a region as None'),
        ('x', entry(regions=[{'name': False}]), 'a region as False'),
        ('x', entry(region_name=False), 'name of a region as False'),
        ('x', entry(regions='a'), '"regions" is \'a\''),
        ('x', entry(regions={'a': {}}), 'and not a list'),
        ('x', entry(regions=[{}]), 'needs a "name"'),
        ('x', entry(regions=[{'name': 'a', 'values': 7}]), '"values"'),
        ('x', {'auth': None}, 'The configuration is invalid'),
        ('x', ['a'], 'not a mapping'),
        ('x', None, 'not a mapping'),
    ],
)
def test_malformed_entry_is_one_error(
    http, two_regions, config_of, name, cloud, message
):
    good = entry(regions=['RegionOne'])
    apis, errors = clouds.apis_of_all(config_of({name: cloud}, good=good))
    assert results(apis) == {('good', 'RegionOne'): ['cirros-1']}
    (error,) = errors.values()
    assert message in str(error)


def test_malformed_entry_of_the_only_cloud(config_of):
    config = config_of(c=entry(regions=[False]))
    for function in (clouds.api_of, clouds.apis_of):
        with pytest.raises(images.ImagesError, match='put it in quotes'):
            function(config, 'c')


# --- the catalog ----------------------------------------------------------


def serve_catalog(http, endpoints):
    """Serve a catalog with these endpoints of Compute, as they are."""
    token = fixture.V3Token(project_id=nova.PROJECT)
    token.set_project_scope(id=nova.PROJECT)
    token.add_service('compute', name='nova')
    token['token']['catalog'][0]['endpoints'] = endpoints
    headers = {'X-Subject-Token': nova.TOKEN}
    http.post(LOGIN, json=token, headers=headers)


def endpoint(interface, url, region):
    ids = {'region': region, 'region_id': region}
    return {'interface': interface, 'url': url, 'id': url, **ids}


@pytest.mark.parametrize(
    ('endpoints', 'settings', 'expected'),
    [
        # Those without a region form one.
        (
            [endpoint('public', nova.ENDPOINT, None)],
            {},
            {'': ['cirros-1']},
        ),
        (
            [
                endpoint('public', TWO, 'Two'),
                endpoint('public', nova.ENDPOINT, None),
            ],
            {},
            {'': ['cirros-1'], 'Two': ['cirros-2']},
        ),
        (
            [
                endpoint('internal', nova.ENDPOINT, 'One'),
                endpoint('public', TWO, 'Two'),
            ],
            {'interface': ['internal', 'public']},
            {'One': ['cirros-1'], 'Two': ['cirros-2']},
        ),
        # There is no catalog.
        (
            [],
            {
                'auth_type': 'admin_token',
                'auth': {'endpoint': nova.ENDPOINT, 'token': 't'},
                'region_name': 'RegionOne',
            },
            {'RegionOne': ['cirros-1']},
        ),
    ],
)
def test_regions_of_the_catalog(
    http, two_regions, config_of, endpoints, settings, expected
):
    serve_catalog(http, endpoints)
    apis = clouds.apis_of(config_of(mycloud=entry(**settings)))
    assert results(apis) == expected


SEVEN = {'interface': 'public', 'url': nova.ENDPOINT, 'region_id': 7}


@pytest.mark.parametrize(
    'garbage',
    [None, [None], [{'region': 7}], 'x', [SEVEN], [SEVEN, {**SEVEN, 'id': 1}]],
)
def test_malformed_catalog_is_reported(http, config_of, garbage):
    serve_catalog(http, garbage)
    with pytest.raises(images.ImagesError, match=r'catalog'):
        clouds.apis_of(config_of(mycloud=entry()))


@pytest.mark.parametrize(
    ('settings', 'regions', 'error', 'message'),
    [
        (
            {'compute_endpoint_override': nova.ENDPOINT},
            {'RegionOne': nova.ENDPOINT},
            images.ImagesError,
            'overrides the Compute endpoint',
        ),
        ({}, {}, images.EndpointNotFound, 'No region in the catalog'),
        (
            {'connect_retries': 'many'},
            {'RegionOne': nova.ENDPOINT},
            images.ImagesError,
            'connect_retries is invalid',
        ),
        (
            {'profile': 'no-such-profile', 'auth_type': 'no-such-type'},
            {},
            Exception,
            'no-such-type',
        ),
    ],
)
def test_regions_cannot_be_determined(
    http, config_of, settings, regions, error, message
):
    set_catalog(http, regions)
    with pytest.raises(error, match=message):
        clouds.apis_of(config_of(mycloud=entry(**settings)))


@pytest.mark.parametrize(
    ('ours', 'theirs', 'shared'),
    [
        ({}, {}, True),
        ({'interface': 'internal'}, {}, True),
        ({'auth': {'password': 'other'}}, {}, False),
        ({'cacert': '/a.pem'}, {}, False),
        ({'verify': False}, {'verify': False}, True),
        ({'auth_type': 'password'}, {}, False),
    ],
)
def test_regions_share_login_if_credentials_are_equal(
    http, two_regions, config_of, ours, theirs, shared
):
    values = {'RegionOne': ours, 'RegionTwo': theirs}
    regions = [{'name': k, 'values': v} for k, v in values.items()]
    apis = clouds.apis_of(config_of(mycloud=entry(regions=regions)))
    one, two = (api.adapter.session for api in apis.values())
    assert one is not two
    assert (one.auth is two.auth) is shared


def test_settings_of_region_reach_its_adapter(config_of):
    settings = {
        'service_type': 'compute_legacy',
        'service_name': 'old',
        'interface': 'admin',
        'endpoint_override': 'http://x',
        'connect_retries': 3,
        'connect_retry_delay': 0.5,
        'status_code_retries': 4,
        'status_code_retry_delay': 1.5,
        'retriable_status_codes': '500,503',
    }
    values = {f'compute_{key}': value for key, value in settings.items()}
    region = {'name': 'r', 'values': {'api_timeout': 7, **values}}
    config = config_of(mycloud=entry(regions=[region, {'name': 'plain'}]))
    apis = clouds.apis_of(config)
    adapters = {name: api.adapter for name, api in apis.items()}
    settings['retriable_status_codes'] = [500, 503]
    given = {key: getattr(adapters['r'], key) for key in settings}
    assert given == settings
    assert adapters['r'].session.timeout == 7
    assert adapters['r'].client_name == 'osc-compute-images'
    assert adapters['plain'].connect_retries is None
    # Arguments override the configuration.
    region = config.get_one('mycloud', region_name='r')
    assert adapter_of(region, interface='public').interface == 'public'


# --- commands -------------------------------------------------------------


@pytest.fixture
def app(http, tmp_path):
    return App(tmp_path)


def first_words(caplog):
    return [message.partition(':')[0] for message in caplog.messages]


def test_list_all_clouds(http, two_regions, tmp_path, caplog):
    others = {'other': entry(region_name='RegionTwo'), 'bad': entry(auth={})}
    app = App(tmp_path, others)
    entries = app.cloud_config.cloud_config['clouds']
    entries[False] = entry(region_name='RegionOne')
    app.options.password = 'of the command line'
    code, out = run(app, ListComputeImage, '--all-clouds', '-f', 'json')
    rows = json.loads(out)
    assert [(r['Cloud'], r['Region'], r['Name']) for r in rows] == [
        ('mycloud', 'RegionOne', 'cirros-1'),
        ('other', 'RegionTwo', 'cirros-2'),
    ]
    assert code == 1
    assert first_words(caplog) == ['Cloud False', 'Cloud bad']
    for login in logins(http):
        assert 'of the command line' not in login.text
    # Even if others fail, there may be several regions.
    words = ('--all-clouds', '--marker', 'x')
    assert run(app, ListComputeImage, *words)[0] == 2


def test_no_cloud_can_be_used(http, tmp_path, caplog):
    app = App(tmp_path, {'other': entry(regions=[True])})
    http.post(LOGIN, **REFUSED)
    words = ('--all-clouds', '--all-regions')
    for kind, *more in (
        (ListComputeImage,),
        (ShowComputeImage, 'x'),
        (DeleteComputeImage, '--all', '--auto-approve'),
    ):
        caplog.clear()
        with pytest.raises(
            exceptions.CommandError, match=r'^Every region failed or was skip'
        ):
            run(app, kind, *words, *more)
        assert first_words(caplog) == ['Cloud mycloud', 'Cloud other']


def test_image_to_change_is_not_found_if_a_cloud_failed():
    error = images.ImagesError('unusable')
    regions = scope.Regions(('Region',), {}, {('a', ''): error})
    with pytest.raises(images.ImagesError, match='unusable'):
        finder.find(regions, 'x')


@pytest.mark.parametrize(
    ('words', 'regions', 'skipped'),
    [
        (['--all-regions'], ['RegionOne', *['RegionTwo'] * 9], False),
        (['--region', 'RegionTwo'], ['RegionTwo'] * 9, False),
        (['--region', 'RegionOne'], ['RegionOne'], True),
    ],
)
def test_list_regions_of_all_clouds(
    http, two_regions, tmp_path, caplog, words, regions, skipped
):
    others = [f'other-{number}' for number in range(8)]
    two = entry(regions=['RegionTwo'])
    app = App(tmp_path, dict.fromkeys(others, two))
    rows = listed(app, '--all-clouds', *words)
    assert [row['Region'] for row in rows] == regions
    # They are reported in order.
    assert caplog.messages == [
        f'Cloud {name} is skipped: it has none of these regions'
        for name in others
        if skipped
    ]


def test_no_cloud_or_region_is_found(two_regions, app):
    for words, message in (
        (['--region', 'Nowhere'], 'No cloud has a region'),
        ([], 'No clouds found'),
    ):
        if not words:
            app.cloud_config.cloud_config = {'clouds': {}}
        with pytest.raises(exceptions.CommandError, match=message):
            run(app, ListComputeImage, '--all-clouds', *words)


def test_unknown_region_is_rejected(http, tmp_path):
    app = App(tmp_path, regions=['RegionTwo'], region_name=None)
    for kind, *words in (
        (ListComputeImage,),
        (ShowComputeImage, 'x'),
        (DeleteComputeImage, 'x'),
    ):
        with pytest.raises(
            sdk_exceptions.ConfigException, match='Valid choices are RegionTwo'
        ):
            run(app, kind, '--region', 'RegionOne', *words)
    assert not http.request_history


def test_global_options_apply_to_each_region(http, two_regions, app):
    app.options.password = 'of the command line'
    app.options.interface = 'public'
    listed(app, '--all-regions')
    (login,) = logins(http)
    assert 'of the command line' in login.text


def test_shell_does_not_log_in_for_another_region(
    http, two_regions, app, monkeypatch
):
    monkeypatch.delattr(App, 'prepare_to_run_command')
    assert len(listed(app, '--region', 'RegionTwo')) == 1
    # For --timing, the shell reads its own session at the end.
    assert app.client_manager.session.auth


def test_timing_includes_all_logins(http, two_regions, tmp_path):
    app = App(tmp_path, {'other': entry(region_name='RegionTwo')})
    app.options.timing = True
    listed(app, '--all-clouds')
    timings = [*app.timing_data, *app.client_manager.session.get_timings()]
    urls = {timing.url.partition('?')[0] for timing in timings}
    assert {nova.DETAIL, f'{TWO}/images/detail'} <= urls


def test_keystone_to_keystone_federation(http, tmp_path):
    app = App(tmp_path, service_provider='sp', remote_project_name='there')
    http.post(LOGIN, **REFUSED)
    command = ListComputeImage(app, None)
    parsed = command.get_parser('x').parse_args(['--region', 'RegionTwo'])
    with pytest.raises(exceptions.CommandError, match='No'):
        command.run(parsed)
    assert isinstance(command.sessions[0].auth, v3.Keystone2Keystone)


def test_delete_in_several_regions(http, two_regions, app, caplog):
    url = f'{TWO}/images/{nova.image_id(2)}'
    http.delete(url, status_code=204)
    http.get(url, json={'image': nova.image(2)})
    both = ('--region', 'RegionOne', '--region', 'RegionTwo')
    assert run(app, DeleteComputeImage, *both, 'cirros-2') == (0, '')
    assert http.last_request.method == 'DELETE'
    http.get(f'{TWO}/images/detail', json=nova.page([nova.image(1)]))
    assert run(app, DeleteComputeImage, *both, 'cirros-1', 'none') == (1, '')
    several, none, _total = caplog.messages
    assert "2 images have the name or ID 'cirros-1'" in several
    assert 'in these regions' in none
    http.get(f'{TWO}/images/detail', **nova.fault(403, 'forbidden', 'No.'))
    assert run(app, DeleteComputeImage, *both, 'cirros-1') == (1, '')
    methods = [r.method for r in http.request_history]
    assert methods.count('DELETE') == 1
