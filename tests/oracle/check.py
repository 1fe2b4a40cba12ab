# SPDX-License-Identifier: Apache-2.0

"""Run a random command in a random world, and check what it did."""

import json
import random
import tempfile

import requests_mock

from tests.oracle import client
from tests.oracle import commands
from tests.oracle import expectation
from tests.oracle import generate
from tests.oracle.invariant import Fault
from tests.oracle.invariant import Watch

REFUSED = 7
#: Options that have to be given again to apply a plan.
ALLOWING = {'--accept-gaps', '--include-used'}


class Run:
    """A random command, run once.

    :param seed: of everything that is random
    """

    def __init__(self, seed, mocker):
        self._chance = random.Random(seed)
        self.world = generate.world(self._chance)
        self.command = commands.command(self._chance, self.world)
        self.watch = Watch(self.world, self.command)
        # NOTE: no method, as each state of the world would have a copy of it.
        self.world.serve(mocker, lambda *request: self._before(*request))
        self._faults = []
        #: How likely somebody else acts before a request.
        self._acts = 0.0 if self._chance.random() < 0.4 else 0.25

    def check(self):
        """Run the command, and check it: a fault is a broken promise."""
        expected = expectation.of(self.world, self.command)
        is_reviewed = self.command.is_reviewed
        if is_reviewed or not self._acts:
            shown = self._make('--dry-run')
            if self.watch.deleted:
                raise Fault('the dry run deleted images')
        if not is_reviewed:
            done = self._make(*self._approval)
        elif shown[0] != REFUSED:
            shown = shown[0], self._reviewed(shown[1], expected)
            done = self._apply(shown[1])
        else:
            done = shown
        if self._faults:
            raise self._faults[0]
        if done[0] == REFUSED and self.watch.deleted:
            raise Fault('it refused, and changed something')
        if not self._acts:
            self._check_alone(expected, shown, done)

    @property
    def _approval(self):
        return [] if self.command.asks else ['--auto-approve']

    def _make(self, *words):
        name = 'prune' if self.command.kind == 'prune' else 'delete'
        return self._run(name, *self.command.words, *words)

    def _reviewed(self, rows, expected):
        """Return the rows that a person leaves in a plan."""
        left = [row for row in rows if self._chance.random() < 0.8]
        expected.least -= {r['ID'] for r in rows} - {r['ID'] for r in left}
        self._asked()
        self.watch.begin_again(left)
        return left

    def _apply(self, rows):
        allowing = ALLOWING.intersection(self.command.words)
        with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
            json.dump(rows, file)
            file.flush()
            return self._run('apply', file.name, *allowing, *self._approval)

    def _run(self, name, *words):
        with client.at_once(lambda: self.watch.clock, self._sleep):
            return client.run(name, [*words], self._asked)

    def _sleep(self, seconds):
        self.watch.clock += seconds

    def _asked(self):
        while self._acts and self._chance.random() < 0.6:
            self._act(is_asked=True)

    def _before(self, method, *request):
        self.watch.note_request()
        fault = None
        if self._chance.random() < self._acts:
            if self._chance.random() < 0.1:
                fault = self._chance.choice([403, 500])
            else:
                self._act()
        try:
            # A request that fails changes nothing.
            if fault is None or method != 'DELETE':
                self.watch.note_effect(method, *request)
        except Fault as e:
            # The client would take it for a failure of the server.
            self._faults.append(e)
        return fault

    def _act(self, *, is_asked=False):
        generate.act(self._chance, self.world)
        self.watch.note_change(is_asked=is_asked)
        self.watch.clock += self._chance.choice([0, 0, 0.5, 2, 90])

    def _check_alone(self, expected, shown, done):
        """Check what it did if nobody else acted, and what it showed."""
        deleted, (code, rows) = self.watch.deleted, done
        is_named = self.command.kind == 'named'
        if extra := deleted - expected.most:
            raise Fault(f'{extra} should be kept')
        if code == REFUSED:
            if not is_named and not expected.may_refuse:
                raise Fault('it refused without a gap')
            return
        accepts = self.command.accepts_gaps
        refused = set() if accepts or is_named else expected.refused
        if deleted & refused or (refused and code == 0):
            raise Fault(f'it did not refuse, but exited with {code}')
        # If gaps are accepted, a server may be one that cannot be read by ID.
        may_fail = accepts and expected.may_refuse
        missing = expected.least - refused - deleted
        if missing and not may_fail:
            raise Fault(f'{missing} should be deleted')
        if expected.hidden:
            return
        # A plan always tells the region, outcomes only if there are several.
        several = any('Region' in row for row in rows)
        planned = _changes(shown[1], several)
        if not is_named and planned != _changes(rows, several):
            raise Fault('the rows are not those of the plan')
        if {image_id for _, image_id in planned} != deleted and not may_fail:
            raise Fault(f'the plan is {planned}, not {deleted}')
        if code != shown[0] and not (may_fail or self.command.is_reviewed):
            raise Fault(f'the exit code is {code}')


def _changes(rows, several):
    return {
        (row['Region'] if several else '', row['ID'])
        for row in rows
        if row['Action'] == 'delete'
    }


def check(seed):
    """Check a random command; count the images deleted, and those left."""
    with requests_mock.Mocker() as mocker:
        run = Run(seed, mocker)
        try:
            run.check()
        except Exception as e:
            again = f'./run tox run -qe oracle -- 1 --seed {seed}'
            e.add_note(f'{run.command}; again: {again}')
            raise
    left = {key for r in run.world.regions.values() for key in r.images}
    return {'deleted': len(run.watch.deleted), 'left': len(left)}
