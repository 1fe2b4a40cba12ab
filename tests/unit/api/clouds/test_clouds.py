# SPDX-License-Identifier: Apache-2.0

"""APIs of regions and clouds from an openstacksdk configuration."""

import json
import os

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import fixture
from keystoneauth1.identity import v3
from openstack import exceptions as sdk_exceptions
from openstack.config import OpenStackConfig
from osc_lib import exceptions
import pytest

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
OTHER_KEYSTONE = 'http://keystone-two.example.com'


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

    def make(**entries):
        file = tmp_path / 'clouds.yaml'
        file.write_text(json.dumps({'clouds': entries}))
        return OpenStackConfig(
            config_files=[str(file)], secure_files=[], vendor_files=[]
        )

    return make


def names(api):
    return [image.name for image in api.list_detail()]


def results(apis):
    return {r.region: r.unwrap() for r in in_regions(apis, names)}


def logins(http, keystone=nova.KEYSTONE):
    url = f'{keystone}/v3/auth/tokens'
    return [r for r in http.request_history if r.url == url]


def entry(**settings):
    """Return a cloud without a region."""
    return {'auth_type': 'v3password', 'auth': AUTH, **settings}


@pytest.mark.parametrize(
    'settings',
    [
        {},
        {'region_name': 'RegionOne'},
        # This setting would override each region's own name.
        {'compute_region_name': 'RegionOne'},
        {'regions': ['RegionTwo', 'RegionOne']},
        {'regions': [{'name': 'RegionTwo'}, {'name': 'RegionOne'}]},
        {'region_name': 'RegionOne,RegionTwo'},
    ],
)
def test_apis_of_cloud(http, two_regions, config_of, settings):
    apis = clouds.apis_of(config_of(mycloud=entry(**settings)))
    assert list(apis) == ['RegionOne', 'RegionTwo']
    assert results(apis) == {
        'RegionOne': ['cirros-1'],
        'RegionTwo': ['cirros-2'],
    }
    assert len(logins(http)) == 1


def test_configured_regions_replace_catalog(http, two_regions, config_of):
    apis = clouds.apis_of(config_of(mycloud=entry(regions=['RegionTwo'])))
    assert list(apis) == ['RegionTwo']
    assert not http.request_history


def test_apis_of_all_clouds(http, two_regions, config_of, monkeypatch):
    monkeypatch.setenv('OS_USERNAME', 'somebody')
    monkeypatch.setenv('OS_PASSWORD', 'secret')
    config = config_of(
        a=entry(),
        b=entry(regions=['RegionTwo']),
        broken=7,
        wrong=entry(auth={**AUTH, 'auth_url': f'{OTHER_KEYSTONE}/v3'}),
    )
    http.post(
        f'{OTHER_KEYSTONE}/v3/auth/tokens', **nova.fault(401, 'error', 'No.')
    )
    apis, errors = clouds.apis_of_all(config)
    assert results(apis) == {
        ('a', 'RegionOne'): ['cirros-1'],
        ('a', 'RegionTwo'): ['cirros-2'],
        ('b', 'RegionTwo'): ['cirros-2'],
    }
    assert errors.keys() == {'broken', 'wrong'}
    assert 'The configuration is invalid' in errors['broken'].message
    assert isinstance(errors['wrong'], images.Unauthorized)
    assert len(logins(http, OTHER_KEYSTONE)) == 1


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


def test_api_of_default_cloud_does_not_log_in(http, config_of, monkeypatch):
    monkeypatch.setenv('OS_CLOUD', 'mine')
    config = config_of(mine=entry(region_name='RegionTwo'), other=entry())
    api = clouds.api_of(config)
    assert api.adapter.region_name == 'RegionTwo'
    assert type(api.adapter) is ksa_adapter.Adapter
    assert not http.request_history


# --- names that YAML does not read as text --------------------------------


@pytest.fixture
def yaml_config(tmp_path):
    """Return a function that makes a configuration of YAML."""

    def make(text):
        login = f'auth_type: v3password, auth: {json.dumps(AUTH)}'
        file = tmp_path / 'clouds.yaml'
        file.write_text(text.replace('LOGIN', login))
        return OpenStackConfig(
            config_files=[str(file)],
            secure_files=[],
            vendor_files=[],
            load_envvars=False,
        )

    return make


@pytest.fixture
def numbered_regions(http):
    set_catalog(http, {'1': nova.ENDPOINT, 'no': TWO})
    http.get(nova.DETAIL, json=nova.page([nova.image(1)]))
    http.get(f'{TWO}/images/detail', json=nova.page([nova.image(2)]))


