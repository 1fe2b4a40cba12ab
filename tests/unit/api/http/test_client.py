# SPDX-License-Identifier: Apache-2.0

"""Requests, and which responses are successes, errors and images."""

import ast
import importlib
import pkgutil
import re

from keystoneauth1 import adapter
from keystoneauth1 import session
import pytest
import requests

from osc_compute_images import api as images
from osc_compute_images.api import http as package
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from osc_compute_images.api.http import _session
from testbed import nova
from tests.unit.conftest import sent

EMPTY = {'images': []}
ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'
ITEM = f'{ONE}/metadata/a'
HTML = '<html><body>Please log in</body></html>'
EVIL = '\x1b]0;x\x07'
MODULES = re.findall('^``(_.*)``$', package.__doc__, re.MULTILINE)


def test_modules_are_listed_and_import_only_those_above_them():
    found = {each.name for each in pkgutil.iter_modules(package.__path__)}
    assert sorted(MODULES) == sorted(found)
    for number, name in enumerate(MODULES):
        module = importlib.import_module(f'{package.__name__}.{name}')
        with open(module.__file__) as file:
            nodes = ast.walk(ast.parse(file.read()))
        imported = {
            f'{node.module}.{alias.name}'
            for node in nodes
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        ours = {n.split('.')[3] for n in imported if '.api.http.' in n}
        assert ours <= {*MODULES[:number]}, name


# -- requests --------------------------------------------------------------


def test_requests_have_no_microversion(http, ksa_session):
    compute = adapter.Adapter(
        ksa_session, service_type='compute', default_microversion='2.90'
    )
    http.get(nova.DETAIL, json=EMPTY)
    list(ImagesAPI(compute).list_detail())
    headers = http.last_request.headers
    assert 'OpenStack-API-Version' not in headers
    assert 'X-OpenStack-Nova-API-Version' not in headers
    assert headers['X-Auth-Token']


@pytest.mark.parametrize(
    ('own', 'used'), [(None, _session.TIMEOUT), (5, (5, 5))]
)
def test_requests_and_logins_have_a_timeout(http, compute, own, used):
    compute.session = session.Session(compute.session.auth, timeout=own)
    http.get(nova.DETAIL, json=EMPTY)
    list(ImagesAPI(compute).list_detail())
    assert [request.timeout for request in http.request_history] == [used] * 2


@pytest.mark.parametrize(
    'call',
    [
        lambda api: api.get('\udcff'),
        lambda api: api.update_metadata(ID, {'a': '\udcff'}),
        lambda api: list(api.list_detail(ListOpts(name='\udcff'))),
    ],
)
def test_undecodable_argument_is_an_images_error(api, http, call):
    # Python decodes arguments that are not UTF-8 like this.
    with pytest.raises(images.ImagesError):
        call(api)


@pytest.mark.parametrize('method', ['GET', 'DELETE'])
@pytest.mark.parametrize('rejections', [1, 2])
def test_rejected_token_is_renewed_once(api, http, method, rejections):
    answers = [{'status_code': 401}] * rejections
    body = {'image': nova.image(1)} if method == 'GET' else {}
    http.register_uri(method, ONE, [*answers, {'json': body}])
    call = api.get if method == 'GET' else api.delete
    if rejections > 1:
        with pytest.raises(images.Unauthorized):
            call(ID)
    else:
        call(ID)
    urls = [request.url for request in http.request_history]
    assert urls == [f'{nova.KEYSTONE}/v3/auth/tokens', ONE] * 2


# -- successes -------------------------------------------------------------


@pytest.mark.parametrize(
    ('status', 'body'),
    [
        (200, ''),
        (200, '{}'),
        (202, '{"job": "accepted"}'),
        (204, ''),
        (205, ''),
    ],
)
def test_successful_deletions(api, http, status, body):
    http.delete(ONE, status_code=status, text=body)
    api.delete(ID)


@pytest.mark.parametrize(
    ('status', 'body'),
    [
        (200, HTML),
        (200, '{"error": "no"}'),
        (200, 'OK'),
        *((status, '') for status in (201, 206, 207, 226, 299, 300, 304)),
    ],
)
def test_unexpected_responses_to_deletions(api, http, status, body):
    http.delete(ITEM, status_code=status, text=body)
    with pytest.raises(images.InvalidResponse, match='DELETE') as caught:
        api.delete_metadata_item(ID, 'a')
    assert caught.value.http_status == status


@pytest.mark.parametrize(
    ('status', 'body'), [(200, HTML), (206, '{}'), (300, '{}'), (207, '{}')]
)
def test_unexpected_responses_to_changes(api, http, status, body):
    http.put(ITEM, status_code=status, text=body)
    http.post(f'{ONE}/metadata', status_code=status, text=body)
    with pytest.raises(images.InvalidResponse):
        api.set_metadata_item(ID, 'a', 'b')
    with pytest.raises(images.InvalidResponse):
        api.update_metadata(ID, {'a': 'b'})


@pytest.mark.parametrize('status', [201, 202, 204, 206, 226, 300, 304])
def test_unexpected_responses_to_lists(api, http, status):
    http.get(nova.DETAIL, status_code=status, json=nova.page([]))
    with pytest.raises(images.InvalidResponse) as caught:
        list(api.list_detail())
    assert caught.value.http_status == status


@pytest.mark.parametrize(
    'target',
    [
        'https://nova.example.com:8774/v2.1/images/detail',
        'http://evil.example.com/',
        None,
    ],
)
def test_redirect_is_not_followed(api, http, target):
    headers = {'Location': target} if target else {}
    http.get(nova.DETAIL, status_code=301, headers=headers)
    with pytest.raises(images.InvalidResponse, match='redirects to') as caught:
        list(api.list_detail())
    assert caught.value.http_status == 301
    assert len(sent(http)) == 1


@pytest.mark.parametrize('location', ['\x80', 'http://[half/an/address'])
def test_redirect_to_invalid_url_is_invalid_response(api, http, location):
    http.get(nova.DETAIL, status_code=302, headers={'Location': location})
    with pytest.raises(images.InvalidResponse, match='is invalid'):
        list(api.list_detail())


# -- errors ----------------------------------------------------------------


@pytest.mark.parametrize(
    ('status', 'kind'),
    [
        (400, images.BadRequest),
        (401, images.Unauthorized),
        (403, images.ImagesForbidden),
        (409, images.Conflict),
        (413, images.TooManyRequests),
        (418, images.HTTPError),
        (500, images.ServerError),
        (501, images.ServerError),
    ],
)
def test_status_codes_map_to_exceptions(api, http, status, kind):
    http.get(nova.DETAIL, **nova.fault(status, 'x', 'No.'))
    with pytest.raises(kind) as caught:
        list(api.list_detail())
    assert type(caught.value) is kind
    assert str(caught.value) == f'No. (HTTP {status}) (Request-ID: req-1)'


def test_control_characters_of_server_are_escaped(api, http, caplog):
    headers = {'X-Openstack-Request-Id': EVIL}
    http.get(nova.DETAIL, **{**nova.NO_ROUTE, 'headers': headers})
    version = {'min_version': EVIL, 'version': '2.1'}
    http.get(f'{nova.ENDPOINT}/', json={'version': version})
    with pytest.raises(images.ImagesNotServed) as caught:
        list(api.list_detail())
    assert r'(Request-ID: \x1b]0;x\x07)' in str(caught.value)
    assert caught.value.versions is None
    http.get(nova.DETAIL, json=nova.page([{'id': EVIL, 'minDisk': EVIL}]))
    list(api.list_detail())
    http.get(ONE, json={'image': {'id': EVIL}})
    with pytest.raises(images.InvalidResponse) as wrong:
        api.get(ID)
    (logged,) = [record.getMessage() for record in caplog.records]
    for text in (str(caught.value), logged, str(wrong.value)):
        assert r'\x1b' in text
        assert '\x1b' not in text


@pytest.mark.parametrize(
    'exc',
    [
        requests.exceptions.SSLError('certificate verify failed'),
        requests.exceptions.InvalidHeader('bad header'),
        requests.exceptions.InvalidURL('bad URL'),
        OSError('Could not find a suitable TLS CA certificate bundle'),
        FileNotFoundError(2, 'No such file', '/ca.pem'),
        MemoryError(),
    ],
    ids=repr,
)
def test_permanent_exceptions_are_not_retried(api, http, slept, exc):
    http.get(nova.DETAIL, exc=exc)
    with pytest.raises(images.ConnectionFailed) as caught:
        list(api.list_detail())
    assert len(sent(http)) == 1
    assert str(caught.value)


def test_exception_of_a_hook_is_raised_unchanged(http, compute):
    def hook(response, **_kwargs):
        if response.url.startswith(nova.DETAIL):
            raise KeyError('mine')

    http.get(nova.DETAIL, json=EMPTY)
    compute.session.session.hooks['response'].append(hook)
    with pytest.raises(KeyError, match='mine'):
        list(ImagesAPI(compute).list_detail())
