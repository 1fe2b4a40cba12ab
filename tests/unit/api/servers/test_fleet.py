# SPDX-License-Identifier: Apache-2.0

"""The servers of all regions that share, or may share, an Image service."""

import time

from keystoneauth1 import adapter
from keystoneauth1 import fixture
from keystoneauth1 import noauth
from keystoneauth1 import session
import pytest

from osc_compute_images.api import Forbidden
from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api.records._image import ServerRef
from osc_compute_images.api.servers.fleet import Fleet
from testbed import fleet as testbed
from testbed import keystone
from testbed import nova
from testbed.fleet import server
from tests.unit.conftest import new_session
from tests.unit.conftest import set_catalog

GLANCE = 'http://glance.example.com'
OTHER = 'http://nova2.example.com:8774/v2.1'
COMPUTE = {'RegionOne': nova.ENDPOINT, 'RegionTwo': OTHER}
LIST = 'GET /servers/detail'
SHARED = dict.fromkeys(COMPUTE, GLANCE)
APART = {name: f'http://{name}.example.com/image' for name in COMPUTE}


@pytest.fixture
def clouds(http):
    """Serve two regions, with a server each."""
    set_catalog(http, COMPUTE, APART)
    return [
        testbed.Fleet([], [server(name, name, image=name)]).serve(http, url)
        for name, url in (('one', nova.ENDPOINT), ('two', OTHER))
    ]


def api_of(region, login=None, **options):
    options |= {'service_type': 'compute', 'region_name': region}
    return ImagesAPI(adapter.Adapter(login or new_session(), **options))


def read(*apis, **options):
    fleet = Fleet(apis, **options)
    fleet.refresh()
    return fleet


def ids(listed):
    return {s.id for s in listed.servers}


@pytest.mark.parametrize(
    ('images', 'is_read'),
    [
        (SHARED, True),
        # The version, the slash, the scheme, the case and the port that it
        # has do not matter.
        ({**SHARED, 'RegionOne': 'https://GLANCE.example.com/v2/'}, True),
        ({**SHARED, 'RegionOne': 'https://glance.example.com:443//v2'}, True),
        ({**SHARED, 'RegionOne': f'{GLANCE}:80'}, True),
        ({**SHARED, 'RegionOne': f'{GLANCE}:9292'}, False),
        # It is unknown.
        ({}, True),
        ({'RegionOne': GLANCE}, True),
        ({'RegionTwo': GLANCE}, True),
        # An endpoint without a region is that of all.
        ({**APART, None: GLANCE}, True),
        # So is that of a catalog with an endpoint that cannot be read.
        ({**APART, 'other': 'http://[x'}, True),
        (APART, False),
        ({**SHARED, 'RegionOne': f'{GLANCE}/one'}, False),
    ],
)
def test_other_region_is_read_unless_it_has_other_images(
    http, clouds, images, is_read
):
    set_catalog(http, COMPUTE, images)
    api = api_of('RegionOne')
    listed = read(api).servers(api)
    assert ids(listed) == ({'one', 'two'} if is_read else {'one'})
    assert bool(clouds[1].requests) is is_read
    # Without a fleet, too.
    assert api.usage([]).is_used(Image(id='two')) is is_read


def test_endpoint_that_cannot_be_read_is_a_gap(http, clouds):
    """Any region may have it, and share the images."""
    set_catalog(http, {**COMPUTE, 'other': 'http://[x'}, APART)
    api = api_of('RegionOne')
    told = 'the catalog has an invalid endpoint of Compute'
    fleet = read(api)
    image = Image(id='x', server=ServerRef('one'))
    for listed in (fleet.servers(api), fleet.servers_of(api, [image])):
        assert [gap.startswith(told) for gap in listed.gaps] == [True]
        assert ids(listed) == {'one'}


def test_other_region_without_a_name_is_read(http, clouds):
    computes = {'RegionOne': nova.ENDPOINT, None: OTHER}
    set_catalog(http, computes, {None: GLANCE})
    api = api_of('RegionOne')
    assert ids(read(api).servers(api)) == {'one', 'two'}