@pytest.mark.parametrize(
    ('setting', 'regions'),
    [
        ('regions: [1, "no"]', ['1', 'no']),
        ('regions: [{name: 1}, {name: "no", values: null}]', ['1', 'no']),
        ('regions: [{name: 1, values: {interface: public}}]', ['1']),
        ('regions: [1, 1]', ['1']),
        ('regions: []', ['1', 'no']),
        ('regions: null', ['1', 'no']),
        ('region_name: 1', ['1', 'no']),
        ('region-name: 1', ['1', 'no']),
        ('region_name: [1, "no"]', ['1', 'no']),
        ('region_name: null', ['1', 'no']),
        ('compute_region_name: 1', ['1', 'no']),
    ],
)
def test_numbers_are_names_of_regions(
    http, numbered_regions, yaml_config, setting, regions
):
    config = yaml_config(f'clouds: {{c: {{LOGIN, {setting}}}}}')
    apis = clouds.apis_of(config, 'c')
    numbers = {'1': 1, 'no': 2}
    assert results(apis) == {
        region: [f'cirros-{numbers[region]}'] for region in regions
    }


@pytest.mark.parametrize(
    'setting', ['region_name: 1', 'compute_region_name: 1', 'regions: [1]']
)
def test_number_is_name_of_default_region(
    http, numbered_regions, yaml_config, setting
):
    config = yaml_config(f'clouds: {{c: {{LOGIN, {setting}}}}}')
    assert names(clouds.api_of(config, 'c')) == ['cirros-1']


@pytest.mark.parametrize(
    ('bad', 'message'),
    [
        ('no: {LOGIN}', 'name of the cloud as False'),
        ('1: {LOGIN}', 'name of the cloud as 1,'),
        ('null: {LOGIN}', 'name of the cloud as None'),
        ('2026-01-01: {LOGIN}', 'name of the cloud as datetime'),
        ('x: {LOGIN, regions: [no, a]}', 'name of a region as False'),
        ('x: {LOGIN, regions: [1.5]}', 'name of a region as 1.5'),
        ('x: {LOGIN, regions: [null]}', 'name of a region as None'),
        ('x: {LOGIN, regions: [{name: no}]}', 'a region as False'),
        ('x: {LOGIN, region_name: no}', 'name of a region as False'),
        ('x: {LOGIN, regions: a}', '"regions" is \'a\''),
        ('x: {LOGIN, regions: {a: {}}}', 'and not a list'),
        ('x: {LOGIN, regions: [{}]}', 'needs a "name"'),
        ('x: {LOGIN, regions: [{name: a, values: 7}]}', '"values"'),
        ('x: {auth: null}', 'The configuration is invalid'),
        ('x: {auth: 7}', 'The configuration is invalid'),
        ('x: [a]', 'not a mapping'),
        ('x: null', 'not a mapping'),
    ],
)
def test_malformed_entry_is_one_error(
    http, numbered_regions, yaml_config, bad, message
):
    config = yaml_config(f'clouds: {{good: {{LOGIN, regions: [1]}}, {bad}}}')
    apis, errors = clouds.apis_of_all(config)
    assert results(apis) == {('good', '1'): ['cirros-1']}
    (error,) = errors.values()
    assert message in str(error)


def test_malformed_entry_of_the_only_cloud(yaml_config):
    config = yaml_config('clouds: {c: {LOGIN, regions: [no]}}')
    for function in (clouds.api_of, clouds.apis_of):
        with pytest.raises(images.ImagesError, match='put it in quotes'):
            function(config, 'c')


# --- the catalog ----------------------------------------------------------


def catalog(http, *endpoints):
    token = fixture.V3Token(project_id=nova.PROJECT)
    token.set_project_scope(id=nova.PROJECT)
    service = token.add_service('compute', name='nova')
    for interface, url, region in endpoints:
        service.add_endpoint(interface, url, region=region)
    http.post(
        f'{nova.KEYSTONE}/v3/auth/tokens',
        json=token,
        headers={'X-Subject-Token': nova.TOKEN},
    )


def test_endpoints_without_region_form_one_region(
    http, two_regions, config_of
):
    catalog(http, ('public', nova.ENDPOINT, None))
    apis = clouds.apis_of(config_of(mycloud=entry()))
    assert results(apis) == {'': ['cirros-1']}
    # Also beside endpoints with a region.
    catalog(http, ('public', TWO, 'Two'), ('public', nova.ENDPOINT, None))
    apis = clouds.apis_of(config_of(mycloud=entry()))
    assert results(apis) == {'': ['cirros-1'], 'Two': ['cirros-2']}


