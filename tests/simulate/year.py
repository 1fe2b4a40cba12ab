# SPDX-License-Identifier: Apache-2.0

"""The nights of a year."""

import random

import requests_mock

from testbed import nova
from tests.oracle import client
from tests.oracle.invariant import Fault
from tests.simulate.clock import Clock
from tests.simulate.clock import ZONES
from tests.simulate.cloud import Cloud
from tests.simulate.cloud import Killed
from tests.simulate.guard import Guard
from tests.simulate.life import Life
from tests.simulate.plan import of
from tests.simulate.plan import Plan
from tests.unit.conftest import set_catalog

DAYS = 400
_HOUR = 3600.0


class Year:
    """A year under a seed.

    :ivar counts: how often something happened
    """

    def __init__(self, seed, mocker):
        self._seed = seed
        self._chance = random.Random(seed)
        self._clock = Clock()
        self._zone = self._chance.choice(ZONES)
        set_catalog(mocker, {'r0': nova.ENDPOINT})
        self._cloud = Cloud(self._chance, self._clock).serve(mocker)
        self._plan = Plan(self._chance)
        self._clock.now = 1.7e9
        self._life = Life(self._chance, self._clock, self._cloud)
        self._guard = Guard(self._clock, self._cloud, self._plan)
        counted = ('created', 'deleted', 'ok', 'not ok', 'killed', 'calm')
        self.counts = dict.fromkeys(counted, 0)

    def live(self, days):
        again = f'./run simulate 1 --seed {self._seed} --days'
        with self._clock.patched(self._zone, self._life.pass_time):
            for day in range(days):
                try:
                    self._day(day)
                except Exception as e:
                    e.add_note(f'again: {again} {day + 1}: {self._plan.words}')
                    raise

    def _day(self, day):
        self._life.pass_time(_HOUR * self._chance.randrange(18))
        self._life.morning()
        self._clock.set_local(day, self._chance.randrange(20))
        self._life.pass_time(0)
        self._clock.offset = 0.0
        self._cloud.calm_down()
        if self._chance.random() < 0.4:
            self._cloud.down.clear()
            self._calm_night()
            return
        self._clock.offset = _HOUR * self._chance.choice([0, 0, 0, -9, -1, 5])
        self._cloud.worsen()
        for name in ('create', 'check', 'prune'):
            if self._chance.random() < 0.9:
                self._run(name)
                self._life.pass_time(_HOUR)

    def _calm_night(self):
        """Nothing fails, and nobody else acts: what is said is done."""
        self.counts['calm'] += 1
        cloud, plan = self._cloud, self._plan
        for text in ('created', 'created again'):
            # Of the second run: only if an upload has failed.
            now, images = self._clock.of_client(), cloud.ordered()
            due = {
                each['id']
                for each in cloud.servers.values()
                if plan.is_due(now, each, of(each['id'], images))
            }
            self._run('create')
            self._expect(text, due)
            self._life.pass_time(_HOUR)
        code = self._run('check')
        if (code == 0) != self._guard.is_covered():
            raise Fault(f'check exited with {code}')
        pruned = {
            image_id
            for image_id in plan.pruned(cloud.ordered())
            if not self._guard.is_used(cloud.images[image_id])
        }
        for text, expected in ('deleted', pruned), ('deleted again', set()):
            if self._run('prune') != 0:
                raise Fault('prune failed')
            self._expect(text, expected)

    def _expect(self, text, expected):
        if (changed := {*self._guard.changed}) != expected:
            raise Fault(f'{text} {changed}, instead of {expected}')

    def _run(self, name):
        """Run a command; return its exit code, or None if it was killed."""
        self._guard.begin()
        code = None
        try:
            code, _rows = client.run(name, self._plan.words[name], self._asked)
        except Killed:
            self.counts['killed'] += 1
        self._cloud.is_killed = False
        if self._guard.faults:
            raise self._guard.faults[0]
        if name == 'check':
            self.counts['not ok' if code else 'ok'] += code is not None
            if code == 0 and not self._guard.is_covered():
                raise Fault('check says OK')
        else:
            what = 'created' if name == 'create' else 'deleted'
            self.counts[what] += len(self._guard.changed)
        return code

    def _asked(self):
        raise AssertionError('it asked')


def live(seed, days=DAYS):
    """Live some days of a year; return how often something happened."""
    with requests_mock.Mocker() as mocker:
        year = Year(seed, mocker)
        year.live(days)
    return year.counts
