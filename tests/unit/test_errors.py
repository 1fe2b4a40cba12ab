# SPDX-License-Identifier: Apache-2.0

import copy
import gc
import inspect
import multiprocessing
import pickle
import traceback
import weakref

import pytest

from osc_compute_images import api as images
from osc_compute_images.api import _limits
from testbed import nova

ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'

#: What the errors are made with, by the names of their parameters.
DETAILS = {
    'http_status': 400,
    'request_id': 'req-1',
    'marker': 'the-marker',
    'obtained': 7,
    'versions': ('2.1', '2.104'),
    'ids': ('a', 'b'),
    'key': 'a',
    'keys': ('a', 'b'),
    'errors': {},
    'image': images.Image(id=ID, metadata={'a': [1]}),
}


def tree(kind=images.ImagesError):
    yield kind
    for each in kind.__subclasses__():
        if each.__module__.startswith('osc_compute_images.'):
            yield from tree(each)


def an_error(kind):
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
    """Raise an error, in another process."""
    raise e


def test_every_error_can_be_copied_and_raised_in_another_process():
    errors = [an_error(kind) for kind in tree()]
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


def test_an_error_of_somebody_elses_kind_can_be_copied():
    e = OfSomebodyElse('x', 5, y=6)
    assert is_same(pickle.loads(pickle.dumps(e)), e)


class OfSomebodyElse(images.NotFound):
    def __init__(self, text, x, *, y):
        super().__init__(f'{text}{x}')
        self.x = x
        self.y = y


@pytest.mark.parametrize('text', ['a', '\x1b', '\U000e0041', 'a\u202e'])
def test_an_error_is_of_bounded_length(text):
    e = images.NotFound(text * 10_000_000, request_id=text * 10_000_000)
    assert len(e.message) <= _limits.MAX_MESSAGE + 3
    assert len(e.request_id) <= _limits.MAX_REQUEST_ID + 3
    assert e.message.endswith('...')


FAULT = nova.fault(500, 'computeFault', 'Unexpected API Error.')


def broken_off(api, http):
    """Interrupt a listing."""
    http.get(nova.DETAIL, [{'json': nova.page(nova.images(1, 2))}, FAULT])
    list(api.list_detail(images.ListOpts(limit=2)))


def refused(api, http):
    """Refuse all markers of a listing."""
    refusal = nova.fault(400, 'badRequest', 'No image found with ID x')
    http.get(nova.DETAIL, [{'json': nova.page(nova.images(1, 2))}, refusal])
    list(api.list_detail(images.ListOpts(limit=2)))


def absent(api, http):
    """Ask for an image that is not there."""
    http.get(ONE, **nova.NOT_FOUND)
    api.get(ID)


def not_served(api, http):
    """Ask a service that has no images."""
    http.get(ONE, **nova.NO_ROUTE)
    http.get(f'{nova.ENDPOINT}/images', **nova.NO_ROUTE)
    http.get(f'{nova.ENDPOINT}/', status_code=404)
    api.get(ID)


def busy(api, http):
    """Ask again and again."""
    http.get(ONE, status_code=503)
    api.get(ID)


def no_json(api, http):
    """Get something else than an image."""
    http.get(ONE, text='<html>')
    api.get(ID)


def vanished(api, http):
    """Wait for an image that vanishes."""
    http.get(ONE, **nova.NOT_FOUND)
    api.wait_for(images.Image(id=ID))


def no_server(api, http):
    """Look for a server that there is not."""
    http.get(f'{nova.ENDPOINT}/servers', json={'servers': []})
    api.find_server_id('x')


FAILING = [
    broken_off,
    refused,
    absent,
    not_served,
    busy,
    no_json,
    vanished,
    no_server,
]


class Held:
    """Something that a frame holds."""


def fail(call, api, http):
    held = Held()
    reference = weakref.ref(held)
    try:
        call(api, http)
    except images.ImagesError as e:
        # What is raised goes through this frame, and is kept by no other.
        shown = traceback.format_exception(e)
    return reference, shown


@pytest.mark.parametrize('call', FAILING)
def test_an_error_keeps_no_frame_alive(api, http, slept, call):
    # The first time more is done.
    fail(call, api, http)
    gc.collect()
    gc.disable()
    try:
        reference, _shown = fail(call, api, http)
        assert reference() is None
    finally:
        gc.enable()


@pytest.mark.parametrize('call', FAILING)
def test_a_traceback_names_each_cause_once(api, http, slept, call):
    _reference, shown = fail(call, api, http)
    errors = [
        line
        for line in ''.join(shown).splitlines()
        if line.startswith('osc_compute_images.')
    ]
    assert errors
    assert len(errors) == len(set(errors))
    assert '_PassingFault' not in ''.join(shown)
