# SPDX-License-Identifier: Apache-2.0

"""Settings of the libraries apply to every request, not only to the first.

Each contract is a feature of keystoneauth, requests, openstacksdk, or of a
library that plugs into them. All are tested with a list of seven pages, and
with two requests for the same image.
"""

from collections.abc import Callable
from collections.abc import Generator
import contextvars
import itertools
import logging
import logging.handlers
import re
import socket
import threading
from typing import Any
from unittest import mock
import warnings

from keystoneauth1 import adapter
from keystoneauth1 import session
from keystoneauth1 import token_endpoint
import openstack
import openstack.config.cloud_region
import openstack.config.defaults
import prometheus_client
import pytest
import requests
import requests_cache

from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from testbed import canned_cloud
from testbed import nova
from tests.unit.conftest import new_session

ID = nova.image_id(1)
PAGES = 6
LIMIT = ListOpts(limit=1)

#: Given a session, it yields the user's adapter, and perhaps a function that
#: changes a setting after each request, given their number. Then it gets the
#: requests for images, and checks the effect of the setting.
Contract = Callable[[session.Session], Generator[Any, Any, None]]
CONTRACTS: list[Contract] = []

#: Of two requests for the same image, the second is not sent.
CACHED: list[Contract] = []

#: A setting of the caller's context.
USER: contextvars.ContextVar[str] = contextvars.ContextVar('user')


def contract(function: Contract) -> Contract:
    CONTRACTS.append(function)
    return function


def cached(function: Contract) -> Contract:
    CACHED.append(function)
    return contract(function)


def nothing(number: int) -> None:
    """Change nothing."""


def compute_of(session_, kind=adapter.Adapter):
    return kind(session_, service_type='compute')


@contract
def adapter_semaphore(session_):
    made = compute_of(session_)
    # As rate_limit and concurrency create it.
    made._rate_semaphore = seen = mock.MagicMock()
    sent = yield made, nothing
    assert seen.__enter__.call_count == len(sent)


@contract
def session_semaphore(session_):
    seen = mock.MagicMock()
    made = compute_of(session.Session(session_.auth, rate_semaphore=seen))
    made._rate_semaphore = None
    sent = yield made, nothing
    # The token takes one more.
    assert seen.__enter__.call_count == len(sent) + 1


class Own(adapter.Adapter):
    """An adapter that tells who calls it."""

    def request(self, url, method, **kwargs):
        callers.append((USER.get(), threading.get_ident()))
        return super().request(url, method, **kwargs)


callers: list[tuple[str, int]] = []


def called_once_each(count):
    assert callers == [('me', threading.get_ident())] * count
    callers.clear()


@contract
def own_adapter(session_):
    USER.set('me')
    sent = yield compute_of(session_, Own), nothing
    called_once_each(len(sent))


@contract
def nested_adapter(session_):
    USER.set('me')
    sent = yield compute_of(compute_of(session_, Own)), nothing
    called_once_each(len(sent))


@contract
def session_hooks(session_):
    seen = []

    def hook(response, **_kwargs):
        # The body is available, as without this API.
        assert response.json()
        seen.append(response.url)

    session_.session.hooks['response'].append(hook)
    sent = yield compute_of(session_), nothing
    assert len([u for u in seen if u.startswith(nova.HOST)]) == len(sent)


@contract
def connection_params(session_):
    params = {'cert': ('/client.pem', '/client.key'), 'verify': '/ca.pem'}
    session_.auth.get_connection_params = lambda *_args, **_kwargs: params
    sent = yield compute_of(session_), nothing
    assert {r.cert for r in sent} == {('/client.pem', '/client.key')}
    assert {r.verify for r in sent} == {'/ca.pem'}


@contract
def debug_later(session_):
    logger = logging.getLogger('keystoneauth.session')
    handler = logging.handlers.BufferingHandler(1000)
    logger.addHandler(handler)
    try:
        sent = yield (
            compute_of(session_),
            lambda _number: logger.setLevel(logging.DEBUG),
        )
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)
    lines = [record.getMessage() for record in handler.buffer]
    assert not [line for line in lines if nova.TOKEN in line]
    for begin in ('REQ:', 'RESP BODY:'):
        logged = [line for line in lines if line.startswith(begin)]
        assert len(logged) == len(sent) - 1


@contract
def timing_later(session_):
    def change(number):
        session_._collect_timing = True

    sent = yield compute_of(session_), change
    assert len(session_.get_timings()) == len(sent) - 1


