# SPDX-License-Identifier: Apache-2.0

"""Calls for several regions: order, concurrency, failures, early end."""

from concurrent.futures import ThreadPoolExecutor
import threading
import traceback

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import plugin
from keystoneauth1 import session as ksa_session
import pytest

from osc_compute_images import api as images
from osc_compute_images.api import in_regions
from testbed import nova

#: Seconds to wait for an event that must happen.
PATIENCE = 30

pytestmark = pytest.mark.timeout(120, func_only=True)


class Login(plugin.BaseAuthPlugin):
    """A login that calls a function instead of sending a request."""

    def __init__(self, attempt=lambda: None):
        super().__init__()
        self.attempt = attempt
        self.attempts = 0

    def get_token(self, _session):
        self.attempts += 1
        self.attempt()
        return 'token'


def apis(names, login=None, *, session=None, **options):
    """Return the APIs of regions, each with its own login, or with one."""

    def api_of(name):
        below = session or ksa_session.Session(login or Login())
        adapter = ksa_adapter.Adapter(below, region_name=name, **options)
        return images.ImagesAPI(adapter)

    return {name: api_of(name) for name in names}


def name_of(api):
    return api.adapter.region_name


@pytest.mark.parametrize(
    ('turns', 'options', 'order'),
    [
        ('cab', {}, 'abc'),
        ('cab', {'ordered': False}, 'cab'),
        ('abc', {'parallel': 1}, 'abc'),
    ],
)
def test_results_are_in_order_of_keys_or_as_completed(turns, options, order):
    go = {name: threading.Event() for name in turns}
    go[turns[0]].set()
    results = in_regions(
        apis('abc'), lambda api: go[name_of(api)].wait(PATIENCE), **options
    )
    found = []
    for name in turns[1:]:
        if order == turns:
            found.append(next(results))
        go[name].set()
    found += results
    assert found == [images.RegionSuccess(name, True) for name in order]


@pytest.mark.parametrize(
    ('parallel', 'options'),
    [(1, {'parallel': 1}), (3, {'parallel': 3}), (16, {})],
)
def test_parallel_is_the_number_of_concurrent_regions(parallel, options):
    together = threading.Barrier(parallel, timeout=PATIENCE)
    running, most = [], []

    def call(api):
        running.append(api)
        most.append(len(running))
        together.wait()
        running.remove(api)
        # So that no other region begins before all these have ended.
        together.wait()

    names = map(str, range(4 * parallel))
    results = in_regions(apis(names), call, **options)
    assert not [result for result in results if result.error]
    assert max(most) == parallel


def test_number_of_regions_and_of_threads():
    assert list(in_regions({}, name_of)) == []
    # One alone is in this thread, which receives signals.
    (one,) = in_regions(apis('a'), lambda _api: threading.get_ident())
    assert one.value == threading.get_ident()
    with pytest.raises(ValueError, match='parallel must be 1 or more'):
        in_regions(apis('a'), name_of, parallel=0)


def test_failed_region_does_not_affect_others():
    cause = KeyError('why')

    def call(api):
        if name_of(api) == 'a':
            raise images.ImageNotFound('no', request_id='req-1') from cause
        return []

    a, b = in_regions(apis('ab'), call)
    assert isinstance(a, images.RegionFailure)
    assert (a.region, a.value, a.error.message) == ('a', None, 'no')
    assert b == images.RegionSuccess('b', [])
    assert b.unwrap() == []
    tracebacks = set()
    for _ in range(3):
        with pytest.raises(images.ImageNotFound, match='no') as caught:
            a.unwrap()
        assert caught.value.request_id == 'req-1'
        assert caught.value.__cause__ is cause
        frames = traceback.extract_tb(caught.tb)
        tracebacks.add(tuple(frame.name for frame in frames))
    # The traceback does not grow.
    ((*_, last),) = tracebacks
    assert last == 'call'


