# SPDX-License-Identifier: Apache-2.0

"""Requests, and which responses are successes, errors and images."""

import contextlib
import re

import pytest
import requests_mock

from osc_compute_images import api as images
from testbed import nova
from tests.unit.conftest import sent
from tests.unit.conftest import set_catalog

EMPTY = {'images': []}
ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'
HTML = '<html><body>Please log in</body></html>'


# -- requests --------------------------------------------------------------


@pytest.mark.parametrize(('own', 'used'), [(None, (10, 60)), (5, (5, 5))])
def test_requests_have_a_timeout_and_no_microversion(http, api, own, used):
    api.adapter.session.timeout = own
    api.adapter.default_microversion = '2.90'
    http.get(nova.DETAIL, json=EMPTY)
    list(api.list_detail())
    assert [request.timeout for request in http.request_history] == [used] * 2
    headers = http.last_request.headers
    assert 'OpenStack-API-Version' not in headers
    assert 'X-OpenStack-Nova-API-Version' not in headers
    assert headers['Accept'] == 'application/json'


@pytest.mark.parametrize(
    'call',
    [
        lambda api: api.get('\udcff'),
        lambda api: api.update_metadata(ID, {'a': '\udcff'}),
        lambda api: list(api.list_detail(images.ListOpts(name='\udcff'))),
    ],
)
def test_undecodable_argument_is_an_images_error(api, http, call):
    # Python decodes arguments that are not UTF-8 like this.
    with pytest.raises(images.ImagesError):
        call(api)


# -- successes -------------------------------------------------------------

#: Calls by method; all of the same image, or of all images.
CALLS = {
    'GET': lambda api: list(api.list_detail()),
    'DELETE': lambda api: api.delete_metadata_item(ID, 'a'),
    'PUT': lambda api: api.set_metadata_item(ID, 'a', 'b'),
    'POST': lambda api: api.update_metadata(ID, {'a': 'b'}),
}


@pytest.mark.parametrize(
    ('status', 'body'),
    [(200, '{}'), (202, '{"job": "accepted"}'), (204, ''), (205, '')],
)
def test_successful_deletions(api, http, status, body):
    http.delete(ONE, status_code=status, text=body)
    assert api.delete(ID) is None


@pytest.mark.parametrize(
    ('method', 'status', 'body'),
    [
        *(('DELETE', 200, x) for x in (HTML, '{"error": "no"}', 'OK')),
        *(('DELETE', n, '') for n in (201, 206, 207, 226, 299, 300, 304)),
        *(('GET', n, '{"images":[]}') for n in (201, 202, 204, 206, 226, 304)),
        *((m, n, '{}') for m in ('PUT', 'POST') for n in (206, 207, 300)),
        ('PUT', 200, HTML),
        ('POST', 200, HTML),
    ],
)
def test_unexpected_success_is_an_error(api, http, method, status, body):
    http.register_uri(
        method, re.compile(nova.ENDPOINT), status_code=status, text=body
    )
    with pytest.raises(images.InvalidResponse) as caught:
        CALLS[method](api)
    assert caught.value.http_status == status
    assert method == 'GET' or method in caught.value.message


@pytest.mark.parametrize(
    ('target', 'told'),
    [
        ('http://evil.example.com/', 'redirects to'),
        (None, 'redirects to'),
        ('\x80', 'is invalid'),
        ('http://[half/an/address', 'is invalid'),
    ],
)
def test_redirect_is_not_followed(api, http, target, told):
    headers = {'Location': target} if target else {}
    http.get(nova.DETAIL, status_code=301, headers=headers)
    with pytest.raises(images.InvalidResponse, match=told):
        list(api.list_detail())
    assert len(sent(http)) == 1


# -- errors ----------------------------------------------------------------


@pytest.mark.parametrize(
    ('status', 'kind'),
    [
        (400, images.BadRequest),
        (403, images.ImagesForbidden),
        (409, images.Conflict),
        (413, images.TooManyRequests),
        (418, images.HTTPError),
        (501, images.ServerError),
    ],
)
def test_status_codes_map_to_exceptions(api, http, status, kind):
    http.get(nova.DETAIL, **nova.fault(status, 'x', 'No.'))
    with pytest.raises(kind) as caught:
        list(api.list_detail())
    assert type(caught.value) is kind
    assert str(caught.value) == f'No. (HTTP {status}) (Request-ID: req-1)'


# -- rejected tokens -------------------------------------------------------


@pytest.mark.parametrize(
    ('method', 'url', 'body'),
    [('GET', nova.DETAIL, EMPTY), ('DELETE', f'{ONE}/metadata/a', {})],
)
@pytest.mark.parametrize('rejections', [1, 2])
def test_rejected_token_is_renewed_once(
    api, http, method, url, body, rejections
):
    answers = [{'status_code': 401}] * rejections + [{'json': body}]
    http.register_uri(method, url, answers)
    expected = contextlib.nullcontext()
    if rejections > 1:
        expected = pytest.raises(images.Unauthorized)
    with expected:
        CALLS[method](api)
    urls = [r.url.partition('?')[0] for r in http.request_history]
    assert urls == [f'{nova.KEYSTONE}/v3/auth/tokens', url] * 2


@pytest.mark.parametrize(
    ('call', 'rule'),
    [
        (CALLS['GET'], 'GET /v2.1/images/detail'),
        (CALLS['DELETE'], 'DELETE /v2.1/images/{image_id}/metadata/{key}'),
        (
            lambda api: api.create_snapshot(ID, 'name'),
            'POST /v2.1/servers/{server_id}/action',
        ),
    ],
)
@pytest.mark.parametrize('rules', [[{'path': '/'}], None])
def test_forbidden_by_access_rules(api, http, ksa_session, call, rule, rules):
    """Keystone's middleware answers as for an invalid token."""
    credential = {'id': 'x', 'access_rules': rules}
    regions = {'RegionOne': nova.ENDPOINT}
    set_catalog(http, regions, application_credential=credential)
    answer = nova.fault(401, 'error', 'Log in.')

    def refuse(_request, _context):
        # As another thread may do, with the same login.
        ksa_session.invalidate()
        return answer['json']

    http.register_uri(
        *(requests_mock.ANY, re.compile(nova.ENDPOINT)),
        **{**answer, 'json': refuse},
    )
    with pytest.raises(images.Unauthorized) as error:
        call(api)
    reason = 'The access rules of the application credential may not allow '
    told = f'{reason}{rule}: ' if rules else ''
    assert str(error.value) == f'{told}Log in. (HTTP 401) (Request-ID: req-1)'
    assert len(sent(http)) == 2
