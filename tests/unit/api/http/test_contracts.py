# SPDX-License-Identifier: Apache-2.0

"""Settings of the libraries apply to every request, not only to the first.

Each contract is a feature of keystoneauth, requests, openstacksdk, or of a
library that plugs into them. All are tested with a list of seven pages (the
last image is on a full one), and with two requests for the same image.
"""

import contextvars
import logging
import re
import threading

from keystoneauth1 import adapter
from keystoneauth1 import session
from keystoneauth1 import token_endpoint
import openstack
import openstack.config.cloud_region
import openstack.config.defaults
import pytest
import requests
import requests_cache

from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesNotServed
from osc_compute_images.api import ListOpts
from osc_compute_images.api.changes import plan
from testbed import nova

ID = nova.image_id(1)
PAGES = 6
LIMIT = ListOpts(limit=1)

#: A setting of the caller's context.
USER: contextvars.ContextVar[str] = contextvars.ContextVar('user')


@pytest.fixture
def requested(http):
    """Return a function that makes the requests, and returns them.

    It calls a function after each of them, which may change a setting.
    """
    nova_server = nova.Server(nova.images(*range(PAGES)))

    def answer(request, context):
        if request.path.endswith('/detail'):
            return nova_server(request, context)
        return {'image': nova.image(1)}

    def make(compute, change=lambda _number: None, count=PAGES + 3):
        api = ImagesAPI(compute)
        for number, image in enumerate(api.list_detail(LIMIT)):
            assert image.id == nova.image_id(number)
            change(number + 1)
        for number in (1, 2):
            change(PAGES + number)
            assert api.get(ID).id == ID
        sent = [r for r in http.request_history if '/images' in r.path]
        assert len(sent) == count
        return sent

    url = f'{nova.KEYSTONE}/v3/auth/tokens'
    login = {'json': requests.post(url).json()}
    http.reset_mock()
    # Each has a new token.
    headers = [{'X-Subject-Token': f'{nova.TOKEN}-{n}'} for n in range(9)]
    http.post(url, [{**login, 'headers': each} for each in headers])
    kind = {'Content-Type': 'application/json'}
    http.get(re.compile(nova.HOST), json=answer, headers=kind)
    return make


@pytest.mark.parametrize('is_nested', [False, True])
def test_own_adapter(requested, compute, ksa_session, is_nested):
    callers = []

    class Own(adapter.Adapter):
        def request(self, url, method, **kwargs):
            callers.append((USER.get(), threading.get_ident()))
            return super().request(url, method, **kwargs)

    USER.set('me')
    compute.session = own = Own(ksa_session, service_type='compute')
    sent = requested(compute if is_nested else own)
    assert callers == [('me', threading.get_ident())] * len(sent)


# requests takes a list, and one hook.
@pytest.mark.parametrize('form', [list, tuple, lambda hooks: hooks[0]])
def test_hooks_of_session(requested, compute, ksa_session, form):
    seen = []

    def hook(response, **_kwargs):
        # The body is available, as without this API.
        assert response.json()
        seen.append(response.url)

    ksa_session.session.hooks = {'response': form([hook])}
    sent = requested(compute)
    assert len([u for u in seen if u.startswith(nova.HOST)]) == len(sent)


def test_exception_of_a_hook_is_raised_unchanged(
    requested, compute, ksa_session
):
    def hook(response, **_kwargs):
        if response.url.startswith(nova.DETAIL):
            raise KeyError('mine')

    ksa_session.session.hooks['response'].append(hook)
    with pytest.raises(KeyError, match='mine'):
        requested(compute)


def test_certificates_of_login(requested, compute, ksa_session):
    params = {'cert': ('/client.pem', '/client.key'), 'verify': '/ca.pem'}
    ksa_session.auth.get_connection_params = lambda *_args, **_kwargs: params
    sent = requested(compute)
    assert {(r.cert, r.verify) for r in sent} == {(*params.values(),)}


def test_log(requested, compute, ksa_session, caplog):
    def change(_number):
        ksa_session._collect_timing = True
        caplog.set_level(logging.DEBUG, 'keystoneauth.session')

    sent = requested(compute, change)
    assert len(ksa_session.get_timings()) == len(sent) - 1
    assert nova.TOKEN not in caplog.text
    for begin in ('REQ:', 'RESP BODY:'):
        logged = [line for line in caplog.messages if line.startswith(begin)]
        assert len(logged) == len(sent) - 1


