# SPDX-License-Identifier: Apache-2.0

import threading

import pytest

from osc_compute_images.api import _regions
from osc_compute_images.api import ImageNotFound
from osc_compute_images.api import in_regions
from osc_compute_images.api._image import Image


class FakeAPI:
    """Stands in for ImagesAPI: in_regions() asks it for its server only."""

    def __init__(self, name, server=None):
        self.name = name
        self._server = server or name

    def server(self):
        return self._server


def apis(*names, server=None):
    return {name: FakeAPI(name, server) for name in names}


def parts_of(counts):
    def list_images(api):
        for part in range(counts[api.name]):
            yield [Image(id=f'{api.name}-{part}-{n}') for n in range(2)]

    return list_images


def ids(results):
    return [(region, image.id) for region, part in results for image in part]


@pytest.mark.parametrize('parallel', [1, 2, 16])
def test_regions_come_in_the_order_of_their_names(parallel):
    counts = {'b': 3, 'a': 2, 'c': 0, 'd': 1}
    results = in_regions(apis(*counts), parts_of(counts), parallel=parallel)
    assert ids(results) == [
        (region, f'{region}-{part}-{n}')
        for region in sorted(counts)
        for part in range(counts[region])
        for n in range(2)
    ]


def test_no_regions():
    assert list(in_regions({}, parts_of({}))) == []


def test_a_region_that_fails_is_last_and_does_not_hinder_others():
    def list_images(api):
        yield [Image(id=api.name)]
        if api.name == 'a':
            raise ImageNotFound('no')

    (a, one), (also_a, error), (b, two) = in_regions(
        apis('a', 'b'), list_images
    )
    assert (a, also_a, b) == ('a', 'a', 'b')
    assert isinstance(error, ImageNotFound)
    assert [i.id for i in (*one, *two)] == ['a', 'b']


def test_a_bug_is_not_taken_for_a_fault_of_the_region():
    def list_images(_api):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(in_regions(apis('a'), list_images))


def test_all_regions_are_asked_at_the_same_time():
    names = [f'r{n}' for n in range(8)]
    together = threading.Barrier(len(names), timeout=30)

    def list_images(api):
        for _ in range(3):
            together.wait()
            yield [Image(id=api.name)]

    assert len(list(in_regions(apis(*names), list_images))) == 24


def test_no_more_regions_than_told_are_asked_at_the_same_time():
    now = []
    most = []

    def list_images(api):
        now.append(api)
        most.append(len(now))
        yield [Image(id=api.name)]
        now.remove(api)

    names = [f'r{n}' for n in range(20)]
    list(in_regions(apis(*names), list_images, parallel=3))
    assert max(most) <= 3


def test_a_server_of_several_regions_is_asked_for_one_thing_at_a_time():
    busy = threading.Lock()

    def list_images(api):
        for _ in range(50):
            assert busy.acquire(blocking=False)
            busy.release()
            yield [Image(id=api.name)]

    results = in_regions(apis('a', 'b', 'c', server='one'), list_images)
    assert len(list(results)) == 150


def test_what_waits_for_its_turn_is_bounded(monkeypatch):
    monkeypatch.setattr(_regions, '_ROOM', 500)
    ahead = []
    first_may_go = threading.Event()

    def list_images(api):
        if api.name == 'a':
            first_may_go.wait(30)
        for number in range(100):
            if api.name == 'b':
                ahead.append(number)
                if number == 3:
                    first_may_go.set()
            yield [Image(id=f'{api.name}-{number}')]

    results = in_regions(apis('a', 'b'), list_images)
    next(results)
    assert len(ahead) < 50
    assert len(ids(results)) == 199


def test_whoever_stops_listening_stops_the_regions():
    asked = []

    def list_images(api):
        for number in range(10**6):
            asked.append(number)
            yield [Image(id=str(number), name='n' * 100_000)]

    before = threading.enumerate()
    results = in_regions(apis('a', 'b'), list_images)
    next(results)
    results.close()
    for thread in threading.enumerate():
        if thread not in before:
            thread.join(30)
    count = len(asked)
    assert count < 10**6
    assert count == len(asked)
