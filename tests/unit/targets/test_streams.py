# SPDX-License-Identifier: Apache-2.0

"""Lists of several regions: their order and memory."""

import threading

import pytest

from osc_compute_images.api import Image
from osc_compute_images.api import ImageNotFound
from osc_compute_images.targets import streams
from tests.unit.api.clouds.test_regions import apis
from tests.unit.api.clouds.test_regions import PATIENCE

pytestmark = pytest.mark.timeout(120, func_only=True)


def numbered(name, numbers):
    for number in numbers:
        yield [Image(id=f'{name}-{number}-{n}') for n in range(2)]


def ids(results):
    return [image.id for _region, part in results for image in part]


def expected(counts):
    return [
        f'{region}-{part}-{n}'
        for region, parts in counts.items()
        for part in range(parts)
        for n in range(2)
    ]


@pytest.mark.parametrize('parallel', [1, 2, 16])
def test_results_are_in_order_of_keys(parallel):
    counts = {'b': 3, 'a': 2, 'c': 0, 'd': 1}
    results = streams.in_order(
        apis(counts),
        lambda name, _api: numbered(name, range(counts[name])),
        parallel=parallel,
    )
    assert ids(results) == expected(counts)


@pytest.mark.parametrize('room', [0, 300, 10**6])
@pytest.mark.parametrize('slow', ['a', 'b', 'c'])
@pytest.mark.parametrize('parallel', [1, 2, 3])
def test_order_with_small_buffer_and_slow_region(
    monkeypatch, room, slow, parallel
):
    monkeypatch.setattr(streams, 'MAX_BUFFERED', room)
    counts = dict.fromkeys('abc', 20)
    begun = threading.Event()
    #: Regions that start while the slow one waits.
    others = [
        name
        for name in 'abc'[: max(parallel, 'abc'.index(slow))]
        if name != slow
    ]

    def list_images(name, _api):
        if name == slow and others:
            assert begun.wait(PATIENCE)
        elif name in others:
            begun.set()
        yield from numbered(name, range(20))

    results = streams.in_order(apis('abc'), list_images, parallel=parallel)
    assert ids(results) == expected(counts)


def test_buffer_of_waiting_regions_is_limited(monkeypatch):
    monkeypatch.setattr(streams, 'MAX_BUFFERED', 10)
    ahead = []
    first_may_go = threading.Event()

    def list_images(name, _api):
        if name == 'a':
            assert first_may_go.wait(PATIENCE)
        for number in range(100):
            if name == 'b':
                ahead.append(number)
                if number == 3:
                    first_may_go.set()
            yield [Image(id=f'{name}-{number}')]

    results = streams.in_order(apis('ab'), list_images)
    next(results)
    assert len(ahead) < 50
    assert len(ids(results)) == 199


def test_buffer_of_first_region_is_limited(monkeypatch):
    monkeypatch.setattr(streams, 'MAX_BUFFERED', 10)
    given = []

    def list_images(name, _api):
        for number in range(1000):
            given.append(number)
            yield [Image(id=str(number))]

    results = streams.in_order(apis('a'), list_images)
    next(results)
    # Those in 500 bytes, the one that was yielded, and the next one.
    assert len(given) < 20
    results.close()


def test_error_is_last():
    def list_images(name, _api):
        yield [Image(id=name)]
        if name == 'a':
            raise ImageNotFound('no')

    (a, one), (also_a, error), (b, two) = streams.in_order(
        apis('ab'), list_images
    )
    assert (a, also_a, b) == ('a', 'a', 'b')
    assert isinstance(error, ImageNotFound)
    assert [i.id for i in (*one, *two)] == ['a', 'b']


@pytest.mark.parametrize('dying', ['a', 'b'])
def test_exception_in_thread_is_raised(dying):
    def list_images(name, _api):
        if name == dying:
            raise ZeroDivisionError
        yield [Image(id='1')]

    with pytest.raises(ZeroDivisionError):
        list(streams.in_order(apis('ab'), list_images))


def test_closing_results_stops_regions():
    given = []

    def list_images(name, _api):
        for number in range(10**6):
            given.append(number)
            yield [Image(id=str(number), name='n' * 100_000)]

    before = threading.enumerate()
    results = streams.in_order(apis('ab'), list_images)
    next(results)
    results.close()
    for thread in threading.enumerate():
        if thread not in before:
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert len(given) < 10**6
