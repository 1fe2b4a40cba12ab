# SPDX-License-Identifier: Apache-2.0

"""Logins, and endpoints from the catalog and the configuration."""

import base64
import re

from keystoneauth1 import http_basic
from keystoneauth1 import token_endpoint
import pytest
import requests

from osc_compute_images import api as images
from osc_compute_images.api import ImagesAPI
from testbed import keystone
from testbed import nova
from tests.unit.conftest import sent
from tests.unit.conftest import set_catalog

EMPTY = {'images': []}
IMAGE = nova.image_id(1)
TOKENS = f'{nova.KEYSTONE}/v3/auth/tokens'
P = nova.PROJECT
SUBJECT = {'X-Subject-Token': nova.TOKEN}
RESET = {'exc': requests.exceptions.ConnectionError('refused')}
MOVED = {'status_code': 302, 'headers': {'Location': 'http://evil.example'}}


def listed(compute):
    return list(ImagesAPI(compute).list_detail())


# -- versions --------------------------------------------------------------


VERSIONED = (
    f'/v2.1 /v2.1/ /v2 /v2.1/{P}/ /v2.1/AUTH_{P} /v2/123456 /v1.1/123456 '
    f'/compute/v2.1 /50%25/v2.1'
)


@pytest.mark.parametrize('path', VERSIONED.split())
def test_endpoint_with_version_takes_no_other_request(http, compute, path):
    set_catalog(http, {'RegionOne': nova.HOST + path})
    http.get(re.compile(nova.HOST), json=EMPTY)
    assert listed(compute) == []
    path = path.rstrip('/')
    assert sent(http) == [f'GET {path}/images/detail?limit=1000']


@pytest.mark.parametrize('override', [False, True])
@pytest.mark.parametrize('path', ['/', '/v2/compute', '/api/v1'])
def test_version_is_looked_for_below_endpoint_without_one(
    http, compute, override, path
):
    url = nova.HOST + path
    set_catalog(http, {'RegionOne': url})
    compute.endpoint_override = url if override else None
    below = url.rstrip('/') + '/v2.1'
    links = [{'rel': 'self', 'href': 'http://evil.example.com/v2.1/'}]
    http.get(f'{below}/', json={'version': {'id': 'v2.1', 'links': links}})
    http.get(f'{below}/images/detail', json=EMPTY)
    api = ImagesAPI(compute)
    assert [*api.list_detail()] == [*api.list_detail()] == []
    # It is looked for once, and the links are ignored.
    found = [r.url for r in http.request_history if r.method == 'GET']
    assert found == [f'{below}/', *[f'{below}/images/detail?limit=1000'] * 2]


@pytest.mark.parametrize(
    ('old', 'new', 'error'),
    [
        ({'status_code': 404}, {'json': {}}, None),
        (MOVED, {'json': {}}, None),
        ({'status_code': 500}, {'status_code': 404}, None),
        ({'status_code': 401}, {}, images.Unauthorized),
        ({'status_code': 503}, {}, images.ServerError),
        (RESET, {}, images.ConnectionFailed),
    ],
)
def test_endpoint_without_version_2_1(http, compute, slept, old, new, error):
    compute.endpoint_override = url = f'{nova.HOST}/images-api'
    http.get(f'{url}/v2.1/', **old)
    http.get(f'{url}/v2/', **new)
    served = '/v2' if 'json' in new else ''
    http.get(f'{url}{served}/images/detail', json=EMPTY)
    if error:
        with pytest.raises(error):
            listed(compute)
        assert {*sent(http)} == {'GET /images-api/v2.1/'}
    else:
        assert listed(compute) == []


# -- endpoint overrides ----------------------------------------------------


@pytest.mark.parametrize(
    ('template', 'wrong'),
    [
        ('%(project_id)', '%(project_id)'),
        ('%(project_id)d', '%(project_id)d'),
        ('a%20b', '%20b'),
        ('50%/', '%'),
        ('%%%s', '%s'),
    ],
)
def test_invalid_template_of_override(http, compute, template, wrong):
    url = f'{nova.HOST}/v2.1/{template}'
    compute.endpoint_override = url.replace('://', '://user:pass@')
    with pytest.raises(images.EndpointNotFound) as caught:
        listed(compute)
    told = f'{url!r} is invalid: there is no value for {wrong!r}.'
    assert told in str(caught.value)
    assert sent(http) == []


@pytest.mark.parametrize(
    ('template', 'filled'),
    [('%(project_id)s', P), ('50%%', '50%25'), ('%%20', '%20')],
)
def test_template_of_override(http, compute, template, filled):
    compute.endpoint_override = f'{nova.HOST}/{template}/v2.1'
    http.get(f'{nova.HOST}/{filled}/v2.1/images/detail', json=EMPTY)
    assert listed(compute) == []


def test_invalid_url(http, compute):
    compute.endpoint_override = 'http://[::1/v2.1'
    with pytest.raises(images.EndpointNotFound, match='is invalid'):
        listed(compute)


# -- catalogs --------------------------------------------------------------


@pytest.mark.parametrize(
    ('region', 'interface', 'shown'),
    [
        ('RegionTwo', None, 'public'),
        ('RegionOne\r', ['internal', 'public'], 'internal or public'),
    ],
)
def test_unknown_region_error_lists_regions(
    http, compute, region, interface, shown
):
    set_catalog(http, {'RegionOne': nova.ENDPOINT, 'North': nova.ENDPOINT})
    compute.region_name, compute.interface = region, interface
    with pytest.raises(images.EndpointNotFound) as caught:
        listed(compute)
    assert str(caught.value) == (
        f'The catalog has no {shown} endpoint of the Compute service in '
        f"region {region!r}; choose from 'North', 'RegionOne'"
    )


