# SPDX-License-Identifier: Apache-2.0

"""Calls for several regions: order, concurrency, failures, early end."""

import threading
import time

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import exceptions as ksa_exceptions
import pytest

from osc_compute_images.api import ImageNotFound
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import in_regions

#: Seconds to wait for an event that must happen.
PATIENCE = 30

pytestmark = pytest.mark.timeout(120, func_only=True)


class Session:
    """Replaces a session, with its own login."""

    timeout = None

    def __init__(self):
        self.auth = object()


class Adapter(ksa_adapter.Adapter):
    """An adapter that sends no requests.

    :param name: name of the region
    :param answer: called with the name for each request
    """

    def __init__(self, name, answer=lambda name: None, server=None, **more):
        super().__init__(more.pop('session', Session()), **more)
        self.name = name
        self.answer = answer
        self.server = server or name

    def get_endpoint(self, *_args, **_kwargs):
        return f'http://{self.server}/v2.1'

    def request(self, url, method, **kwargs):
        assert kwargs['endpoint_override'] == self.get_endpoint()
        return self.answer(self.name)


def send(api):
    """Send a request, and do not interpret the response."""
    adapter = api.adapter
    return adapter.request(
        '/images', 'GET', endpoint_override=adapter.get_endpoint()
    )


def apis(names, *args, **more):
    return {name: ImagesAPI(Adapter(name, *args, **more)) for name in names}


def name_of(api):
    return api.adapter.name


@pytest.mark.parametrize('parallel', [1, 2, 16])
def test_results_are_in_order_of_keys(parallel):
    results = in_regions(apis('badc'), name_of, parallel=parallel)
    assert [(r.region, r.value, r.error) for r in results] == [
        (name, name, None) for name in 'badc'
    ]


def test_unordered_results_are_yielded_when_ready():
    go = {name: threading.Event() for name in 'abc'}

    def call(api):
        assert go[name_of(api)].wait(PATIENCE)

    results = in_regions(apis('abc'), call, ordered=False)
    for name in 'cab':
        go[name].set()
        assert next(results).region == name


def test_results_are_in_order_by_default():
    last = threading.Event()

    def call(api):
        if name_of(api) == 'c':
            last.set()
        assert last.wait(PATIENCE)
        time.sleep(0.1 * (name_of(api) == 'a'))

    results = in_regions(apis('abc'), call)
    assert [result.region for result in results] == ['a', 'b', 'c']


def test_sixteen_calls_are_in_parallel_by_default():
    running = threading.Semaphore(0)
    end = threading.Event()

    def call(_api):
        running.release()
        assert end.wait(PATIENCE)

    results = in_regions(apis(map(str, range(20))), call)
    for _ in range(16):
        assert running.acquire(timeout=PATIENCE)
    assert not running.acquire(timeout=0.2)
    end.set()
    assert len([*results]) == 20


def test_no_regions():
    assert list(in_regions({}, name_of)) == []


@pytest.mark.parametrize('parallel', [0, -1])
def test_parallel_must_be_positive(parallel):
    with pytest.raises(ValueError, match='parallel must be 1 or more'):
        in_regions(apis('a'), name_of, parallel=parallel)


def test_failed_region_does_not_affect_others():
    def call(api):
        if name_of(api) == 'a':
            raise ImageNotFound('no')
        return 1

    a, b = in_regions(apis('ab'), call)
    assert (a.value, b.error) == (None, None)
    assert isinstance(a.error, ImageNotFound)
    assert b.value == 1


@pytest.mark.parametrize('bug', [ZeroDivisionError, SystemExit])
@pytest.mark.parametrize('ordered', [True, False])
def test_unexpected_exception_is_raised(bug, ordered):
    def call(_api):
        raise bug

    with pytest.raises(bug):
        list(in_regions(apis('ab'), call, ordered=ordered))


def test_regions_are_queried_in_parallel():
    names = [f'r{n}' for n in range(8)]
    together = threading.Barrier(len(names), timeout=PATIENCE)
    everyone = apis(names, lambda _name: together.wait())
    results = in_regions(everyone, send)
    assert {result.value for result in results} == set(range(8))


def test_parallel_limits_concurrent_regions():
    now = []
    most = []

    def call(api):
        now.append(api)
        most.append(len(now))
        now.remove(api)

    list(in_regions(apis(map(str, range(20))), call, parallel=3))
    assert max(most) <= 3


def test_adapter_keeps_its_type():
    class Proxy(Adapter):
        pass

    own = Proxy('a', connect_retries=7)
    (result,) = in_regions({'a': ImagesAPI(own)}, lambda api: api.adapter)
    assert type(result.value) is Proxy
    assert result.value.connect_retries == 7
    assert vars(own).keys() == vars(Proxy('a')).keys()


def test_regions_of_one_server_and_login_take_turns():
    busy = threading.Lock()

    def answer(_name):
        assert busy.acquire(blocking=False)
        # Let the other threads run.
        time.sleep(0.001)
        busy.release()

    def call(api):
        for _ in range(10):
            send(api)

    everyone = apis('abc', answer, server='one', session=Session())
    assert not [r for r in in_regions(everyone, call) if r.error]


def test_regions_with_different_logins_do_not_take_turns():
    together = threading.Barrier(3, timeout=PATIENCE)
    everyone = {
        name: ImagesAPI(
            Adapter(name, lambda _name: together.wait(), server='one')
        )
        for name in 'abc'
    }
    assert len([*in_regions(everyone, send)]) == 3


