# SPDX-License-Identifier: Apache-2.0

"""Settings of the libraries apply to every request, not only to the first.

Each contract is a feature of keystoneauth, requests, openstacksdk, or of a
library that plugs into them. All are tested with a list of six pages, and with
two requests for the same image.
"""

import itertools
import logging
import logging.handlers
import re
import socket
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

from osc_compute_images import api as images
from osc_compute_images.api import ImagesAPI
from testbed import canned_cloud
from testbed import nova
from tests.unit.conftest import new_session

ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'
PAGES = 6


class Contract:
    """One contract, with the user's adapter.

    :cvar asks: how many requests two calls for the same image send
    """

    asks = 2

    def __init__(self):
        self.session = new_session()
        self.adapter = self.make(self.session)

    def make(self, session_):
        return adapter.Adapter(session_, service_type='compute')

    def change(self, number):
        """Change a setting after a request."""

    def check(self, sent):
        """Check the requests to Compute, and the effect of the setting."""
        raise NotImplementedError

    def close(self):
        """Clean up."""


class Counting:
    def __init__(self):
        self.count = 0

    def __enter__(self):
        self.count += 1

    def __exit__(self, *_):
        pass


class AdapterSemaphore(Contract):
    def make(self, session_):
        self.seen = Counting()
        made = super().make(session_)
        # rate_limit and concurrency create a semaphore.
        made._rate_semaphore = self.seen
        return made

    def check(self, sent):
        assert self.seen.count == len(sent)


class SessionSemaphore(Contract):
    def make(self, _session):
        self.seen = Counting()
        below = session.Session(new_session().auth, rate_semaphore=self.seen)
        made = super().make(below)
        made._rate_semaphore = None
        return made

    def check(self, sent):
        # The token takes one more.
        assert self.seen.count == len(sent) + 1


class Own(adapter.Adapter):
    """An adapter that counts requests."""

    count = 0

    def request(self, url, method, **kwargs):
        self.count += 1
        return super().request(url, method, **kwargs)


class OwnAdapter(Contract):
    def make(self, session_):
        self.own = Own(session_, service_type='compute')
        return self.own

    def check(self, sent):
        assert self.own.count == len(sent)


class NestedAdapter(OwnAdapter):
    def make(self, session_):
        below = super().make(session_)
        return adapter.Adapter(below, service_type='compute')


class SessionHooks(Contract):
    def make(self, session_):
        self.seen = []
        session_.session.hooks['response'].append(self.hook)
        return super().make(session_)

    def hook(self, response, **_kwargs):
        # The body is available, as without this API.
        assert response.json()
        self.seen.append(response.url)

    def check(self, sent):
        seen = [url for url in self.seen if url.startswith(nova.HOST)]
        assert len(seen) == len(sent)


class ConnectionParams(Contract):
    def make(self, session_):
        session_.auth.get_connection_params = lambda *_args, **_kwargs: {
            'cert': ('/client.pem', '/client.key'),
            'verify': '/ca.pem',
        }
        return super().make(session_)

    def check(self, sent):
        assert {r.cert for r in sent} == {('/client.pem', '/client.key')}
        assert {r.verify for r in sent} == {'/ca.pem'}


class DebugLater(Contract):
    logger = logging.getLogger('keystoneauth.session')

    def make(self, session_):
        self.handler = logging.handlers.BufferingHandler(1000)
        self.logger.addHandler(self.handler)
        return super().make(session_)

    def change(self, number):
        self.logger.setLevel(logging.DEBUG)

    def check(self, sent):
        lines = [record.getMessage() for record in self.handler.buffer]
        for begin in ('REQ:', 'RESP BODY:'):
            logged = [line for line in lines if line.startswith(begin)]
            assert len(logged) == len(sent) - 1

    def close(self):
        self.logger.setLevel(logging.NOTSET)
        self.logger.removeHandler(self.handler)


class TimingLater(Contract):
    def change(self, number):
        if number == 1:
            self.session._collect_timing = True

    def check(self, sent):
        assert len(self.session.get_timings()) == len(sent) - 1


class HeadersThatChange(Contract):
    def change(self, number):
        self.adapter.global_request_id = f'req-{number}'
        self.session.additional_headers['X-Number'] = str(number)

    def check(self, sent):
        numbers = range(1, len(sent))
        headers = [request.headers for request in sent[1:]]
        assert [h['X-OpenStack-Request-ID'] for h in headers] == [
            f'req-{number}' for number in numbers
        ]
        assert [h['X-Number'] for h in headers] == [str(n) for n in numbers]


class AnotherUser(Contract):
    def change(self, number):
        self.adapter.auth = token_endpoint.Token(
            nova.ENDPOINT, f'token-{number}'
        )

    def check(self, sent):
        assert [request.headers['X-Auth-Token'] for request in sent[1:]] == [
            f'token-{number}' for number in range(1, len(sent))
        ]


class Invalidated(Contract):
    def change(self, number):
        self.session.invalidate()

    def check(self, sent):
        # Keystone issues a new token each time.
        assert len(
            {request.headers['X-Auth-Token'] for request in sent}
        ) == len(sent)


class AnotherEndpoint(Contract):
    def change(self, number):
        self.adapter.endpoint_override = f'{nova.HOST}/n{number}/v2.1'

    def check(self, sent):
        assert [r.path.split('/')[1] for r in sent[1:]] == [
            f'n{number}' for number in range(1, len(sent))
        ]


