# SPDX-License-Identifier: Apache-2.0

"""Requests run in the caller's thread, and errors keep no frames alive."""

import contextvars
import gc
import subprocess
import sys
import threading
import traceback
import weakref

from keystoneauth1 import adapter
import pytest
import requests
import requests_mock

from osc_compute_images import api as images
from osc_compute_images.api import ImagesAPI
from testbed import canned_cloud
from testbed import nova
from tests.unit.conftest import new_session
from tests.unit.conftest import set_catalog

VARIABLE = contextvars.ContextVar('VARIABLE')
LOCAL = threading.local()


def test_request_runs_in_thread_and_context_of_caller(http):
    seen = []

    class Own(adapter.Adapter):
        def request(self, *args, **kwargs):
            seen.append(
                (
                    VARIABLE.get(None),
                    getattr(LOCAL, 'value', None),
                    threading.get_ident(),
                    [frame.name for frame in traceback.extract_stack()],
                )
            )
            return super().request(*args, **kwargs)

    http.get(nova.DETAIL, json=nova.Server(nova.images(*range(3))))
    VARIABLE.set('a')
    LOCAL.value = 'b'
    api = ImagesAPI(Own(new_session(), service_type='compute'))
    assert len(list(api.list_detail(images.ListOpts(limit=1)))) == 3
    assert len(seen) == 4
    for variable, local, thread, frames in seen:
        assert (variable, local) == ('a', 'b')
        assert thread == threading.get_ident()
        assert 'test_request_runs_in_thread_and_context_of_caller' in frames


AT_EXIT = """
import atexit
from keystoneauth1 import adapter, session, token_endpoint
from osc_compute_images.api import ImagesAPI

auth = token_endpoint.Token({url!r}, 'token')
api = ImagesAPI(adapter.Adapter(session.Session(auth)))
atexit.register(lambda: print(len(list(api.list_detail()))))
"""


def test_request_at_exit_of_process():
    with canned_cloud.Server(
        canned_cloud.Nova([canned_cloud.image(1)])
    ) as server:
        done = subprocess.run(
            [sys.executable, '-c', AT_EXIT.format(url=f'{server.url}/v2.1')],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.stdout, done.stderr) == ('1\n', '')


class Local:
    """A local variable of the caller."""


# NOTE: classes, because an instance would keep its traceback.
FAULTS = {
    'refused': {'exc': requests.exceptions.ConnectionError},
    'timeout': {'exc': requests.exceptions.ReadTimeout},
    'busy': {'status_code': 503},
    'not found': {'status_code': 404},
    'redirect': {'status_code': 302, 'headers': {'Location': '/'}},
    'not JSON': {'text': '<html>'},
    'unreadable': {'exc': ValueError},
}


@pytest.mark.parametrize('answer', FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize('method', ['GET', 'DELETE'])
def test_error_keeps_no_frame_alive(api, http, slept, answer, method):
    url = f'{nova.ENDPOINT}/images/x'
    # A deletion without a response is followed by a look at the image.
    http.get(url, json={'image': nova.image(1)})
    http.register_uri(method, url, **answer)
    # After a 404, the API checks whether images are served.
    http.get(f'{nova.ENDPOINT}/', status_code=404)
    http.get(f'{nova.ENDPOINT}/images', json={'images': []})

    def call():
        local = Local()
        found = weakref.ref(local)
        try:
            api.get('x') if method == 'GET' else api.delete('x')
        except images.ImagesError:
            return found
        raise AssertionError('It must fail')

    call()
    gc.collect()
    gc.disable()
    try:
        assert call()() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    'answer', [FAULTS[name] for name in ('refused', 'busy', 'unreadable')]
)
@pytest.mark.parametrize(
    'url', [f'{nova.KEYSTONE}/v3/auth/tokens', f'{nova.HOST}/compute/']
)
def test_error_of_login_or_discovery_keeps_no_frame_alive(
    http, slept, answer, url
):
    set_catalog(http, {'RegionOne': f'{nova.HOST}/compute'})
    http.register_uri(requests_mock.ANY, url, **answer)
    for version in ('v2.1', 'v2'):
        http.get(f'{nova.HOST}/compute/{version}/', status_code=404)
    http.get(f'{nova.HOST}/compute/images/x', status_code=404)
    http.get(f'{nova.HOST}/compute/images', json={'images': []})

    def call():
        local = Local()
        found = weakref.ref(local)
        compute = adapter.Adapter(new_session(), service_type='compute')
        with pytest.raises(images.ImagesError):
            ImagesAPI(compute).get('x')
        return found

    call()
    gc.collect()
    gc.disable()
    try:
        assert call()() is None
    finally:
        gc.enable()


def test_traceback_has_direct_cause_once(api, http, slept):
    http.get(
        nova.DETAIL, exc=requests.exceptions.ConnectionError('refused it')
    )
    with pytest.raises(images.ConnectionFailed) as caught:
        list(api.list_detail())
    error = caught.value
    assert type(error.__cause__).__module__.startswith('keystoneauth1')
    text = ''.join(traceback.format_exception(error))
    lines = [x for x in text.splitlines() if 'ConnectionFailed:' in x]
    assert len(lines) == 1
    assert text.count('direct cause') == 1


def test_http_error_has_no_cause(api, http):
    http.get(nova.DETAIL, **nova.fault(400, 'badRequest', 'No.'))
    with pytest.raises(images.BadRequest) as caught:
        list(api.list_detail())
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
