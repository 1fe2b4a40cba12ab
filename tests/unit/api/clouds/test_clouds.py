# SPDX-License-Identifier: Apache-2.0

"""APIs of regions and clouds from an openstacksdk configuration."""

import datetime

from keystoneauth1 import adapter as ksa_adapter
from openstack import exceptions as sdk_exceptions
from openstack.config import OpenStackConfig
import pytest
import yaml

from osc_compute_images import api as images
from osc_compute_images.api import clouds
from osc_compute_images.api.clouds._adapter import adapter_of
from testbed import nova
from tests.unit.conftest import set_catalog
from tests.unit.running import AUTH
from tests.unit.running import TWO

pytestmark = pytest.mark.timeout(120, func_only=True)

DATE = datetime.date(2026, 1, 1)
LOGIN = f'{nova.KEYSTONE}/v3/auth/tokens'


def entry(**settings):
    """Return a cloud without a region."""
    return {'auth_type': 'v3password', 'auth': AUTH, **settings}


@pytest.fixture
def config_of(tmp_path, set_variables):
    """Return a function that makes a configuration of these clouds."""
    set_variables({})

    def make(odd=(), /, *, secure=None, profile=None, **entries):
        files = {
            'clouds': {'clouds': {**entries, **dict(odd)}},
            'secure': {'clouds': secure or {}},
            'clouds-public': {'public-clouds': {'public': profile}},
        }
        paths = {name: tmp_path / f'{name}.yaml' for name in files}
        for name, content in files.items():
            paths[name].write_text(yaml.safe_dump(content))
        return OpenStackConfig(
            config_files=[str(paths['clouds'])],
            secure_files=[str(paths['secure'])],
            vendor_files=[str(paths['clouds-public'])],
        )

    return make


def names(api):
    return [image.name for image in api.list_detail()]


def results(apis):
    return {r.region: r.unwrap() for r in images.in_regions(apis, names)}


def logins(http, url=LOGIN):
    return [r for r in http.request_history if r.url == url]


# --- regions --------------------------------------------------------------


@pytest.mark.parametrize(
    ('settings', 'regions'),
    [
        *(
            (settings, ['1', 'two'])
            for settings in (
                *({}, {'region_name': 'two'}, {'region_name': None}),
                # This setting would override each region's own name.
                *({'compute_region_name': 'two'}, {'region_name': '1,two'}),
                # YAML does not read these as text.
                *({'region-name': 1}, {'region_name': [1, 'two']}),
                *({'compute_region_name': 1}, {'regions': ['two', 1, 1]}),
                *({'regions': None}, {'profile': {'regions': ['two', 1]}}),
                {'profile': {'region_name': 1}},
            )
        ),
        ({'regions': [{'name': 'two', 'values': None}]}, ['two']),
        ({'regions': [{'name': 1, 'values': {'interface': 'public'}}]}, ['1']),
    ],
)
def test_regions_of_a_cloud(http, two_regions, config_of, settings, regions):
    set_catalog(http, {'1': nova.ENDPOINT, 'two': TWO})
    profile = settings.get('profile')
    named = {'profile': 'public'} if profile else {}
    config = config_of(mycloud=entry(**settings | named), profile=profile)
    apis = clouds.apis_of(config)
    if settings.get('regions') or (profile and 'regions' in profile):
        # The catalog is not needed.
        assert not logins(http)
    assert [*apis] == regions
    expected = {'1': ['cirros-1'], 'two': ['cirros-2']}
    assert results(apis) == {region: expected[region] for region in regions}
    assert len(logins(http)) == 1


def test_apis_of_all_clouds(http, two_regions, config_of, monkeypatch):
    assert clouds.apis_of_all(config_of()) == ({}, {})
    monkeypatch.setenv('OS_USERNAME', 'somebody')
    monkeypatch.setenv('OS_PASSWORD', 'secret')
    others = {
        name: entry(auth={**AUTH, 'auth_url': f'http://{name}.example.com/v3'})
        for name in ('moved', 'wrong')
    }
    config = config_of(a=entry(), b=entry(regions=['RegionTwo']), **others)
    wrong = 'http://wrong.example.com/v3/auth/tokens'
    http.post(wrong, **nova.fault(401, 'error', 'No.'))
    http.post(
        'http://moved.example.com/v3/auth/tokens',
        status_code=307,
        headers={'Location': LOGIN},
    )
    apis, errors = clouds.apis_of_all(config)
    assert results(apis) == {
        ('a', 'RegionOne'): ['cirros-1'],
        ('a', 'RegionTwo'): ['cirros-2'],
        ('b', 'RegionTwo'): ['cirros-2'],
    }
    # Nor is a password sent to where a login is redirected to.
    assert errors.keys() == {'moved', 'wrong'}
    assert isinstance(errors['wrong'], images.Unauthorized)
    assert (len(logins(http, wrong)), len(logins(http))) == (1, 2)


