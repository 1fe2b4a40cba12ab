# SPDX-License-Identifier: Apache-2.0

"""Requests, responses and errors of the HTTP client."""

import ast
import datetime
import email.utils
import importlib
import inspect
import io
import pkgutil
import re

from keystoneauth1 import adapter
from keystoneauth1 import session
import pytest
import requests
import urllib3

from osc_compute_images import api as images
from osc_compute_images.api import http as package
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api.http import _body
from osc_compute_images.api.http import _settings
from testbed import nova
from tests.unit.conftest import sent
from tests.unit.conftest import set_catalog

EMPTY = {'images': []}
MODULES = re.findall('^``(_.*)``$', package.__doc__, re.MULTILINE)


def imported_by(module):
    """Return the names that a module imports when it runs."""
    tree = ast.parse(inspect.getsource(module))
    return {
        f'{getattr(node, "module", "")}.{alias.name}'.strip('.')
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def test_modules_are_listed():
    found = {each.name for each in pkgutil.iter_modules(package.__path__)}
    assert sorted(MODULES) == sorted(found)


@pytest.mark.parametrize('number', range(len(MODULES)), ids=MODULES)
def test_module_imports_only_those_above_it(number):
    prefix = f'{package.__name__}.'
    module = importlib.import_module(prefix + MODULES[number])
    names = imported_by(module)
    ours = {
        name.removeprefix(prefix).partition('.')[0]
        for name in names
        if name.startswith(prefix)
    }
    assert ours <= {*MODULES[:number]}
    libraries = {name.partition('.')[0] for name in names}
    if number < 1:
        assert not libraries & {'requests', 'urllib3', 'keystoneauth1'}


def requests_to(http):
    return [
        f'{r.method} {r.url.partition("?")[0]}' for r in http.request_history
    ]


@pytest.mark.parametrize(
    ('url', 'base'),
    [
        (f'{nova.HOST}/v2.1', f'{nova.HOST}/v2.1'),
        (f'{nova.HOST}/v2.1/', f'{nova.HOST}/v2.1'),
        (f'{nova.HOST}/v2.1/{nova.PROJECT}', None),
        (f'{nova.HOST}/v2/{nova.PROJECT}', None),
        (f'{nova.HOST}/compute/v2.1', None),
        (f'{nova.HOST}/nova/v2.1', None),
        (f'{nova.HOST}/50%25/v2.1', None),
    ],
)
def test_versioned_endpoint_needs_no_discovery(http, compute, url, base):
    set_catalog(http, {'RegionOne': url})
    listed = f'{base or url}/images/detail'
    http.get(listed, json=EMPTY)
    assert list(ImagesAPI(compute).list_detail()) == []
    assert requests_to(http) == [
        f'POST {nova.KEYSTONE}/v3/auth/tokens',
        f'GET {listed}',
    ]


def version_document(host):
    return {
        'version': {
            'id': 'v2.1',
            'status': 'CURRENT',
            'version': '2.104',
            'min_version': '2.1',
            'links': [{'rel': 'self', 'href': f'{host}/v2.1/'}],
        }
    }


@pytest.mark.parametrize(
    'host', [nova.HOST, 'http://evil.example.com', 'http://[']
)
@pytest.mark.parametrize('override', [False, True])
@pytest.mark.parametrize('slash', ['', '/'])
def test_version_is_looked_for_below_endpoint_without_one(
    http, ksa_session, host, override, slash
):
    url = f'{nova.HOST}/compute'
    set_catalog(http, {'RegionOne': url + slash})
    compute = adapter.Adapter(
        ksa_session,
        service_type='compute',
        endpoint_override=url + slash if override else None,
    )
    http.get(f'{url}/v2.1/', json=version_document(host))
    http.get(f'{url}/v2.1/images/detail', json=EMPTY)
    api = ImagesAPI(compute)
    assert list(api.list_detail()) == []
    assert list(api.list_detail()) == []
    # It is looked for once, and the links are ignored.
    assert sent(http) == [
        'GET /compute/v2.1/',
        'GET /compute/v2.1/images/detail?limit=1000',
        'GET /compute/v2.1/images/detail?limit=1000',
    ]
    assert {r.hostname for r in http.request_history} == {
        'keystone.example.com',
        'nova.example.com',
    }


@pytest.mark.parametrize(
    'answer',
    [
        {'status_code': 404},
        {'status_code': 500},
        {
            'status_code': 302,
            'headers': {'Location': 'http://evil.example.com/v2.1/'},
        },
    ],
)
@pytest.mark.parametrize('served', ['/v2', ''])
def test_endpoint_without_version_2_1(http, ksa_session, answer, served):
    url = f'{nova.HOST}/images-api'
    compute = adapter.Adapter(ksa_session, endpoint_override=url)
    http.get(f'{url}/v2.1/', **answer)
    http.get(f'{url}/v2/', **({'json': {}} if served else answer))
    http.get(f'{url}{served}/images/detail', json=EMPTY)
    assert list(ImagesAPI(compute).list_detail()) == []


def test_version_is_looked_for_without_a_token_if_possible(http, compute):
    set_catalog(http, {'RegionOne': nova.HOST})
    http.get(nova.DETAIL, json=EMPTY)
    document = f'{nova.ENDPOINT}/'
    for answers in ([{'json': {}}], [{'status_code': 401}, {'json': {}}]):
        http.get(document, answers)
        assert list(ImagesAPI(compute).list_detail()) == []
        has_token = 'X-Auth-Token' in http.request_history[-2].headers
        assert has_token == (len(answers) > 1)


@pytest.mark.parametrize(
    ('answer', 'error'),
    [
        ({'status_code': 401}, images.Unauthorized),
        ({'status_code': 503}, images.ServerError),
        (
            {'exc': requests.exceptions.ConnectionError('reset')},
            images.ConnectionFailed,
        ),
    ],
)
def test_unknown_version_is_an_error(http, compute, slept, answer, error):
    set_catalog(http, {'RegionOne': nova.HOST})
    http.get(f'{nova.ENDPOINT}/', **answer)
    with pytest.raises(error):
        list(ImagesAPI(compute).list_detail())
    assert {*sent(http)} == {'GET /v2.1/'}


def test_endpoint_override_may_contain_project_id(http, ksa_session):
    url = f'{nova.HOST}/v2.1/%(project_id)s'
    compute = adapter.Adapter(ksa_session, endpoint_override=url)
    http.get(f'{nova.HOST}/v2.1/{nova.PROJECT}/images/detail', json=EMPTY)
    assert list(ImagesAPI(compute).list_detail()) == []


def test_region_without_endpoint_in_catalog(http, ksa_session):
    compute = adapter.Adapter(
        ksa_session, service_type='compute', region_name='Nowhere'
    )
    with pytest.raises(images.EndpointNotFound, match="in region 'Nowhere'"):
        list(ImagesAPI(compute).list_detail())


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
    ('answer', 'message'),
    [
        (nova.fault(400, 'badRequest', 'Bad limit.'), 'Bad limit.'),
        (
            {'json': {'error': {'code': 400, 'message': 'No token.'}}},
            'No token.',
        ),
        (
            {'json': {'message': 'Gone.<br /><br />\n\n', 'code': '400 Bad'}},
            'Gone.',
        ),
        ({'json': {'title': 'Bad Request', 'message': ''}}, 'Bad Request'),
        ({'json': ['what', 'is', 'this']}, 'Teapot'),
        (
            {'text': '<html><TITLE>502\nBad  Gateway</TITLE>'},
            '502 Bad Gateway',
        ),
        ({'text': ''}, 'Teapot'),
        ({'text': '<html><title> </title>'}, 'Teapot'),
        (
            nova.fault(400, 'x', 'Bad &quot;updated_at&quot; \x1b[2J\u202e.'),
            'Bad "updated_at" \\x1b[2J\\u202e.',
        ),
        (nova.fault(400, 'x', "<class 'nova.X'>"), "<class 'nova.X'>"),
        (nova.fault(400, 'x', 'x' * 600), 'x' * 500 + '...'),
    ],
)
def test_error_has_message_of_server_in_one_line(api, http, answer, message):
    http.get(nova.DETAIL, **{'status_code': 400, 'reason': 'Teapot', **answer})
    with pytest.raises(images.BadRequest) as caught:
        list(api.list_detail())
    assert caught.value.message == message
    assert caught.value.http_status == 400
    assert str(caught.value).startswith(f'{message} (HTTP 400)')


