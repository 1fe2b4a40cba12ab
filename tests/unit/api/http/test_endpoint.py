# SPDX-License-Identifier: Apache-2.0

"""Endpoints, from the catalog and the configuration."""

import base64
import re

from keystoneauth1 import adapter
from keystoneauth1 import fixture
import pytest
import requests
import requests_mock

from osc_compute_images import api as images
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api.http import _locator
from osc_compute_images.api.http import Client
from testbed import nova
from tests.unit.conftest import new_session
from tests.unit.conftest import sent
from tests.unit.conftest import set_catalog

EMPTY = {'images': []}
TOKENS = f'{nova.KEYSTONE}/v3/auth/tokens'
P = nova.PROJECT


@pytest.mark.parametrize(
    ('url', 'root'),
    [
        ('http://h/v2.1', 'http://h/v2.1'),
        ('http://h/v2.1/', 'http://h/v2.1'),
        ('http://h/v2', 'http://h/v2'),
        (f'http://h/v2.1/{P}', 'http://h/v2.1'),
        (f'http://h/v2.1/{P}/', 'http://h/v2.1'),
        (f'http://h/v2.1/AUTH_{P}', 'http://h/v2.1'),
        ('http://h/v2/123456', 'http://h/v2'),
        ('http://h/v1.1/123456', 'http://h/v1.1'),
        ('http://h/v1/compute', None),
        ('http://h/v2/compute', None),
        ('http://h/api/v1', None),
        ('http://h/compute', None),
        ('http://h', None),
        ('http://v2.1', None),
        ('http://v2/v2', 'http://v2/v2'),
    ],
)
def test_version_root(url, root):
    assert _locator._version_root(url) == root


@pytest.mark.parametrize('url', ['/v1/compute', '/v2/compute', '/v1'])
def test_path_that_looks_like_a_version_is_not_one(http, compute, url):
    base = nova.HOST + url
    set_catalog(http, {'RegionOne': base})
    http.get(f'{base}/v2.1/', json={})
    http.get(f'{base}/v2.1/images/detail', json=EMPTY)
    assert list(ImagesAPI(compute).list_detail()) == []


@pytest.mark.parametrize(
    ('template', 'reason'),
    [
        ('%(tenant_id)s', "no value for '%(tenant_id)s'."),
        ('%(project_id)', "no value for '%(project_id)'."),
        ('%(project_id)d', "no value for '%(project_id)d'."),
        ('%()s', "no value for '%()s'."),
        ('a%20b', "no value for '%20b'."),
        ('50%', "no value for '%'."),
        ('50%/', "no value for '%'."),
        ('%s', "no value for '%s'."),
        ('%%%d', "no value for '%d'."),
    ],
)
def test_invalid_template_is_reported(http, ksa_session, template, reason):
    url = f'{nova.HOST}/v2.1/{template}'
    compute = adapter.Adapter(ksa_session, endpoint_override=url)
    with pytest.raises(images.EndpointNotFound) as caught:
        list(ImagesAPI(compute).list_detail())
    assert f'The endpoint override {url!r} is invalid' in str(caught.value)
    assert reason in str(caught.value)
    assert sent(http) == []


@pytest.mark.parametrize(
    ('template', 'filled'),
    [
        ('%(project_id)s', nova.PROJECT),
        ('50%%', '50%25'),
        ('%%20', '%20'),
    ],
)
def test_template_of_endpoint_override(http, ksa_session, template, filled):
    url = f'{nova.HOST}/{template}/v2.1'
    compute = adapter.Adapter(ksa_session, endpoint_override=url)
    http.get(f'{nova.HOST}/{filled}/v2.1/images/detail', json=EMPTY)
    assert list(ImagesAPI(compute).list_detail()) == []


def test_template_without_project_is_an_error(http):
    token = fixture.V3Token()
    http.post(TOKENS, json=token, headers={'X-Subject-Token': 'x'})
    compute = adapter.Adapter(
        new_session(), endpoint_override=f'{nova.HOST}/v2/%(project_id)s'
    )
    with pytest.raises(images.EndpointNotFound, match='no value for'):
        list(ImagesAPI(compute).list_detail())


@pytest.mark.parametrize('region', ['RegionTwo', 'RegionOne ', 'RegionOne\r'])
def test_unknown_region_error_lists_regions(http, ksa_session, region):
    set_catalog(http, {'RegionOne': nova.ENDPOINT, 'North': nova.ENDPOINT})
    compute = adapter.Adapter(
        ksa_session, service_type='compute', region_name=region
    )
    with pytest.raises(images.EndpointNotFound) as caught:
        list(ImagesAPI(compute).list_detail())
    assert str(caught.value) == (
        f'The catalog has no public endpoint of the Compute service in region '
        f"{region!r}; choose from 'North', 'RegionOne'"
    )