def test_api_of_cloud(http, two_regions, config_of, monkeypatch):
    monkeypatch.setenv('OS_CLOUD', 'one')
    config = config_of(
        one=entry(compute_region_name='RegionOne'),
        both=entry(regions=['RegionTwo', 'RegionOne']),
    )
    api = clouds.api_of(config)
    assert type(api.adapter) is ksa_adapter.Adapter
    assert not http.request_history
    assert names(api) == names(clouds.api_of(config, 'one')) == ['cirros-1']
    assert names(clouds.api_of(config, 'one', 'RegionTwo')) == ['cirros-2']
    assert names(clouds.api_of(config, 'both')) == ['cirros-2']
    assert names(clouds.api_of(config, 'both', 'RegionOne')) == ['cirros-1']
    elsewhere = clouds.api_of(config, 'one', 'Elsewhere')
    with pytest.raises(images.EndpointNotFound, match="region 'Elsewhere'"):
        names(elsewhere)
    for wrong in (('both', 'Elsewhere'), ('none',)):
        with pytest.raises(sdk_exceptions.ConfigException):
            clouds.api_of(config, *wrong)


MAPPING = 'and not a mapping'
PROFILE = entry(profile='public')


@pytest.mark.parametrize(
    ('cloud', 'message', 'more'),
    [
        (entry(regions=[DATE]), f'region as {DATE!r:.13}', {}),
        (entry(regions=[{'name': False}]), 'a region as False', {}),
        (entry(region_name={'a': 1}), 'name of a region as {', {}),
        (entry(regions='a'), '"regions" is of type str, and not a list', {}),
        (entry(regions=[{}]), 'a region has no "name"', {}),
        (entry(regions=[{'name': 'a', 'values': 7}]), '"values" of a re', {}),
        (entry(regions=[{'name': 'a', 'values': {1: 2}}]), 'setting as 1', {}),
        (entry(auth=None), f'"auth" is empty, {MAPPING}', {}),
        (entry(auth={}), 'Auth plugin requires parameters', {}),
        (entry(auth_type='odd'), 'The plugin odd could not be found', {}),
        (entry(api_timeout='long'), "ValueError: could not .* 'long'", {}),
        (entry(profile=['secret']), 'TypeError: .*unhashable', {}),
        (['secret'], f'the cloud is of type list, {MAPPING}', {}),
        (entry(), f'the cloud is empty, {MAPPING}', {'secure': {'x': None}}),
        (PROFILE, 'as False', {'profile': {'regions': [False, 'a']}}),
        (PROFILE, 'AttributeError', {'profile': 'secret'}),
    ],
)
def test_malformed_entry_is_one_error(
    http, two_regions, config_of, cloud, message, more
):
    good = entry(regions=['RegionOne'])
    config = config_of({'x': cloud}, good=good, **more)
    apis, errors = clouds.apis_of_all(config)
    assert results(apis) == {('good', 'RegionOne'): ['cirros-1']}
    for function in (clouds.api_of, clouds.apis_of):
        with pytest.raises(images.ImagesError, match=message) as e:
            function(config, 'x')
        assert str(e.value) == str(errors['x'])
    assert str(errors['x']).startswith('The configuration is invalid: ')
    assert 'secret' not in str(errors['x'])


@pytest.mark.parametrize('name', [False, 1, None, DATE, 1.5])
def test_name_of_a_cloud_that_is_no_text(two_regions, config_of, name):
    # It may be that of the only cloud.
    config = config_of({name: entry()})
    assert [*clouds.apis_of(config)] == ['RegionOne', 'RegionTwo']
    assert names(clouds.api_of(config, region='RegionTwo')) == ['cirros-2']
    good = entry(regions=['RegionOne'])
    config = config_of({name: good}, good=good, secure={name: {'auth': AUTH}})
    apis, errors = clouds.apis_of_all(config)
    assert [*apis] == [('good', 'RegionOne')]
    assert [*errors] == [str(name)]
    assert f'the cloud as {name!r}, and not as text' in str(errors[str(name)])
    with pytest.raises(images.ImagesError, match="no cloud 'no'; YAML reads"):
        clouds.api_of(config, 'no')


