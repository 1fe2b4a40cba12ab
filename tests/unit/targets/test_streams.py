# SPDX-License-Identifier: Apache-2.0

"""Lists of several regions: their order and memory."""

import threading
import time

from keystoneauth1 import adapter
from keystoneauth1 import session
import pytest

from osc_compute_images.api import Image
from osc_compute_images.api import ImageNotFound
from osc_compute_images.api import ImagesAPI
from osc_compute_images.targets import streams

pytestmark = pytest.mark.timeout(120, func_only=True)

#: Seconds to wait for an event that must happen.
PATIENCE = 30


def in_order(names, list_images, **options):
    """List regions, each with its own login."""
    apis = {
        name: ImagesAPI(adapter.Adapter(session.Session())) for name in names
    }
    return streams.in_order(
        apis, lambda name, _api: list_images(name), **options
    )


def numbered(name, count=20, note=lambda _number: None):
    """Yield parts of two images."""
    for number in range(count):
        note(number)
        yield [Image(id=f'{name}-{number}-{n}') for n in range(2)]


def ids(results):
    return [image.id for _region, part in results for image in part]


def expected(names, count=20):
    return ids((name, p) for name in names for p in numbered(name, count))


@pytest.mark.parametrize('room', [0, 30, 10**6])
@pytest.mark.parametrize('slow', ['b', 'a', 'c'])
@pytest.mark.parametrize('parallel', [1, 2, 16])
def test_results_are_in_order_of_keys(monkeypatch, room, slow, parallel):
    monkeypatch.setattr(streams, 'MAX_BUFFERED', room)
    names = 'bac'
    begun = threading.Event()
    #: Regions that start while the slow one waits.
    others = {*names[: max(parallel, names.index(slow))]} - {slow}

    def list_images(name):
        if name == slow and others:
            assert begun.wait(PATIENCE)
        elif name in others:
            begun.set()
        return numbered(name)

    results = in_order(names, list_images, parallel=parallel)
    assert ids(results) == expected(names)


def test_buffer_of_waiting_regions_is_limited(monkeypatch):
    monkeypatch.setattr(streams, 'MAX_BUFFERED', 10)
    ahead = []
    first_may_go = threading.Event()

    def note(number):
        ahead.append(number)
        if number == 3:
            first_may_go.set()

    def list_images(name):
        assert name == 'b' or first_may_go.wait(PATIENCE)
        return numbered(name, note=note if name == 'b' else ahead.count)

    results = in_order('ab', list_images)
    next(results)
    # Five parts are in the buffer, and one waits.
    assert len(ahead) <= 6
    assert len(ids(results)) == 2 * 39


def test_closing_results_stops_regions(monkeypatch):
    monkeypatch.setattr(streams, 'MAX_BUFFERED', 10)
    given = []
    before = threading.enumerate()
    results = in_order('ab', lambda name: numbered(name, 10**6, given.append))
    next(results)
    # Otherwise, they would go on meanwhile.
    time.sleep(0.1)
    results.close()
    for thread in threading.enumerate():
        if thread not in before:
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert len(given) < 20


@pytest.mark.parametrize('names', ['a', 'ab', 'ba'])
@pytest.mark.parametrize('error', [ImageNotFound('no'), ZeroDivisionError()])
def test_error_is_last_and_any_other_exception_is_raised(names, error):
    def list_images(name):
        yield from numbered(name, 1)
        if name == 'a':
            raise error

    results = in_order(names, list_images)
    if isinstance(error, ZeroDivisionError):
        with pytest.raises(ZeroDivisionError):
            list(results)
    else:
        results = [*results]
        assert results.pop(names.index('a') + 1) == ('a', error)
        assert ids(results) == expected(names, 1)