@contract
def settings_that_change(session_):
    made = compute_of(session_)

    def change(number):
        made.global_request_id = f'req-{number}'
        made.auth = token_endpoint.Token(nova.ENDPOINT, f'token-{number}')
        made.endpoint_override = f'{nova.HOST}/n{number}/v2.1'
        session_.additional_headers['X-Number'] = str(number)

    sent = yield made, change
    for number, request in enumerate(sent[1:], 1):
        assert request.headers['X-OpenStack-Request-ID'] == f'req-{number}'
        assert request.headers['X-Auth-Token'] == f'token-{number}'
        assert request.headers['X-Number'] == str(number)
        assert request.path.startswith(f'/n{number}/')


@contract
def invalidated(session_):
    sent = yield compute_of(session_), lambda _number: session_.invalidate()
    # Keystone issues a new token each time.
    assert len({r.headers['X-Auth-Token'] for r in sent}) == len(sent)


@cached
def requests_cache_(session_):
    cache = requests_cache.CachedSession(backend='memory')
    made = compute_of(session.Session(session_.auth, session=cache))
    sent = yield made, nothing
    assert len(cache.cache.responses) >= len(sent)


def connection(session_, **settings):
    """Return a connection of openstacksdk."""
    config = openstack.config.cloud_region.CloudRegion(
        name='c',
        region_name='RegionOne',
        session=session_,
        config=openstack.config.defaults.get_defaults(),
        **settings,
    )
    return openstack.connection.Connection(config=config)


@contract
def sdk_statsd(session_):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(('127.0.0.1', 0))
        receiver.settimeout(60)
        host, port = receiver.getsockname()
        made = connection(
            session_,
            statsd_host=host,
            statsd_port=str(port),
            statsd_prefix='ours',
        )
        sent = yield made.compute, nothing
        reports = [receiver.recv(9999).decode() for _ in sent]
    assert all('ours.compute.GET.' in report for report in reports)
    assert all('.200:1|c' in report for report in reports)


@contract
def sdk_prometheus(session_):
    registry = prometheus_client.CollectorRegistry()
    made = connection(session_, collector_registry=registry)
    sent = yield made.compute, nothing
    counted = {
        (sample.labels['endpoint'], sample.value)
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name.endswith('http_requests_total')
    }
    assert sum(value for _, value in counted) == len(sent)


@cached
def sdk_cache(session_):
    made = connection(
        session_,
        cache_expiration_time=60,
        cache_expirations={'compute.image': 60, 'compute.images.detail': 60},
        # This backend pickles its values.
        cache_class='dogpile.cache.memory_pickle',
    )
    yield made.compute, nothing
    assert made._api_cache_keys


@pytest.fixture
def cloud(http):
    """Mock a cloud that issues a new token for each login."""
    tokens = itertools.count()
    nova_server = nova.Server(nova.images(*range(PAGES)))

    def token(_request, context):
        context.headers['X-Subject-Token'] = f'{nova.TOKEN}-{next(tokens)}'
        return token_body

    def answer(request, context):
        context.headers['Content-Type'] = 'application/json'
        if request.path.endswith('/detail'):
            return nova_server(request, context)
        return {'image': nova.image(1)}

    token_body = requests.post(f'{nova.KEYSTONE}/v3/auth/tokens').json()
    http.reset_mock()
    http.post(f'{nova.KEYSTONE}/v3/auth/tokens', json=token)
    http.get(re.compile(nova.HOST), json=answer)
    return http


@pytest.mark.parametrize('found', CONTRACTS)
def test_contract_holds_for_each_request(cloud, found):
    """Of seven pages (the last image was on a full one), and an image."""
    steps = found(new_session())
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        compute, change = next(steps)
    api = ImagesAPI(compute)
    for number, image in enumerate(api.list_detail(LIMIT)):
        assert image.id == nova.image_id(number)
        change(number + 1)
    for number in (1, 2):
        change(PAGES + number)
        assert api.get(ID).id == ID
    sent = [r for r in cloud.request_history if '/images' in r.path]
    assert len(sent) == PAGES + 1 + (1 if found in CACHED else 2)
    with pytest.raises(StopIteration):
        steps.send(sent)


def test_cookies_are_kept_and_updated():
    # On real HTTP, because requests-mock does not support cookies.
    serve = canned_cloud.Nova(map(canned_cloud.image, range(PAGES)))
    nodes = itertools.count(1)

    def answer(request):
        response = serve(request)
        response.headers['Set-Cookie'] = f'node=n{next(nodes)}; Path=/'
        return response

    with canned_cloud.canned_cloud(answer) as server:
        auth = token_endpoint.Token(f'{server.url}/v2.1', 'token')
        api = ImagesAPI(adapter.Adapter(session.Session(auth)))
        assert len([*api.list_detail(LIMIT)]) == PAGES
        cookies = [r.headers.get('cookie') for r in server.requests]
    assert cookies == [None, *(f'node=n{n}' for n in range(1, PAGES + 1))]