def test_unknown_region_error_names_interfaces(http, ksa_session):
    compute = adapter.Adapter(
        ksa_session,
        service_type='compute',
        region_name='x',
        interface=['internal', 'public'],
    )
    with pytest.raises(images.EndpointNotFound) as caught:
        list(ImagesAPI(compute).list_detail())
    assert 'internal or public endpoint' in str(caught.value)


def catalog(endpoint):
    token = fixture.V3Token(project_id=P)
    token.set_project_scope(id=P)
    token['token']['catalog'] = endpoint
    return token


def compute_of(**endpoint):
    url = {'interface': 'public', 'region': 'RegionOne', 'url': nova.ENDPOINT}
    return [
        {
            'type': 'compute',
            'name': 'nova',
            'id': 'x',
            'endpoints': [{**url, 'id': 'y', **endpoint}],
        }
    ]


SUBJECT = {'X-Subject-Token': nova.TOKEN}
GARBAGE = {
    'a URL that is a number': (catalog(compute_of(url=8774)), SUBJECT),
    'a URL that is a list': (catalog(compute_of(url=['a'])), SUBJECT),
    'endpoints that are null': (
        catalog([{'type': 'compute', 'name': 'nova', 'endpoints': None}]),
        SUBJECT,
    ),
    'endpoints that are numbers': (
        catalog([{'type': 'compute', 'name': 'nova', 'endpoints': [7]}]),
        SUBJECT,
    ),
    'a catalog that is a number': (catalog(7), SUBJECT),
    'services that are texts': (catalog(['compute']), SUBJECT),
    'an interface that is a number': (
        catalog(compute_of(interface=7)),
        SUBJECT,
    ),
    'no token in the headers': (catalog(compute_of()), {}),
    'no token in the body': ({'token': None}, SUBJECT),
    'a body that is a list': ([], SUBJECT),
}


@pytest.mark.parametrize(
    ('body', 'headers'), GARBAGE.values(), ids=GARBAGE.keys()
)
def test_malformed_catalog_error_is_one_line(http, compute, body, headers):
    http.post(TOKENS, json=body, headers=headers)
    with pytest.raises(images.ImagesError) as caught:
        list(ImagesAPI(compute).list_detail())
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert 'catalog' in text or 'endpoint' in text
    assert sent(http) == []


#: Responses of Keystone without a token.
NO_TOKENS = {
    'no token in the headers': {'json': catalog(compute_of())},
    'no JSON': {'text': '<html>Hi</html>', 'headers': SUBJECT},
    'truncated JSON': {'text': '{"token": ', 'headers': SUBJECT},
    'deeply nested JSON': {'text': '[' * 100000, 'headers': SUBJECT},
    'a list': {'json': [], 'headers': SUBJECT},
    'nothing': {'status_code': 204},
    'a number': {'status_code': 300, 'json': 7},
    'a redirect to an invalid URL': {
        'status_code': 302,
        'headers': {'Location': 'http://[x'},
    },
}
IMAGE = nova.image_id(1)
REQUESTS = {
    'list': lambda api: list(api.list_detail(images.ListOpts(limit=2))),
    'get': lambda api: api.get(IMAGE),
    'set': lambda api: api.update_metadata(IMAGE, {'a': 'b'}),
    'unset': lambda api: api.delete_metadata_item(IMAGE, 'a'),
    'delete': lambda api: api.delete(IMAGE),
}


