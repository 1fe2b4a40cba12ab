# SPDX-License-Identifier: Apache-2.0

"""APIs of regions and clouds from an openstacksdk configuration."""

import json
import os

from keystoneauth1 import fixture
from keystoneauth1.identity import v3
from openstack import exceptions as sdk_exceptions
from openstack.config import OpenStackConfig
from osc_lib import exceptions
import pytest

from osc_compute_images import api as images
from osc_compute_images.api import clouds
from osc_compute_images.api import in_regions
from osc_compute_images.api._settings import adapter_of
from osc_compute_images.commands.delete import DeleteComputeImage
from osc_compute_images.commands.list import ListComputeImage
from osc_compute_images.commands.show import ShowComputeImage
from testbed import nova
from tests.unit.conftest import set_catalog
from tests.unit.test_commands import App
from tests.unit.test_commands import AUTH
from tests.unit.test_commands import listed
from tests.unit.test_commands import run

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
    return {r.region: r.value or r.error for r in in_regions(apis, names)}


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
    apis = clouds.apis_of_all(config)
    found = results(apis)
    broken, wrong = found.pop(('broken', '')), found.pop(('wrong', ''))
    assert found == {
        ('a', 'RegionOne'): ['cirros-1'],
        ('a', 'RegionTwo'): ['cirros-2'],
        ('b', 'RegionTwo'): ['cirros-2'],
    }
    assert 'The configuration is invalid' in broken.message
    assert isinstance(wrong, images.Unauthorized)
    # Further calls do not log in again.
    with pytest.raises(images.Unauthorized):
        apis['wrong', ''].get('1')
    assert len(logins(http, OTHER_KEYSTONE)) == 1


def test_no_clouds_configured(config_of):
    assert clouds.apis_of_all(config_of()) == {}


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
    with pytest.raises(exceptions.CommandError, match=r'^2 of 2 images'):
        run(app, DeleteComputeImage, *both, 'cirros-1', 'none')
    several, none = (record.message for record in caplog.records)
    assert "2 images have the name or ID 'cirros-1'" in several
    assert 'in these regions' in none
    http.get(f'{TWO}/images/detail', **nova.fault(403, 'forbidden', 'No.'))
    with pytest.raises(exceptions.CommandError, match=r'^1 of 1 images'):
        run(app, DeleteComputeImage, *both, 'cirros-1')
    methods = {r.method for r in http.request_history[sent:]}
    assert 'DELETE' not in methods