def test_regions_with_any_of_several_interfaces(http, two_regions, config_of):
    catalog(http, ('internal', nova.ENDPOINT, 'One'), ('public', TWO, 'Two'))
    config = config_of(mycloud=entry(interface=['internal', 'public']))
    assert results(clouds.apis_of(config)) == {
        'One': ['cirros-1'],
        'Two': ['cirros-2'],
    }


def test_without_catalog_configured_region_is_used(
    http, two_regions, config_of
):
    config = config_of(
        mycloud={
            'auth_type': 'admin_token',
            'auth': {'endpoint': nova.ENDPOINT, 'token': 't'},
            'region_name': 'RegionOne',
        }
    )
    assert results(clouds.apis_of(config)) == {'RegionOne': ['cirros-1']}


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


SEVEN = {'interface': 'public', 'url': nova.ENDPOINT, 'region_id': 7}


@pytest.mark.parametrize(
    'garbage',
    [None, [None], [{'region': 7}], 'x', [SEVEN], [SEVEN, {**SEVEN, 'id': 1}]],
)
def test_malformed_catalog_is_reported(http, config_of, garbage):
    token = fixture.V3Token(project_id=nova.PROJECT)
    token.set_project_scope(id=nova.PROJECT)
    token.add_service('compute', name='nova')
    token['token']['catalog'][0]['endpoints'] = garbage
    http.post(
        f'{nova.KEYSTONE}/v3/auth/tokens',
        json=token,
        headers={'X-Subject-Token': nova.TOKEN},
    )
    with pytest.raises(images.ImagesError, match=r'catalog'):
        clouds.apis_of(config_of(mycloud=entry()))


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
    apis = clouds.apis_of(
        config_of(
            mycloud=entry(
                regions=[
                    {'name': 'RegionOne', 'values': ours},
                    {'name': 'RegionTwo', 'values': theirs},
                ]
            )
        )
    )
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
    config = config_of(
        mycloud=entry(
            regions=[
                {
                    'name': 'r',
                    'values': {
                        'api_timeout': 7,
                        **{f'compute_{k}': v for k, v in settings.items()},
                    },
                },
                {'name': 'plain'},
            ]
        )
    )
    adapters = {
        name: api.adapter for name, api in clouds.apis_of(config).items()
    }
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


def test_list_all_clouds(http, two_regions, tmp_path, caplog):
    app = App(
        tmp_path,
        {
            'other': entry(region_name='RegionTwo'),
            'bad': entry(auth={}),
        },
    )
    app.options.password = 'of the command line'
    code, out = run(app, ListComputeImage, '--all-clouds', '-f', 'json')
    rows = json.loads(out)
    assert [(r['Cloud'], r['Region'], r['Name']) for r in rows] == [
        ('mycloud', 'RegionOne', 'cirros-1'),
        ('other', 'RegionTwo', 'cirros-2'),
    ]
    assert code == 1
    assert [r.message.split(':')[0] for r in caplog.records] == ['Cloud bad']
    for login in logins(http):
        assert 'of the command line' not in login.text


def test_list_all_clouds_with_names_that_are_not_text(
    http, two_regions, tmp_path, caplog
):
    app = App(tmp_path, {'other': entry(region_name='RegionTwo')})
    entries = app.cloud_config.cloud_config['clouds']
    entries[False] = entry(region_name='RegionOne')
    entries[1] = entry(region_name='RegionOne')
    entries['x'] = entry(regions=[True])
    for more in ((), ('--all-regions',), ('--region', 'RegionTwo')):
        caplog.clear()
        words = ('--all-clouds', *more, '-f', 'json')
        code, out = run(app, ListComputeImage, *words)
        found = {row['Cloud'] for row in json.loads(out)}
        assert (code, found) == (1, {'mycloud', 'other'})
        assert [r.message.partition(':')[0] for r in caplog.records] == [
            'Cloud 1',
            'Cloud False',
            'Cloud x',
        ]


def test_no_cloud_can_be_used(http, tmp_path, caplog):
    app = App(tmp_path, {'other': entry(regions=[True])})
    http.post(
        f'{nova.KEYSTONE}/v3/auth/tokens', **nova.fault(401, 'error', 'No.')
    )
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
        assert [r.message.partition(':')[0] for r in caplog.records] == [
            'Cloud mycloud',
            'Cloud other',
        ]