@pytest.mark.parametrize('request_', REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize('response', NO_TOKENS.values(), ids=NO_TOKENS)
def test_malformed_new_token_is_an_error_of_one_line(
    http, ksa_session, response, request_
):
    token = {'json': catalog(compute_of()), 'headers': SUBJECT}
    http.post(TOKENS, [token, response])
    http.register_uri(
        requests_mock.ANY,
        re.compile(re.escape(nova.ENDPOINT)),
        status_code=401,
    )
    page = nova.page(nova.images(1, 2))
    http.get(nova.DETAIL, [{'json': page}, {'status_code': 401}])
    compute = adapter.Adapter(ksa_session, service_type='compute')
    with pytest.raises(images.ImagesError, match='from Keystone') as caught:
        request_(ImagesAPI(compute))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize('body', [[], {'token': None}])
def test_malformed_token_for_endpoint_override(http, ksa_session, body):
    http.post(TOKENS, json=body, headers=SUBJECT)
    compute = adapter.Adapter(
        ksa_session, endpoint_override=f'{nova.HOST}/v2/%(project_id)s'
    )
    with pytest.raises(images.InvalidResponse, match='from Keystone'):
        list(ImagesAPI(compute).list_detail())


def test_login_with_malformed_token_is_an_images_error(http, compute):
    http.post(TOKENS, text='[')
    with pytest.raises(images.InvalidResponse, match='from Keystone'):
        Client(compute).log_in()


def test_invalid_token_is_not_shown(http, compute):
    token = {'X-Subject-Token': 'secret\nmore'}
    http.post(TOKENS, json=catalog(compute_of()), headers=token)
    with pytest.raises(images.ConnectionFailed, match='header') as caught:
        list(ImagesAPI(compute).list_detail())
    assert 'secret' not in str(caught.value)


def test_exception_of_a_hook_is_raised_unchanged(http, compute):
    def hook(response, **_kwargs):
        if response.url.startswith(nova.DETAIL):
            raise KeyError('mine')

    http.get(nova.DETAIL, json=EMPTY)
    compute.session.session.hooks['response'].append(hook)
    with pytest.raises(KeyError, match='mine'):
        list(ImagesAPI(compute).list_detail())


def test_unknown_region_error_with_regions_of_mixed_types(http, ksa_session):
    several = [*compute_of(region=7), *compute_of(region='RegionOne')]
    http.post(TOKENS, json=catalog(several), headers=SUBJECT)
    compute = adapter.Adapter(
        ksa_session, service_type='compute', region_name='x'
    )
    with pytest.raises(images.EndpointNotFound, match="region 'x'"):
        list(ImagesAPI(compute).list_detail())


@pytest.mark.parametrize('url', ['http://[', 'http://[::1/v2.1'])
def test_invalid_endpoint_override(http, ksa_session, url):
    compute = adapter.Adapter(ksa_session, endpoint_override=url)
    with pytest.raises(images.EndpointNotFound, match='is invalid'):
        list(ImagesAPI(compute).list_detail())


# -- credentials in URLs ---------------------------------------------------

WITH = nova.ENDPOINT.replace('://', '://us%40er:pass@')
BASIC = 'Basic ' + base64.b64encode(b'us@er:pass').decode()


@pytest.mark.parametrize('in_catalog', [True, False])
@pytest.mark.parametrize(
    'answer',
    [
        {'json': EMPTY},
        {'status_code': 302, 'headers': {'Location': WITH}},
        {'status_code': 304},
        {'status_code': 400, 'text': f'No such thing at {WITH}'},
        {'exc': requests.exceptions.ConnectionError(f'at {WITH}')},
        {'exc': requests.exceptions.ReadTimeout},
        {'exc': requests.exceptions.InvalidURL(f'at {WITH}')},
        {'exc': ValueError(f'at {WITH}')},
        {'exc': MemoryError()},
    ],
)
def test_credentials_in_url_are_sent_but_never_displayed(
    http, ksa_session, slept, caplog, answer, in_catalog
):
    caplog.set_level('DEBUG')
    set_catalog(http, {'RegionOne': WITH})
    compute = adapter.Adapter(
        ksa_session,
        service_type='compute',
        endpoint_override=None if in_catalog else WITH.replace('%', '%%'),
    )
    http.get(nova.DETAIL, **answer)
    text = ''
    try:
        list(ImagesAPI(compute).list_detail())
    except images.ImagesError as e:
        text = str(e)
    assert http.last_request.headers['Authorization'] == BASIC
    shown = text + ''.join(
        record.getMessage()
        for record in caplog.records
        # It logs the catalog: the commands hide that.
        if record.name != 'keystoneauth.identity.v3.base'
        # It logs the response.
        and not record.getMessage().startswith('RESP: ')
    )
    assert 'pass@' not in shown
    assert 'us%40er' not in shown


def test_repr_has_no_credentials(ksa_session):
    compute = adapter.Adapter(ksa_session, endpoint_override=WITH)
    assert repr(ImagesAPI(compute)) == f'<ImagesAPI in {nova.ENDPOINT}>'


def test_log_in_obtains_a_token(http, compute, slept):
    Client(compute).log_in()
    Client(compute).log_in()
    assert [r.url for r in http.request_history] == [TOKENS]


def test_failed_login_is_retried_and_reported(http, compute, slept):
    http.post(TOKENS, status_code=503)
    with pytest.raises(images.ServerError):
        Client(compute).log_in()
    assert slept == [0.5, 1, 2]


def test_login_without_a_password_is_an_images_error(http, ksa_session):
    def missing(*_args, **_kwargs):
        raise Exception('A password\nis missing')  # noqa: TRY002

    ksa_session.auth.get_auth_ref = missing
    compute = adapter.Adapter(ksa_session, service_type='compute')
    client = Client(compute)
    for call in (client.log_in, lambda: client.get('/images')):
        with pytest.raises(images.ImagesError) as caught:
            call()
        assert str(caught.value) == 'The login failed: A password is missing'