@pytest.mark.parametrize(
    ('status', 'kind'),
    [
        (400, images.BadRequest),
        (401, images.Unauthorized),
        (403, images.Forbidden),
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


def test_expired_token_is_renewed_once(api, http):
    http.get(nova.DETAIL, [{'status_code': 401}, {'json': EMPTY}])
    assert list(api.list_detail()) == []
    assert requests_to(http).count(f'POST {nova.KEYSTONE}/v3/auth/tokens') == 2


def test_wrong_password_error_has_message_of_keystone(http, compute):
    http.post(
        f'{nova.KEYSTONE}/v3/auth/tokens',
        status_code=401,
        json={'error': {'code': 401, 'message': 'Wrong.', 'title': 'x'}},
        headers={'Content-Type': 'application/json'},
    )
    with pytest.raises(images.Unauthorized, match='Wrong') as caught:
        list(ImagesAPI(compute).list_detail())
    assert caught.value.http_status == 401


@pytest.mark.parametrize('status', [429, 502, 503, 504])
@pytest.mark.parametrize(
    ('retry_after', 'delay'),
    [
        (None, 0.5),
        ('7', 7),
        ('0', 0),
        ('soon', 0.5),
        ('Wed, 21 Oct 2015 07:28:00 GMT', 0),
    ],
)
def test_reads_are_retried_after_retry_after(
    api, http, slept, status, retry_after, delay
):
    headers = {'Retry-After': retry_after} if retry_after else {}
    fault = {'status_code': status, 'headers': headers}
    http.get(nova.DETAIL, [fault, {'json': EMPTY}])
    assert list(api.list_detail()) == []
    assert slept == [delay]


def test_retry_after_may_be_a_date(api, http, slept):
    now = datetime.datetime.now(datetime.UTC)
    then = email.utils.format_datetime(now + datetime.timedelta(seconds=10))
    fault = {'status_code': 503, 'headers': {'Retry-After': then}}
    http.get(nova.DETAIL, [fault, {'json': EMPTY}])
    assert list(api.list_detail()) == []
    assert 5 < slept[0] <= 10


@pytest.mark.parametrize(
    'fault',
    [
        {'exc': requests.exceptions.ConnectionError('refused')},
        {'status_code': 503},
    ],
)
def test_reads_are_retried_three_times(api, http, slept, fault):
    http.get(nova.DETAIL, **fault)
    with pytest.raises(images.ImagesError):
        list(api.list_detail())
    assert len(sent(http)) == 4
    assert slept == [0.5, 1, 2]


class Cut(io.BytesIO):
    def read(self, *_args):
        raise urllib3.exceptions.ProtocolError('Connection broken')

    read1 = read

    def close(self):
        # Several responses share it.
        pass


def test_truncated_body_is_retried(api, http, slept):
    http.get(nova.DETAIL, [{'body': Cut(b'x')}, {'json': EMPTY}])
    assert list(api.list_detail()) == []
    assert slept == [0.5]


@pytest.mark.parametrize(
    ('fault', 'kind'),
    [
        (nova.fault(500, 'computeFault', 'x'), images.ServerError),
        ({'exc': requests.exceptions.ReadTimeout}, images.RequestTimedOut),
        (
            {'exc': requests.exceptions.SSLError('bad')},
            images.ConnectionFailed,
        ),
    ],
)
def test_permanent_errors_are_not_retried(api, http, slept, fault, kind):
    http.get(nova.DETAIL, **fault)
    with pytest.raises(kind):
        list(api.list_detail())
    assert len(sent(http)) == 1


class Stalled(io.BytesIO):
    def read(self, *_args):
        raise urllib3.exceptions.ReadTimeoutError(None, None, 'timed out')

    read1 = read


@pytest.mark.parametrize(
    'fault',
    [{'exc': requests.exceptions.ReadTimeout}, {'body': Stalled(b'x')}],
    ids=['no response', 'partial response'],
)
def test_timeout_of_later_page_is_not_retried(api, http, slept, fault):
    first = {'json': nova.page(nova.images(1))}
    http.get(nova.DETAIL, [first, fault, first])
    with pytest.raises(images.ListingInterrupted):
        list(api.list_detail(images.ListOpts(limit=1)))
    assert len(sent(http)) == 2


@pytest.mark.parametrize(
    ('fault', 'setting'),
    [
        ({'status_code': 503}, 'status_code_retries'),
        (
            {'exc': requests.exceptions.ConnectionError('refused')},
            'connect_retries',
        ),
    ],
)
def test_retry_settings_of_adapter_are_used(
    http, ksa_session, slept, fault, setting
):
    compute = adapter.Adapter(
        ksa_session, service_type='compute', **{setting: 1}
    )
    http.get(nova.DETAIL, **fault)
    with pytest.raises(images.ImagesError):
        list(ImagesAPI(compute).list_detail())
    assert len(sent(http)) == 2


@pytest.mark.parametrize(
    'fault',
    [
        {'status_code': 503},
        {'exc': requests.exceptions.ConnectionError('reset')},
    ],
)
def test_writes_are_not_retried(api, http, slept, fault):
    http.delete(f'{nova.ENDPOINT}/images/x', **fault)
    # Whether the image still exists is looked up.
    http.get(f'{nova.ENDPOINT}/images/x', status_code=503)
    with pytest.raises(images.ImagesError):
        api.delete('x')
    assert [r for r in sent(http) if r.startswith('DELETE')] == [
        'DELETE /v2.1/images/x'
    ]


@pytest.mark.parametrize(
    ('own', 'used'), [(None, _settings.TIMEOUT), (5, (5, 5))]
)
def test_requests_have_a_timeout(http, compute, own, used):
    compute.session = session.Session(compute.session.auth, timeout=own)
    http.get(nova.DETAIL, json=EMPTY)
    list(ImagesAPI(compute).list_detail())
    assert http.last_request.timeout == used


@pytest.mark.parametrize('headers', [{}, {'Content-Length': '12'}])
def test_size_of_body_is_limited(api, http, monkeypatch, headers):
    monkeypatch.setattr(_body, 'MAX_BODY', 10)
    http.get(nova.DETAIL, text='{"images": []}', headers=headers)
    with pytest.raises(images.InvalidResponse, match='larger than 10 bytes'):
        list(api.list_detail())


def test_body_with_content_length(api, http):
    body = '{"images": []}'
    headers = {'Content-Length': str(len(body))}
    http.get(nova.DETAIL, text=body, headers=headers)
    assert list(api.list_detail()) == []


def test_body_can_be_read_after_logging(api, http, caplog):
    caplog.set_level('DEBUG')
    http.get(
        nova.DETAIL, json=EMPTY, headers={'Content-Type': 'application/json'}
    )
    assert list(api.list_detail()) == []
    assert 'RESP BODY' in caplog.text
    assert nova.TOKEN not in caplog.text


def test_other_requests_exceptions_are_connection_failed(api, http):
    http.get(nova.DETAIL, exc=requests.exceptions.InvalidURL('what?'))
    with pytest.raises(images.ConnectionFailed, match='what'):
        list(api.list_detail())


def test_unreachable_keystone_is_connection_failed(http, compute, slept):
    for method in ('GET', 'POST'):
        http.register_uri(
            method,
            f'{nova.KEYSTONE}/v3/auth/tokens',
            exc=requests.exceptions.ConnectionError('refused'),
        )
    with pytest.raises(images.ConnectionFailed, match='refused'):
        list(ImagesAPI(compute).list_detail())


@pytest.mark.parametrize('location', ['\x80', 'http://[half/an/address'])
def test_redirect_to_invalid_url_is_invalid_response(api, http, location):
    http.get(nova.DETAIL, status_code=302, headers={'Location': location})
    with pytest.raises(images.InvalidResponse, match='is invalid'):
        list(api.list_detail())