def compute_of(**endpoint):
    url = {'interface': 'public', 'region': 'RegionOne', 'url': nova.ENDPOINT}
    endpoints = [{**url, 'id': 'y', **endpoint}]
    return {'type': 'compute', 'name': 'nova', 'endpoints': endpoints}


@pytest.mark.parametrize(
    'answer',
    [
        *(
            {'json': keystone.token({}, catalog=services), 'headers': SUBJECT}
            for services in (
                *([], 7, ['compute'], [compute_of(url=7)]),
                *([{**compute_of(), 'endpoints': x}] for x in (None, [7])),
                *([compute_of(url=[7])], [compute_of(interface=7)]),
            )
        ),
        *(
            {'text': text, 'headers': SUBJECT}
            for text in ('[]', '{"token": null}', '{"token": ', '[' * 100000)
        ),
        {'json': keystone.token({'RegionOne': nova.ENDPOINT})},
        {'status_code': 204},
        {'status_code': 300, 'json': 7},
        {'status_code': 302, 'headers': {'Location': 'http://[x'}},
        # It is not a missing image.
        {'status_code': 404},
    ],
)
def test_malformed_token_or_catalog_is_an_error(http, compute, answer):
    http.post(TOKENS, **answer)
    kinds = images.InvalidResponse, images.EndpointNotFound
    with pytest.raises(kinds, match=r'Keystone|catalog|endpo') as caught:
        ImagesAPI(compute).get_metadata(IMAGE)
    assert len(str(caught.value).splitlines()) == 1
    assert sent(http) == []


# -- logins ----------------------------------------------------------------


@pytest.mark.parametrize(
    ('answer', 'kind', 'message'),
    [
        (nova.fault(503, 'error', 'Moved.'), images.ServerError, 'Moved.'),
        (nova.fault(401, 'error', 'Wrong.'), images.Unauthorized, 'Wrong.'),
        (RESET, images.ConnectionFailed, 'refused'),
        (
            {
                'json': keystone.token({'RegionOne': nova.ENDPOINT}),
                'headers': {'X-Subject-Token': 'secret\nmore'},
            },
            images.ConnectionFailed,
            'an invalid header',
        ),
    ],
)
def test_failed_login_has_message_of_keystone(
    http, compute, slept, answer, kind, message
):
    http.post(TOKENS, **answer)
    for call in (listed, lambda compute: ImagesAPI(compute).delete(IMAGE)):
        with pytest.raises(kind, match=message) as caught:
            call(compute)
        assert 'secret' not in str(caught.value)


def test_login_without_a_password_is_an_images_error(http, compute):
    def missing(*_args, **_kwargs):
        raise Exception('A password\nis missing')  # noqa: TRY002

    compute.session.auth.get_auth_ref = missing
    with pytest.raises(images.ImagesError) as caught:
        listed(compute)
    assert str(caught.value) == 'The login failed: A password is missing'


def test_login_without_a_token_is_no_failed_connection(compute):
    compute.session.auth = token_endpoint.Token(nova.ENDPOINT, '')
    with pytest.raises(images.ImagesError) as caught:
        listed(compute)
    assert type(caught.value) is images.ImagesError
    told = 'The login failed: No valid authentication is available'
    assert str(caught.value) == told


def test_password_that_cannot_be_encoded_is_not_displayed(compute):
    compute.session.auth = http_basic.HTTPBasicAuth(
        endpoint=nova.ENDPOINT, username='user', password='p\udce4ss'
    )
    with pytest.raises(images.ImagesError, match='login failed') as caught:
        listed(compute)
    assert 'ss' not in str(caught.value).replace('surrogates', '')


# -- credentials in URLs ---------------------------------------------------

WITH = nova.ENDPOINT.replace('://', '://us%40er:pass@')
BASIC = 'Basic ' + base64.b64encode(b'us@er:pass').decode()


@pytest.mark.parametrize('in_catalog', [True, False])
@pytest.mark.parametrize(
    'answer',
    [
        {'json': EMPTY},
        {'status_code': 302, 'headers': {'Location': WITH}},
        {'exc': requests.exceptions.ConnectionError(f'at {WITH}')},
        {'exc': requests.exceptions.ReadTimeout},
        {'exc': ValueError(f'at {WITH}')},
    ],
)
def test_credentials_in_url_are_sent_but_never_displayed(
    http, compute, slept, caplog, answer, in_catalog
):
    # It logs the catalog: the commands hide that.
    caplog.set_level('INFO', 'keystoneauth.identity')
    caplog.set_level('DEBUG')
    set_catalog(http, {'RegionOne': WITH})
    if not in_catalog:
        compute.endpoint_override = WITH.replace('%', '%%')
    http.get(nova.DETAIL, **answer)
    shown = [repr(ImagesAPI(compute))]
    assert (f' in {nova.ENDPOINT}>' in shown[0]) is not in_catalog
    try:
        listed(compute)
    except images.ImagesError as e:
        shown.append(str(e))
    assert http.last_request.headers['Authorization'] == BASIC
    shown += [record.getMessage() for record in caplog.records]
    assert len(shown) > 3
    for line in shown:
        # keystoneauth logs the response.
        if not line.startswith('RESP: '):
            assert 'pass@' not in line
            assert 'us%40' not in line