# --- the catalog ----------------------------------------------------------


def serve_catalog(http, endpoints):
    """Serve a catalog with these endpoints of Compute, as they are."""
    service = {'type': 'compute', 'name': 'nova', 'endpoints': endpoints}
    set_catalog(http, {}, catalog=[service])


def endpoint(interface, url, region):
    ids = {'region': region, 'region_id': region}
    return {'interface': interface, 'url': url, 'id': url, **ids}


ONE = {'': ['cirros-1']}
NAMED = endpoint('public', TWO, 'Two')
UNNAMED = endpoint('public', nova.ENDPOINT, None)


@pytest.mark.parametrize(
    ('endpoints', 'settings', 'expected'),
    [
        # Those without a region form one.
        ([UNNAMED], {}, ONE),
        ([NAMED, UNNAMED], {}, {**ONE, 'Two': ['cirros-2']}),
        (
            [endpoint('internal', nova.ENDPOINT, 'One'), NAMED],
            {'interface': ['internal', 'public']},
            {'One': ['cirros-1'], 'Two': ['cirros-2']},
        ),
        # There is no catalog.
        (
            [],
            {
                'auth_type': 'admin_token',
                'auth': {'endpoint': nova.ENDPOINT, 'token': 't'},
                'region_name': 'One',
            },
            {'One': ['cirros-1']},
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
    ('endpoints', 'settings', 'message'),
    [
        *(
            (garbage, {}, 'catalog')
            for garbage in (
                *(None, [None], [{'region': 7}], 'x', [SEVEN]),
                [SEVEN, {**SEVEN, 'id': 1}],
            )
        ),
        ([], {}, 'No region in the catalog'),
        ([NAMED], {'compute_endpoint_override': TWO}, 'overrides the Compute'),
        ([NAMED], {'connect_retries': 'many'}, 'connect_retries is invalid'),
    ],
)
def test_regions_cannot_be_determined(
    http, config_of, endpoints, settings, message
):
    serve_catalog(http, endpoints)
    with pytest.raises(images.ImagesError, match=message) as caught:
        clouds.apis_of(config_of(mycloud=entry(**settings)))
    is_missing = isinstance(caught.value, images.EndpointNotFound)
    assert is_missing is (endpoints == [])


@pytest.mark.parametrize('value', [20, {'compute': 20, 'image': 5}])
def test_limits_of_requests(config_of, value):
    # openstacksdk reads the numbers as text.
    settings = {'rate_limit': value, 'concurrency': value}
    adapter = clouds.api_of(config_of(mycloud=entry(**settings))).adapter
    limits = vars(adapter._rate_semaphore)
    assert limits['_rate_delay'] == 1 / 20
    assert limits['_concurrency'] == 20


def test_regions_share_login_if_credentials_are_equal(config_of):
    for ours, theirs, shared in (
        ({}, {}, True),
        ({'interface': 'internal'}, {}, True),
        ({'auth': {'password': 'other'}}, {}, False),
        ({'cacert': '/a.pem'}, {}, False),
        ({'verify': False}, {'verify': False}, True),
        ({'auth_type': 'password'}, {}, False),
    ):
        values = {'RegionOne': ours, 'RegionTwo': theirs}
        regions = [{'name': k, 'values': v} for k, v in values.items()]
        apis = clouds.apis_of(config_of(mycloud=entry(regions=regions)))
        one, two = (api.adapter.session for api in apis.values())
        assert one is not two
        assert (one.auth is two.auth) is shared


@pytest.mark.parametrize(
    ('values', 'count'),
    [
        # Without values, the regions of the catalog.
        (None, 1),
        ({}, 1),
        # The password of another user.
        ({'auth': {'username': 'other'}}, 2),
    ],
)
def test_password_is_asked_for_once(
    http, two_regions, config_of, values, count
):
    without = {k: v for k, v in AUTH.items() if k != 'password'}
    two = {'name': 'RegionTwo', 'values': values}
    regions = {} if values is None else {'regions': ['RegionOne', two]}
    config = config_of(mycloud=entry(auth=without, **regions))
    prompts = []
    config._pw_callback = lambda prompt: prompts.append(prompt) or 'secret'
    apis = clouds.apis_of(config)
    assert [*results(apis)] == ['RegionOne', 'RegionTwo']
    assert len(prompts) == count
    sent = [r.json()['auth']['identity']['password'] for r in logins(http)]
    assert [s['user']['password'] for s in sent] == ['secret'] * count


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
    adapter = adapter_of(region, None, interface='public')
    assert adapter.interface == 'public'