def test_marker_needs_a_single_region_even_if_others_fail(
    http, two_regions, tmp_path
):
    app = App(tmp_path, {'other': entry(regions=[True])})
    assert run(app, ListComputeImage, '--all-clouds', '--marker', 'x')[0] == 2


def test_image_to_change_is_not_found_if_a_cloud_failed(http, two_regions):
    error = images.ImagesError('unusable')
    regions = scope.Regions(('Region',), {}, {('a', ''): error})
    with pytest.raises(images.ImagesError, match='unusable'):
        finder.find(regions, 'x')


@pytest.mark.parametrize(
    ('words', 'expected', 'left_out'),
    [
        (('--all-regions',), ['RegionOne', 'RegionTwo', 'RegionTwo'], None),
        (('--region', 'RegionTwo'), ['RegionTwo', 'RegionTwo'], None),
        (('--region', 'RegionOne'), ['RegionOne'], 'other'),
    ],
)
def test_list_regions_of_all_clouds(
    http, two_regions, tmp_path, caplog, words, expected, left_out
):
    app = App(tmp_path, {'other': entry(regions=['RegionTwo'])})
    rows = listed(app, '--all-clouds', *words)
    assert [row['Region'] for row in rows] == expected
    messages = [r.message for r in caplog.records]
    assert messages == (
        [f'Cloud {left_out} is skipped: it has none of these regions']
        if left_out
        else []
    )


def test_skipped_clouds_are_reported_in_order(
    http, two_regions, tmp_path, caplog
):
    names = [f'other-{number}' for number in range(8)]
    app = App(tmp_path, {name: entry(regions=['RegionTwo']) for name in names})
    listed(app, '--all-clouds', '--region', 'RegionOne')
    assert [r.message for r in caplog.records] == [
        f'Cloud {name} is skipped: it has none of these regions'
        for name in names
    ]


def test_region_that_no_cloud_has(two_regions, app):
    with pytest.raises(exceptions.CommandError, match='No cloud has a region'):
        run(app, ListComputeImage, '--all-clouds', '--region', 'Nowhere')


@pytest.fixture
def app(http, tmp_path):
    return App(tmp_path)


def test_all_clouds_without_clouds(app):
    app.cloud_config.cloud_config = {'clouds': {}}
    with pytest.raises(exceptions.CommandError, match='No clouds found'):
        run(app, ListComputeImage, '--all-clouds')


def test_unknown_region_is_rejected(http, two_regions, tmp_path):
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


def test_global_options_apply_to_each_region(http, two_regions, tmp_path):
    app = App(tmp_path)
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


def test_keystone_to_keystone_federation(http, two_regions, tmp_path):
    app = App(tmp_path, service_provider='sp', remote_project_name='there')
    http.post(
        f'{nova.KEYSTONE}/v3/auth/tokens', **nova.fault(401, 'error', 'No.')
    )
    command = ListComputeImage(app, None)
    parsed = command.get_parser('x').parse_args(['--region', 'RegionTwo'])
    with pytest.raises(exceptions.CommandError, match='No'):
        command.run(parsed)
    assert isinstance(command.sessions[0].auth, v3.Keystone2Keystone)


def test_delete_in_several_regions(http, two_regions, app, caplog):
    url = f'{TWO}/images/{nova.image_id(2)}'
    http.delete(url, status_code=204)
    image = nova.image(2)
    http.get(url, json={'image': image})
    http.get(f'{TWO}/servers/detail', json={'servers': []})
    both = ('--region', 'RegionOne', '--region', 'RegionTwo')
    assert run(app, DeleteComputeImage, *both, 'cirros-2') == (0, '')
    assert http.last_request.method == 'DELETE'
    sent = len(http.request_history)
    http.get(f'{TWO}/images/detail', json=nova.page([nova.image(1)]))
    assert run(app, DeleteComputeImage, *both, 'cirros-1', 'none') == (1, '')
    several, none, _total = (record.message for record in caplog.records)
    assert "2 images have the name or ID 'cirros-1'" in several
    assert 'in these regions' in none
    http.get(f'{TWO}/images/detail', **nova.fault(403, 'forbidden', 'No.'))
    assert run(app, DeleteComputeImage, *both, 'cirros-1') == (1, '')
    methods = {r.method for r in http.request_history[sent:]}
    assert 'DELETE' not in methods