@pytest.mark.parametrize('bug', [ZeroDivisionError, SystemExit])
@pytest.mark.parametrize('where', ['call', 'login'])
def test_unexpected_exception_is_raised(bug, where):
    def fail(*_args):
        raise bug

    login, call = (fail, name_of) if where == 'login' else (None, fail)
    for ordered in (True, False):
        everyone = apis('ab', login and Login(login))
        with pytest.raises(bug):
            list(in_regions(everyone, call, ordered=ordered))


# -- requests --------------------------------------------------------------


def test_call_may_list_lazily_and_use_threads(http, two_regions, ksa_session):
    everyone = apis(
        ('RegionOne', 'RegionTwo'), session=ksa_session, service_type='compute'
    )

    def names(api):
        return [image.name for image in api.list_detail()]

    def call(api):
        with ThreadPoolExecutor(4) as pool:
            return [*pool.map(names, [api] * 8)], api.list_detail()

    for number, result in enumerate(in_regions(everyone, call), 1):
        lists, lazy = result.unwrap()
        assert lists == [[f'cirros-{number}']] * 8
        assert [i.name for i in lazy] == lists[0]
    assert [r.path for r in http.request_history].count('/v3/auth/tokens') == 1


# -- logins ----------------------------------------------------------------


@pytest.mark.parametrize('override', [None, nova.ENDPOINT])
@pytest.mark.parametrize('parallel', [1, 16])
def test_wrong_password_is_tried_once(http, ksa_session, override, parallel):
    http.post(
        f'{nova.KEYSTONE}/v3/auth/tokens', **nova.fault(401, 'error', 'No.')
    )
    everyone = apis(
        'abcdefgh',
        session=ksa_session,
        service_type='compute',
        endpoint_override=override,
    )
    results = in_regions(everyone, name_of, parallel=parallel)
    errors = [result.error for result in results]
    assert len(http.request_history) == 1
    assert {(type(e), e.message) for e in errors} == {
        (images.Unauthorized, 'No.')
    }
    # Not one exception in several results: its traceback would grow.
    assert len({id(e) for e in errors}) == 8


def test_failed_login_does_not_affect_other_logins(slept):
    def refuse():
        raise ksa_exceptions.ConnectFailure('Dead')

    dead = Login(refuse)
    *failed, last = in_regions({**apis('abcd', dead), **apis('e')}, name_of)
    assert last.value == 'e'
    errors = {(type(r.error), str(r.error)) for r in failed}
    assert errors == {(images.ConnectionFailed, 'Dead')}
    # One region retries it, the others wait.
    assert (dead.attempts, len(slept)) == (4, 3)


def test_different_logins_do_not_wait_for_each_other():
    together = threading.Barrier(3, timeout=PATIENCE)
    login, inner, outer = (Login(together.wait) for _ in range(3))
    everyone = apis('a', login)
    # The login of an adapter replaces that of its session.
    everyone |= apis('b', auth=outer)
    nested = ksa_adapter.Adapter(ksa_session.Session(inner))
    everyone |= apis('c', session=nested)
    # This one needs none.
    everyone |= apis('d', session=ksa_session.Session())
    assert [r.value for r in in_regions(everyone, name_of)] == [*'abcd']
    assert {x.attempts for x in (login, inner, outer)} == {1}


# -- early end -------------------------------------------------------------


@pytest.mark.parametrize('end', ['close', 'drop'])
def test_no_region_is_begun_after_iteration_ends(end):
    begun = []
    both = threading.Barrier(3, timeout=PATIENCE)
    ended = threading.Event()

    def call(api):
        begun.append(name_of(api))
        both.wait()
        assert ended.wait(PATIENCE)

    before = threading.enumerate()
    results = in_regions(apis('abcd'), call, parallel=2)
    # They begin before the first result is asked for.
    both.wait()
    if end == 'close':
        results.close()
    del results
    ended.set()
    for thread in threading.enumerate():
        if thread not in before:
            # Or the process would not end before it.
            assert thread.daemon
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert sorted(begun) == ['a', 'b']
