# SPDX-License-Identifier: Apache-2.0

"""Requests run in the caller's thread, and errors keep no frames alive."""

import contextvars
import gc
import threading
import traceback
import weakref

from keystoneauth1 import adapter
import pytest
import requests
import requests_mock

from osc_compute_images import api as images
from osc_compute_images.api import ImagesAPI
from testbed import nova
from tests.unit.conftest import new_session
from tests.unit.conftest import set_catalog

VARIABLE = contextvars.ContextVar('VARIABLE')


def test_request_runs_in_thread_and_context_of_caller(http):
    seen = []

    class Own(adapter.Adapter):
        def request(self, *args, **kwargs):
            names = [frame.name for frame in traceback.extract_stack()]
            ours = 'test_request_runs_in_thread_and_context_of_caller' in names
            seen.append((VARIABLE.get(None), threading.get_ident(), ours))
            return super().request(*args, **kwargs)

    http.get(nova.DETAIL, json=nova.Server(nova.images(*range(3))))
    VARIABLE.set('a')
    api = ImagesAPI(Own(new_session(), service_type='compute'))
    assert len(list(api.list_detail(images.ListOpts(limit=1)))) == 3
    assert seen == [('a', threading.get_ident(), True)] * 4


class Local:
    """A local variable of the caller."""


# NOTE: classes, because an instance would keep its traceback.
REFUSED = {'exc': requests.exceptions.ConnectionError}
TOKENS = f'{nova.KEYSTONE}/v3/auth/tokens'
ONE = f'{nova.HOST}/compute/v2.1/images/x'
FAULTS = [
    (ONE, REFUSED),
    (ONE, {'exc': requests.exceptions.ReadTimeout}),
    (ONE, {'status_code': 503}),
    (ONE, {'status_code': 404}),
    (ONE, {'status_code': 302, 'headers': {'Location': '/'}}),
    (ONE, {'text': '<html>'}),
    (ONE, {'exc': ValueError}),
    (TOKENS, REFUSED),
    (TOKENS, {'status_code': 503}),
    (TOKENS, {'exc': ValueError}),
    (f'{nova.HOST}/compute/v2.1/', REFUSED),
]


@pytest.mark.parametrize(('url', 'answer'), FAULTS)
@pytest.mark.parametrize('method', ['GET', 'DELETE'])
def test_error_keeps_no_frame_alive(http, slept, url, answer, method):
    set_catalog(http, {'RegionOne': f'{nova.HOST}/compute'})
    http.get(f'{nova.HOST}/compute/v2.1/', json={})
    # A deletion without a response is followed by a look at the image.
    http.get(ONE, json={'image': nova.image(1)})
    # After a 404, the API checks whether images are served.
    http.get(f'{nova.HOST}/compute/v2.1/images', json={'images': []})
    http.register_uri(
        method if url == ONE else requests_mock.ANY, url, **answer
    )

    def call():
        local = Local()
        found = weakref.ref(local)
        compute = adapter.Adapter(new_session(), service_type='compute')
        api = ImagesAPI(compute)
        with pytest.raises(images.ImagesError):
            api.get('x') if method == 'GET' else api.delete('x')
        return found

    call()
    gc.collect()
    gc.disable()
    try:
        assert call()() is None
    finally:
        gc.enable()


def test_traceback_has_direct_cause_once(api, http, slept):
    http.get(nova.DETAIL, **REFUSED)
    with pytest.raises(images.ConnectionFailed) as caught:
        list(api.list_detail())
    text = ''.join(traceback.format_exception(caught.value))
    assert type(caught.value.__cause__).__module__.startswith('keystoneauth1')
    assert text.count('ConnectionFailed:') == 1
    assert text.count('direct cause') == 1


def test_http_error_has_no_cause(api, http):
    http.get(nova.DETAIL, **nova.fault(400, 'badRequest', 'No.'))
    with pytest.raises(images.BadRequest) as caught:
        list(api.list_detail())
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