@pytest.mark.parametrize(
    'fault', [ksa_exceptions.ConnectFailure, ksa_exceptions.ConnectTimeout]
)
@pytest.mark.parametrize('shared', [True, False])
def test_unreachable_server_is_tried_in_one_region_only(slept, fault, shared):
    asked = []

    def answer(name):
        asked.append(name)
        raise fault('Dead')

    def answer_of_x(_name):
        raise ImageNotFound('alive')

    more = {'session': Session()} if shared else {}
    everyone = apis('abcdefgh', answer, server='one', **more)
    everyone |= apis('x', answer_of_x)
    # Without parallelism: otherwise any of several logins may be the first.
    results = list(
        in_regions(everyone, lambda api: api.get('1'), parallel=1)
        if not shared
        else in_regions(everyone, lambda api: api.get('1'))
    )
    assert len(set(asked)) == 1
    assert str(results.pop().error) == 'alive'
    errors = {str(result.error) for result in results}
    assert 'one has already failed in another region' in errors
    assert len(errors) == 2


def test_recovered_server_is_used_by_all_regions(slept):
    faults = [ksa_exceptions.ConnectFailure('Not yet')]
    asked = []

    def answer(name):
        asked.append(name)
        if faults:
            raise faults.pop()

    def call(api):
        try:
            send(api)
        except ksa_exceptions.ConnectFailure:
            send(api)

    everyone = apis('abc', answer, server='one', session=Session())
    assert not [r for r in in_regions(everyone, call) if r.error]
    # The region that met the fault retries before another region's turn.
    assert asked[0] == asked[1]
    assert sorted(asked[1:]) == ['a', 'b', 'c']


def test_failed_login_is_not_repeated_in_other_regions():
    tried = []

    class NoLogin(Adapter):
        def get_endpoint(self, *_args, **_kwargs):
            tried.append(self.name)
            raise ksa_exceptions.Unauthorized('Wrong password')

    session = Session()
    everyone = {
        name: ImagesAPI(NoLogin(name, session=session)) for name in 'abcd'
    }
    results = list(in_regions(everyone, lambda api: api.get('1')))
    assert len(tried) == 1
    errors = sorted(str(result.error) for result in results)
    assert errors[0].startswith('Wrong password')
    assert errors[1:] == ['the login has already failed in another region'] * 3


def test_failed_login_does_not_affect_other_logins():
    class NoLogin(Adapter):
        def get_endpoint(self, *_args, **_kwargs):
            raise ksa_exceptions.Unauthorized('Wrong password')

    def answer(_name):
        raise ImageNotFound('alive')

    everyone = {'a': ImagesAPI(NoLogin('a')), **apis('b', answer)}
    results = in_regions(everyone, lambda api: api.get('1'), parallel=1)
    errors = [str(result.error) for result in results]
    assert errors == ['Wrong password (HTTP 401)', 'alive']


def test_different_logins_do_not_wait_for_each_other():
    together = threading.Barrier(3, timeout=PATIENCE)

    class Slow(Adapter):
        def get_endpoint(self, *_args, **_kwargs):
            return together.wait()

    everyone = {name: ImagesAPI(Slow(name)) for name in 'abc'}
    results = in_regions(everyone, lambda api: api.adapter.get_endpoint())
    assert sorted(result.value for result in results) == [0, 1, 2]


def test_arguments_of_requests_are_passed_on():
    class Told(Adapter):
        def get_endpoint(self, *args, **kwargs):
            return args, kwargs

        def request(self, *args, **kwargs):
            return args, kwargs

    def call(api):
        return (
            api.adapter.get_endpoint(1, interface='admin'),
            api.adapter.request('/images', 'GET', 2, endpoint_override='x'),
        )

    ((found, response),) = (
        r.value for r in in_regions({'a': ImagesAPI(Told('a'))}, call)
    )
    assert found == ((1,), {'interface': 'admin'})
    assert response == (('/images', 'GET', 2), {'endpoint_override': 'x'})


@pytest.mark.parametrize('end', ['close', 'drop'])
def test_no_request_is_sent_after_iteration_ends(end):
    sent = []
    sending = threading.Event()
    ended = threading.Event()

    def answer(name):
        sent.append(name)
        sending.set()
        assert ended.wait(PATIENCE)

    def call(api):
        for _ in range(10):
            send(api)

    before = threading.enumerate()
    results = in_regions(apis('abcd', answer), call, parallel=2)
    assert sending.wait(PATIENCE)
    if end == 'close':
        results.close()
    del results
    ended.set()
    for thread in threading.enumerate():
        if thread not in before:
            thread.join(PATIENCE)
            assert not thread.is_alive()
    # Only the requests that had been sent before.
    assert len(sent) <= 2


def test_waiting_region_ends_with_the_iteration():
    failed, retry, ended = (threading.Event() for _ in range(3))

    def answer(_name):
        raise ksa_exceptions.ConnectFailure('Not yet')

    def call(api):
        if name_of(api) == 'a':
            with pytest.raises(ksa_exceptions.ConnectFailure):
                send(api)
            # It keeps its turn, to retry.
            failed.set()
            assert retry.wait(PATIENCE)
            return
        assert failed.wait(PATIENCE)
        try:
            send(api)
        finally:
            ended.set()

    results = in_regions(
        apis('ab', answer, server='x', session=Session()), call
    )
    assert failed.wait(PATIENCE)
    closing = threading.Thread(target=results.close)
    closing.start()
    # Before the other region gives up.
    assert ended.wait(PATIENCE / 2)
    retry.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()


def test_login_without_password_is_error_of_region():
    class NoPassword(Adapter):
        def get_endpoint(self, *_args, **_kwargs):
            raise Exception('password is a required attribute')  # noqa: TRY002

    everyone = {'a': ImagesAPI(NoPassword('a')), **apis('b')}
    a, b = in_regions(everyone, lambda api: api.adapter.get_endpoint())
    assert str(a.error) == 'The login failed: password is a required attribute'
    assert b.value