def test_settings_that_change(requested, compute, ksa_session):
    def change(number):
        compute.global_request_id = f'req-{number}'
        compute.auth = token_endpoint.Token(nova.ENDPOINT, f'token-{number}')
        compute.endpoint_override = f'{nova.HOST}/n{number}/v2.1'
        ksa_session.additional_headers['X-Number'] = str(number)

    sent = requested(compute, change)
    for number, request in enumerate(sent[1:], 1):
        assert request.headers['X-OpenStack-Request-ID'] == f'req-{number}'
        assert request.headers['X-Auth-Token'] == f'token-{number}'
        assert request.headers['X-Number'] == str(number)
        assert request.path.startswith(f'/n{number}/')


def test_no_hooks(requested, compute, ksa_session):
    ksa_session.session.hooks = {'response': None}
    requested(compute)


@pytest.mark.parametrize('name', ['compute', 'computev21', None])
def test_microversion_for_any_type_of_the_service(http, compute, name):
    # Nova ignores the microversion of another type.
    compute.service_type = name
    compute.endpoint_override = nova.ENDPOINT
    http.get(f'{nova.ENDPOINT}/servers/detail', json={'servers': []})
    ImagesAPI(compute).servers(own_project=True)
    version = http.last_request.headers['OpenStack-API-Version']
    assert version == 'compute 2.69'


def test_discarded_token(requested, compute, ksa_session):
    sent = requested(compute, lambda _number: ksa_session.invalidate())
    assert len({r.headers['X-Auth-Token'] for r in sent}) == len(sent)


def test_requests_cache(requested, http, compute, ksa_session):
    cache = requests_cache.CachedSession(backend='memory')
    compute.session = session.Session(ksa_session.auth, session=cache)
    # Of two requests for the same image, the second is not sent.
    requested(compute, count=PAGES + 2)
    assert_fresh(http, ImagesAPI(compute))


def assert_fresh(http, api):
    """What a wait or a change rests on is requested each time."""
    todo = plan.delete([api.get(ID)], None)
    http.get(f'{nova.ENDPOINT}/servers/detail', json={'servers': []})
    http.delete(f'{nova.ENDPOINT}/images/{ID}', status_code=204)
    before = http.call_count
    for _ in range(2):
        api.servers(own_project=True)
        api.wait_for(ID)
        [outcome] = api.apply(todo)
        assert outcome.result is plan.Result.DONE
    url = f'{nova.ENDPOINT}/images/{ID}/metadata'
    http.put(url, json={'metadata': {}})
    for stored in ({'a': 'b'}, {'a': 'c'}):
        http.get(url, json={'metadata': stored})
        assert api.replace_metadata(ID, stored) == stored
    sent = [r.method for r in http.request_history[before:]]
    assert [sent.count(m) for m in ('GET', 'DELETE')] == [8, 2]
    # So is what tells whether a change was made whose response is lost.
    one, every = f'{nova.ENDPOINT}/images/{ID}', f'{nova.ENDPOINT}/images'
    edit = plan.set_properties([api.get(ID)], {'a': 'd'}, named=True)
    now = nova.image(1, status='DELETED', metadata={'a': 'd'})
    lost = {'exc': requests.ConnectionError}
    http.get(one, json={'image': now})
    http.post(url, **lost)
    http.delete(one, **lost)
    [outcome] = api.apply(edit)
    assert outcome.result is plan.Result.DONE
    api.delete(ID)
    # And whether a gateway serves nothing.
    http.get(every, json=nova.page([]))
    assert not [*api.list(LIMIT)]
    for each in one, every:
        http.get(each, **nova.NO_ROUTE)
    with pytest.raises(ImagesNotServed):
        api.wait_for(ID)


def test_cache_of_sdk(requested, http, ksa_session):
    kinds = ('image', 'images.detail', 'server', 'servers.detail')
    config = openstack.config.cloud_region.CloudRegion(
        name='c',
        region_name='RegionOne',
        session=ksa_session,
        config=openstack.config.defaults.get_defaults(),
        cache_expiration_time=60,
        cache_expirations={f'compute.{kind}': 60 for kind in kinds},
        # This backend pickles its values.
        cache_class='dogpile.cache.memory_pickle',
    )
    made = openstack.connection.Connection(config=config)
    requested(made.compute, count=PAGES + 2)
    assert_fresh(http, ImagesAPI(made.compute))
