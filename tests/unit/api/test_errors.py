# SPDX-License-Identifier: Apache-2.0

"""The exceptions: copies, length, tracebacks."""

import copy
import gc
import inspect
import multiprocessing
import pickle
import traceback
import weakref

from keystoneauth1 import adapter
import pytest
import requests

from osc_compute_images import api as images
from osc_compute_images.api import _limits
from osc_compute_images.api import ImagesAPI
from testbed import nova
from tests.unit.conftest import new_session

ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'

#: Arguments of the exceptions, by parameter.
DETAILS = {
    'http_status': 400,
    'request_id': 'req-1',
    'marker': 'the-marker',
    'obtained': 7,
    'versions': ('2.1', '2.104'),
    'ids': ('a', 'b'),
    'key': 'a',
    'gaps': ('a', 'b'),
    'keys': ('a', 'b'),
    'errors': {},
    'image': images.Image(id=ID, metadata={'a': [1]}),
}


def tree(kind=images.ImagesError):
    yield kind
    for each in kind.__subclasses__():
        if each.__module__.startswith('osc_compute_images.'):
            yield from tree(each)


def make_error(kind):
    parameters = list(inspect.signature(kind).parameters)
    assert parameters[0] == 'message'
    details = {name: DETAILS[name] for name in parameters[1:]}
    e = kind('What\nis wrong', **details)
    e.add_note('a note')
    return e


def is_same(one, other):
    assert type(one) is type(other)
    assert str(one) == str(other)
    assert vars(one) == vars(other)
    assert one.args == other.args
    return True


def raise_it(e):
    """Raise an error."""
    raise e


def test_errors_can_be_copied_and_pickled():
    errors = [make_error(kind) for kind in tree()]
    assert len(errors) > 20
    for e in errors:
        assert is_same(copy.copy(e), e)
        assert is_same(copy.deepcopy(e), e)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert is_same(pickle.loads(pickle.dumps(e, protocol)), e)
    context = multiprocessing.get_context('spawn')
    with context.Pool(1) as pool:
        raised = [pool.apply_async(raise_it, (e,)) for e in errors]
        for e, result in zip(errors, raised, strict=True):
            with pytest.raises(type(e)) as caught:
                result.get(timeout=60)
            assert is_same(caught.value, e)


def test_subclass_of_user_can_be_pickled():
    e = UserError('x', 5, y=6)
    assert is_same(pickle.loads(pickle.dumps(e)), e)


class UserError(images.NotFound):
    def __init__(self, text, x, *, y):
        super().__init__(f'{text}{x}')
        self.x = x
        self.y = y


@pytest.mark.parametrize('text', ['a', '\x1b', '\U000e0041', 'a\u202e'])
def test_length_of_error_is_limited(text):
    e = images.NotFound(text * 10_000_000, request_id=text * 10_000_000)
    assert len(e.message) <= _limits.MAX_MESSAGE + 3
    assert len(e.request_id) <= _limits.MAX_REQUEST_ID + 3
    assert e.message.endswith('...')


FAULT = nova.fault(500, 'computeFault', 'Unexpected API Error.')


def interrupted(api, http):
    """Fail after the first page of a list."""
    http.get(nova.DETAIL, [{'json': nova.page(nova.images(1, 2))}, FAULT])
    list(api.list_detail(images.ListOpts(limit=2)))


def markers_rejected(api, http):
    """Reject all markers of a list."""
    refusal = nova.fault(400, 'badRequest', 'No image found with ID x')
    http.get(nova.DETAIL, [{'json': nova.page(nova.images(1, 2))}, refusal])
    list(api.list_detail(images.ListOpts(limit=2)))


def missing(api, http):
    """Get a missing image."""
    http.get(ONE, **nova.NOT_FOUND)
    api.get(ID)


def not_served(api, http):
    """Get an image from a service that does not serve images."""
    http.get(ONE, **nova.NO_ROUTE)
    http.get(f'{nova.ENDPOINT}/images', **nova.NO_ROUTE)
    http.get(f'{nova.ENDPOINT}/', status_code=404)
    api.get(ID)


def busy(api, http):
    """Get an image from a busy server."""
    http.get(ONE, status_code=503)
    api.get(ID)


def refused(api, http):
    """Get an image from a server that cannot be reached."""
    http.get(ONE, exc=requests.ConnectionError)
    api.get(ID)


def login_refused(api, http):
    """Log in to a Keystone that cannot be reached."""
    http.post(
        f'{nova.KEYSTONE}/v3/auth/tokens',
        exc=requests.ConnectionError,
    )
    ImagesAPI(adapter.Adapter(new_session(), service_type='compute')).get(ID)


def not_json(api, http):
    """Get a response that is not JSON."""
    http.get(ONE, text='<html>')
    api.get(ID)


def vanished(api, http):
    """Wait for an image that vanishes."""
    http.get(ONE, **nova.NOT_FOUND)
    api.wait_for(images.Image(id=ID))


def missing_server(api, http):
    """Find a missing server."""
    http.get(f'{nova.ENDPOINT}/servers', json={'servers': []})
    api.find_server_id('x')


FAILING = [
    interrupted,
    markers_rejected,
    missing,
    not_served,
    busy,
    refused,
    login_refused,
    not_json,
    vanished,
    missing_server,
]


class Held:
    """A local variable."""


def fail(call, api, http):
    held = Held()
    reference = weakref.ref(held)
    try:
        call(api, http)
    except images.ImagesError as e:
        # Only this frame is in the traceback, and nothing else keeps it.
        shown = traceback.format_exception(e)
    return reference, shown


@pytest.mark.parametrize('call', FAILING)
def test_error_keeps_no_frame_alive(api, http, slept, call):
    # The first call fills caches.
    fail(call, api, http)
    gc.collect()
    gc.disable()
    try:
        reference, _shown = fail(call, api, http)
        assert reference() is None
    finally:
        gc.enable()


@pytest.mark.parametrize('call', FAILING)
def test_traceback_has_each_cause_once(api, http, slept, call):
    _reference, shown = fail(call, api, http)
    errors = [
        line
        for line in ''.join(shown).splitlines()
        if line.startswith('osc_compute_images.')
    ]
    assert errors
    assert len(errors) == len(set(errors))
    assert '_PassingFault' not in ''.join(shown)