class RequestsCache(Contract):
    asks = 1

    def make(self, _session):
        self.cache = requests_cache.CachedSession(backend='memory')
        return super().make(
            session.Session(new_session().auth, session=self.cache)
        )

    def check(self, sent):
        assert len(self.cache.cache.responses) >= len(sent)


class Sdk(Contract):
    """openstacksdk with settings."""

    settings = {}

    def make(self, session_):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            config = openstack.config.cloud_region.CloudRegion(
                name='c',
                region_name='RegionOne',
                session=session_,
                config=openstack.config.defaults.get_defaults(),
                **self.options(),
            )
            self.connection = openstack.connection.Connection(config=config)
            return self.connection.compute

    def options(self):
        return {}


class SdkStatsd(Sdk):
    def options(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.socket.settimeout(10)
        host, port = self.socket.getsockname()
        return {
            'statsd_host': host,
            'statsd_port': str(port),
            'statsd_prefix': 'ours',
        }

    def check(self, sent):
        reports = [self.socket.recv(9999).decode() for _ in sent]
        assert all('ours.compute.GET.' in report for report in reports)
        assert all('.200:1|c' in report for report in reports)

    def close(self):
        self.socket.close()


class SdkPrometheus(Sdk):
    def options(self):
        self.registry = prometheus_client.CollectorRegistry()
        return {'collector_registry': self.registry}

    def check(self, sent):
        counted = {
            (sample.labels['endpoint'], sample.value)
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name.endswith('http_requests_total')
        }
        assert sum(value for _, value in counted) == len(sent)


class SdkCache(Sdk):
    asks = 1

    def options(self):
        return {
            'cache_expiration_time': 60,
            'cache_expirations': {
                'compute.image': 60,
                'compute.images.detail': 60,
            },
            'cache_class': 'dogpile.cache.memory',
        }

    def check(self, sent):
        assert self.connection._api_cache_keys


class SdkCacheOnDisk(SdkCache):
    def options(self):
        return {
            **super().options(),
            # This backend pickles its values.
            'cache_class': 'dogpile.cache.memory_pickle',
        }


CONTRACTS = [
    AdapterSemaphore,
    SessionSemaphore,
    OwnAdapter,
    NestedAdapter,
    SessionHooks,
    ConnectionParams,
    DebugLater,
    TimingLater,
    HeadersThatChange,
    AnotherUser,
    Invalidated,
    AnotherEndpoint,
    RequestsCache,
    SdkStatsd,
    SdkPrometheus,
    SdkCache,
    SdkCacheOnDisk,
]


@pytest.fixture
def cloud(http):
    """Mock a cloud that issues a new token for each login."""
    tokens = itertools.count()
    compute = f'{nova.HOST}/'
    nova_server = nova.Server(nova.images(*range(PAGES)))

    def token(_request, context):
        context.headers['X-Subject-Token'] = f'{nova.TOKEN}-{next(tokens)}'
        return token_body

    def answer(request, context):
        context.headers['Content-Type'] = 'application/json'
        if request.path.endswith('/detail'):
            return nova_server(request, context)
        if request.path.endswith(f'/images/{ID}'):
            return {'image': nova.image(1)}
        return {'version': {'id': 'v2.1', 'status': 'CURRENT', 'links': []}}

    token_body = requests.post(f'{nova.KEYSTONE}/v3/auth/tokens').json()
    http.reset_mock()
    http.post(f'{nova.KEYSTONE}/v3/auth/tokens', json=token)
    http.get(re.compile(compute), json=answer)
    return http


def image_requests(http):
    """Return the requests for images that were sent."""
    return [
        request
        for request in http.request_history
        if request.url.startswith(nova.HOST) and '/images' in request.path
    ]


@pytest.fixture(params=CONTRACTS, ids=lambda each: each.__name__)
def contract(request, cloud):
    """Provide each contract."""
    made = request.param()
    yield made
    made.close()


def test_contract_holds_for_each_page(cloud, contract):
    api = ImagesAPI(contract.adapter)
    ids = []
    for number, image in enumerate(
        api.list_detail(images.ListOpts(limit=1)), 1
    ):
        ids.append(image.id)
        contract.change(number)
    assert ids == [nova.image_id(number) for number in range(PAGES)]
    sent = image_requests(cloud)
    # The last page was full, so one more was requested.
    assert len(sent) == PAGES + 1
    contract.check(sent)


def test_contract_holds_for_repeated_requests(cloud, contract):
    api = ImagesAPI(contract.adapter)
    assert api.get(ID).id == ID
    contract.change(1)
    assert api.get(ID).id == ID
    sent = image_requests(cloud)
    assert len(sent) == contract.asks
    contract.check(sent)


def test_cookies_are_kept_and_updated():
    # On real HTTP, because requests-mock does not support cookies.
    images_ = [canned_cloud.image(number) for number in range(PAGES)]
    serve = canned_cloud.Nova(images_)
    nodes = itertools.count(1)

    def answer(request):
        response = serve(request)
        response.headers['Set-Cookie'] = f'node=n{next(nodes)}; Path=/'
        return response

    with canned_cloud.canned_cloud(answer) as server:
        compute = adapter.Adapter(
            session.Session(
                token_endpoint.Token(f'{server.url}/v2.1', 'token')
            )
        )
        api = ImagesAPI(compute)
        assert len(list(api.list_detail(images.ListOpts(limit=1)))) == PAGES
        api.get(images_[0]['id'])
        api.get(images_[0]['id'])
        cookies = [
            request.headers.get('cookie') for request in server.requests
        ]
    assert cookies == [None, *(f'node=n{n}' for n in range(1, PAGES + 3))]
