# SPDX-License-Identifier: Apache-2.0

"""The exceptions: copies, length, tracebacks."""

import copy
import gc
import inspect
import pickle
import re
import traceback
import weakref

import pytest
import requests
import requests_mock

from osc_compute_images import api as images
from osc_compute_images.api import _errors
from testbed import nova

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


class UserError(images.NotFound):
    def __init__(self, text, x, *, y):
        super().__init__(f'{text}{x}')
        self.x = x
        self.y = y


def test_errors_can_be_copied_and_pickled():
    errors = [*map(make_error, tree()), UserError('x', 5, y=6)]
    assert len(errors) > 20
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    for e in errors:
        pickled = [pickle.dumps(e, protocol) for protocol in protocols]
        made = [copy.copy(e), copy.deepcopy(e), *map(pickle.loads, pickled)]
        for one in made:
            assert type(one) is type(e)
            assert str(one) == str(e)
            assert vars(one) == vars(e)
            assert one.args == e.args


@pytest.mark.parametrize('text', ['a', '\x1b', '\U000e0041', 'a\u202e'])
def test_error_is_printable_and_of_limited_length(text):
    e = images.NotFound(text * 10_000_000, request_id=text * 10_000_000)
    assert len(e.message) <= _errors.MAX_MESSAGE + 3
    assert len(e.request_id) <= _errors.MAX_REQUEST_ID + 3
    assert e.message.endswith('...')
    assert str(e).isprintable()


PAGE = {'json': nova.page(nova.images(1, 2))}
LOGIN = f'{nova.KEYSTONE}/v3/auth/tokens'
UNREACHABLE = {'exc': requests.ConnectionError}
BUSY = {'status_code': 503}
REJECTED = nova.fault(400, 'badRequest', 'No image found with ID x')


def listed(api):
    return [*api.list_detail(images.ListOpts(limit=2))]


def got(api):
    return api.get(ID)


#: A URL, how it answers, and a call that fails.
FAILING = {
    'interrupted': (nova.DETAIL, [PAGE, BUSY], listed),
    'all markers rejected': (nova.DETAIL, [PAGE, REJECTED], listed),
    'missing': (ONE, [nova.NOT_FOUND], got),
    'not served': (ONE, [nova.NO_ROUTE], got),
    'busy': (ONE, [BUSY], got),
    'refused': (ONE, [UNREACHABLE], got),
    'not JSON': (ONE, [{'text': '<html>'}], got),
    'redirected': (ONE, [{'status_code': 302}], got),
    'invalid header': (ONE, [{'exc': ValueError}], got),
    'deletion refused': (ONE, [UNREACHABLE], lambda api: api.delete(ID)),
    'login busy': (LOGIN, [BUSY], got),
    'vanished': (
        ONE,
        [nova.NOT_FOUND],
        lambda api: api.wait_for(images.Image(id=ID)),
    ),
}


class Held:
    """A local variable."""


def fail(api, http, url, answers, call):
    held = Held()
    reference = weakref.ref(held)
    http.get(f'{nova.ENDPOINT}/', status_code=404)
    http.get(f'{nova.ENDPOINT}/images', **nova.NO_ROUTE)
    http.register_uri(requests_mock.ANY, url, answers)
    try:
        call(api)
    except images.ImagesError as e:
        # Only this frame is in the traceback, and nothing else keeps it.
        shown = ''.join(traceback.format_exception(e))
    return reference, shown


@pytest.mark.parametrize('failing', FAILING.values(), ids=FAILING)
def test_error_keeps_no_frame_alive_and_shows_each_cause_once(
    api, http, slept, failing
):
    # The first call fills caches.
    fail(api, http, *failing)
    gc.collect()
    gc.disable()
    try:
        reference, shown = fail(api, http, *failing)
        assert reference() is None
    finally:
        gc.enable()
    errors = re.findall(r'^osc_compute_images\..*', shown, re.MULTILINE)
    assert errors
    assert len(errors) == len(set(errors))
    if 'exc' in failing[1][-1]:
        assert 'The above exception' in shown