# Without the name of its own region, that is found in the catalog.
@pytest.mark.parametrize(
    ('region', 'options'),
    [(None, {}), ('RegionOne', {'endpoint_override': nova.ENDPOINT})],
)
def test_other_region_is_read_with_the_settings_of_the_first(
    http, clouds, region, options
):
    set_catalog(http, COMPUTE, SHARED)
    api = api_of(region, user_agent='x', **options)
    assert ids(read(api).servers(api)) == {'one', 'two'}
    assert [c.requests for c in clouds] == [[LIST]] * 2
    agent = http.last_request.headers['User-Agent']
    assert agent.split()[0] == 'x'


# Of one region in the catalog, it is that one, which may be unreachable.
@pytest.mark.parametrize('names', [COMPUTE, ['RegionTwo']])
def test_override_without_region_may_be_of_any(http, clouds, names):
    catalog = {name: COMPUTE[name] for name in names}
    set_catalog(http, catalog, SHARED)
    api = api_of(None, endpoint_override=OTHER)
    assert len(ids(read(api).servers(api))) == len(names)
    assert clouds[1].requests == [LIST] * len(names)


def test_other_region_may_have_another_interface(http, clouds):
    token = fixture.V3Token(project_id=nova.PROJECT)
    service = token.add_service('compute')
    service.add_endpoint('internal', nova.ENDPOINT, region='RegionOne')
    service.add_endpoint('public', OTHER, region='RegionTwo')
    headers = {'X-Subject-Token': nova.TOKEN}
    http.post(f'{nova.KEYSTONE}/v3/auth/tokens', json=token, headers=headers)
    api = api_of('RegionOne', interface=['internal', 'public'])
    assert ids(read(api).servers(api)) == {'one', 'two'}


@pytest.mark.parametrize('interface', ['public', 'internal'])
def test_url_of_another_interface_shows_the_same_images(
    http, clouds, interface
):
    token = keystone.token(COMPUTE, APART)
    _compute, image = token['token']['catalog']
    for endpoint in image['endpoints']:
        if endpoint['interface'] == 'internal':
            endpoint['url'] = GLANCE
    headers = {'X-Subject-Token': nova.TOKEN}
    http.post(f'{nova.KEYSTONE}/v3/auth/tokens', json=token, headers=headers)
    api = api_of('RegionOne', interface=interface)
    assert ids(read(api).servers(api)) == {'one', 'two'}


def test_each_region_is_read_once(http, clouds):
    set_catalog(http, COMPUTE, SHARED)
    login = new_session()
    read(*(api_of(region, login) for region in COMPUTE))
    assert [c.requests for c in clouds] == [[LIST]] * 2
    # Another name of the endpoint is no other region.
    clouds[0].requests.clear()
    set_catalog(http, {'RegionOne': nova.ENDPOINT, 'alias': nova.ENDPOINT})
    read(api_of('RegionOne'))
    assert clouds[0].requests == [LIST]


def test_what_any_selected_region_uses_is_used_in_all(http, clouds):
    clouds[1].servers['unread'] = {'id': 'unread', 'status': 'UNKNOWN'}
    one, two = (api_of(region) for region in COMPUTE)
    fleet = read(one, two)
    assert ids(fleet.servers(one)) == {'one', 'two', 'unread'}
    # But an image of another service is no image of this one.
    assert not fleet.servers(one).gaps
    assert fleet.servers(two).gaps


def fail(_method, path):
    if path.startswith('/servers'):
        raise OSError('down')


@pytest.mark.parametrize(
    ('images', 'logins', 'image', 'is_gap'),
    [
        *((SHARED, 1, 'b', True), (APART, 1, 'b', False)),
        # If the catalog does not tell, they may be shared.
        ({}, 1, 'b', True),
        # But two clouds whose catalogs do not tell are not taken for one.
        *((SHARED, 2, 'b', True), (APART, 2, 'b', False), ({}, 2, 'b', False)),
        # Regions that list the same images share them.
        *((APART, 1, 'a', True), (APART, 2, 'a', True)),
    ],
)
def test_region_that_fails_is_a_gap_where_images_are_shared(
    http, clouds, slept, images, logins, image, is_gap
):
    set_catalog(http, COMPUTE, images)
    login, apis = new_session(), []
    for region, url in COMPUTE.items():
        if logins == 2:
            set_catalog(http, {region: url}, images)
            login = new_session()
        apis.append(api_of(region, login))
        apis[-1].adapter.get_endpoint()
    clouds[1].before = fail
    fleet = Fleet(apis)
    for api, noted in zip(apis, (['x', 'a'], [image, 'y']), strict=True):
        fleet.note_images(api, noted)
    fleet.refresh()
    told = 'region RegionTwo shares the Image service, and its servers cannot'
    gaps = [gap.startswith(told) for gap in fleet.servers(apis[0]).gaps]
    assert gaps == [True] * is_gap
    for _twice in range(2):
        with pytest.raises(ImagesError, match='down'):
            fleet.servers(apis[1])


