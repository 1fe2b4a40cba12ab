# SPDX-License-Identifier: Apache-2.0

"""Run a random command in a random world, and check what it did."""

import random
from typing import Any

import requests_mock

from tests.oracle import actor
from tests.oracle import client
from tests.oracle import commands
from tests.oracle import expectation
from tests.oracle import generate
from tests.oracle.invariant import Fault
from tests.oracle.invariant import Watch

REFUSED = 7

#: The exit code and the rows of a command.
_Done = tuple[int, list[dict[str, str]]]


class Run:
    """A random command, run once.

    :param seed: of everything that is random
    """

    def __init__(self, seed: int, mocker: requests_mock.Mocker) -> None:
        self._chance = random.Random(seed)
        self.world = generate.world(self._chance)
        self.command = commands.command(self._chance, self.world)
        self.watch = Watch(self.world, self.command)
        self.world.serve(mocker, lambda *request: self._before(*request))
        self._faults: list[Fault] = []
        self._is_alone = self._chance.random() < 0.4
        #: How likely somebody else acts before a request.
        self._acts = 0.0

    def check(self) -> tuple[int, int]:
        """Run the command, and check it.

        :returns: the numbers of images that were deleted, and that are left
        :raises Fault: if the product breaks a promise
        """
        expected = expectation.of(self.world, self.command)
        shown = None
        if self._is_alone:
            shown = self._run('--dry-run')
            if self.watch.deleted:
                raise Fault('the dry run deleted images')
        else:
            self._acts = 0.25
        is_asked = self.command.asks or self.command.kind == 'named'
        done = self._run(*([] if is_asked else ['--auto-approve']))
        if self._faults:
            raise self._faults[0]
        deleted = self.watch.deleted
        if done[0] == REFUSED and deleted:
            raise Fault('it refused, and changed something')
        if shown is not None:
            self._check_alone(expected, shown, done)
        images = {
            image_id
            for r in self.world.regions.values()
            for image_id in r.images
        }
        return len(deleted), len(images)

    def _run(self, *words: str) -> _Done:
        name = 'prune' if self.command.kind == 'prune' else 'delete'
        with client.at_once(lambda: self.watch.clock, self._sleep):
            words = (*self.command.words, *words)
            return client.run(name, [*words], self._asked)

    def _sleep(self, seconds: float) -> None:
        self.watch.clock += seconds

    def _asked(self) -> None:
        while self._acts and self._chance.random() < 0.6:
            self._act(is_asked=True)

    def _before(self, method: str, *request: Any) -> int | None:
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

    def _act(self, *, is_asked: bool = False) -> None:
        actor.act(self._chance, self.world)
        self.watch.note_change(is_asked=is_asked)
        self.watch.clock += self._chance.choice([0, 0, 0.5, 2, 90])

    def _refused(self, expected: expectation.Expected) -> set[str]:
        accepts = self.command.accepts_gaps
        is_named = self.command.kind == 'named'
        return set() if accepts or is_named else expected.refused

    def _check_alone(
        self, expected: expectation.Expected, shown: _Done, done: _Done
    ) -> None:
        """Check what it did if nobody else acted, and what it showed before.

        :raises Fault: if it is not what the documents say
        """
        deleted, (code, rows) = self.watch.deleted, done
        is_named = self.command.kind == 'named'
        if extra := deleted - expected.most:
            raise Fault(f'{extra} should be kept')
        if code == REFUSED:
            if not is_named and not expected.may_refuse:
                raise Fault('it refused without a gap')
            return
        refused = self._refused(expected)
        if deleted & refused or (refused and code == 0):
            raise Fault(f'it did not refuse, but exited with {code}')
        # If gaps are accepted, a server may be one that cannot be read by ID.
        may_fail = self.command.accepts_gaps and expected.may_refuse
        missing = expected.least - refused - deleted
        if missing and not may_fail:
            raise Fault(f'{missing} should be deleted')
        if expected.hidden:
            return
        # A plan always tells the region, outcomes only if there are several.
        several = any('Region' in row for row in rows)
        planned = _changes(shown[1], several)
        if {image_id for _, image_id in planned} != deleted and not may_fail:
            raise Fault(f'the plan is {planned}, not {deleted}')
        if not is_named and planned != _changes(rows, several):
            raise Fault('the rows are not those of the plan')
        if code != shown[0] and not may_fail:
            raise Fault(f'the exit code is {code}')


def _changes(
    rows: list[dict[str, str]], several: bool
) -> set[tuple[str, str]]:
    return {
        (row['Region'] if several else '', row['ID'])
        for row in rows
        if row['Action'] == 'delete'
    }


def check(seed: int) -> tuple[int, int]:
    """Check a random command.

    :returns: the numbers of images that were deleted, and that are left
    :raises Fault: if the product breaks a promise
    """
    with requests_mock.Mocker() as mocker:
        run = Run(seed, mocker)
        try:
            return run.check()
        except Fault as e:
            e.add_note(f'seed {seed}: {run.command}')
            raise