def test_region_that_fails_shares_images_by_way_of_another(
    http, clouds, slept
):
    url = 'http://nova3.example.com:8774/v2.1'
    http.get(f'{url}/servers/detail', exc=OSError('down'))
    third = {'RegionThree': APART['RegionTwo']}
    set_catalog(http, {**COMPUTE, 'RegionThree': url}, APART | third)
    one, two = (api_of(region) for region in COMPUTE)
    for noted, gaps in (['a', 0], ['b', 1]):
        fleet = Fleet([one, two])
        fleet.note_images(one, ['b'])
        fleet.note_images(two, [noted])
        fleet.refresh()
        assert len(fleet.servers(one).gaps) == gaps
        assert len(fleet.servers(two).gaps) == 1


def test_region_that_fails_later_is_a_gap(http, clouds, slept):
    set_catalog(http, COMPUTE, SHARED)
    api = api_of('RegionOne')
    # The gaps of the other region are gaps.
    clouds[1].servers['x'] = None
    clouds[1].is_admin = clouds[1].has_microversions = False
    fleet = read(api)
    listed = fleet.servers(api)
    assert listed.gaps == ('1 servers are invalid in the list',)
    assert not listed.all_projects
    assert not listed.shows_down_cells
    clouds[1].before = fail
    time.sleep(100)
    fleet.refresh()
    assert ids(fleet.servers(api)) == {'one'}
    assert len(fleet.servers(api).gaps) == 1
    # It is asked for where it was listed.
    with pytest.raises(ImagesError, match='down'):
        [*fleet.server(api, 'two')]


@pytest.mark.parametrize(('takes', 'lasts'), [(0, 1), (0.1, 1), (10, 40)])
def test_servers_are_used_for_a_second_or_four_times_as_long_as_they_took(
    clouds, slept, takes, lasts
):
    clouds[0].before = lambda _method, _path: time.sleep(takes)
    api = api_of('RegionOne')
    fleet = read(api)
    time.sleep(lasts * 0.9)
    fleet.refresh()
    clouds[0].servers.clear()
    assert ids(fleet.servers(api)) == {'one'}
    time.sleep(lasts * 0.2)
    fleet.refresh()
    assert ids(fleet.servers(api)) == set()


@pytest.mark.parametrize('all_projects', [True, False])
def test_all_projects_never_become_the_own_one(clouds, slept, all_projects):
    api = api_of('RegionOne')
    clouds[0].is_admin = not all_projects
    fleet = read(api, all_projects=all_projects)
    if not all_projects:
        assert fleet.servers(api).all_projects
        clouds[0].is_admin = False
        time.sleep(100)
        fleet.refresh()
    with pytest.raises(Forbidden):
        fleet.servers(api)


def test_server_is_asked_for_where_it_was_listed(http, clouds):
    set_catalog(http, COMPUTE, SHARED)
    api = api_of('RegionOne')
    fleet = read(api)
    for cloud in clouds:
        cloud.requests.clear()
    assert [s.name for s in fleet.server(api, 'two')] == ['two']
    assert clouds[0].requests == []
    # Others may exist anywhere.
    assert [*fleet.server(api, 'x')] == []
    assert [c.requests[-1] for c in clouds] == ['GET /servers/x'] * 2


def test_login_without_a_catalog_has_one_region(clouds):
    plugin = noauth.NoAuth(endpoint=nova.ENDPOINT)
    api = api_of(None, session.Session(plugin))
    assert ids(read(api).servers(api)) == {'one'}
    assert clouds[1].requests == []
