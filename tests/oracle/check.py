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
from tests.oracle.cloud import Cloud
from tests.oracle.invariant import Fault
from tests.oracle.invariant import Watch

REFUSED = 7


class Run:
    """A random command, run once.

    :param seed: of everything that is random
    :ivar is_alone: whether nobody else acts
    """

    def __init__(self, seed: int, mocker: requests_mock.Mocker) -> None:
        self._chance = random.Random(seed)
        self.world = generate.world(self._chance)
        self.command = commands.command(self._chance, self.world)
        self.cloud = Cloud(self.world, mocker)
        self.watch = Watch(self.cloud, self.command)
        self.is_alone = self._chance.random() < 0.4
        self._faults: list[Fault] = []
        self._acts = 0.0 if self.is_alone else 0.15

    def check(self) -> tuple[int, int]:
        """Run the command, and check it.

        :returns: the numbers of images that were deleted, and that are left
        :raises Fault: if the product breaks a promise
        """
        expected = expectation.of(self.cloud, self.command)
        shown = None
        if self.is_alone:
            shown = self._run('--dry-run')
            if self.watch.deleted:
                raise Fault('the dry run deleted images')
        self.cloud.before = self._before
        approval = [] if self.command.asks else ['--auto-approve']
        if self.command.kind == 'named':
            approval = []
        code, rows = self._run(*approval)
        if self._faults:
            raise self._faults[0]
        deleted = self.watch.deleted
        if code == REFUSED and deleted:
            raise Fault('it refused, and changed something')
        if shown is not None:
            self._check_alone(expected, shown, code, rows)
        left = sum(map(len, self.world.glances))
        return len(deleted), left

    def _run(self, *words: str) -> tuple[int, list[dict[str, str]]]:
        name = 'prune' if self.command.kind == 'prune' else 'delete'
        with client.at_once(lambda: self.watch.clock, self._sleep):
            words = (*self.command.words, *words)
            return client.run(name, [*words], self._asked)

    def _sleep(self, seconds: float) -> None:
        self.watch.clock += seconds

    def _asked(self) -> None:
        while self._chance.random() < 4 * self._acts:
            self._act(is_asked=True)

    def _before(self, method: str, region: str, *request: Any) -> int | None:
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
                self.watch.note_effect(method, region, *request)
        except Fault as e:
            # The client would take it for a failure of the server.
            self._faults.append(e)
        return fault

    def _act(self, *, is_asked: bool = False) -> None:
        actor.act(self._chance, self.world)
        self.watch.note_change(is_asked=is_asked)
        self.watch.clock += self._chance.choice([0, 0, 0.5, 2, 90])

    def _check_alone(
        self,
        expected: dict[str, expectation.Expected],
        shown: tuple[int, list[dict[str, str]]],
        code: int,
        rows: list[dict[str, str]],
    ) -> None:
        regions = expected.values()
        is_named = self.command.kind == 'named'
        deleted = self.watch.deleted
        least = set().union(*(region.least for region in regions))
        if extra := deleted - set().union(*(r.most for r in regions)):
            raise Fault(f'{extra} should be kept')
        if code == REFUSED:
            if not is_named and not any(r.may_have_gaps for r in regions):
                raise Fault('it refused without a gap')
            return
        if not (is_named or self.command.accepts_gaps) and any(
            region.gaps and region.least for region in regions
        ):
            raise Fault(f'it did not refuse, but exited with {code}')
        if least - deleted:
            raise Fault(f'{least - deleted} should be deleted')
        if any(region.hidden for region in regions):
            return
        # A plan always tells the region, outcomes only if there are several.
        several = any('Region' in row for row in rows)
        planned = _changes(shown[1], several)
        if {image_id for _region, image_id in planned} != deleted:
            raise Fault(f'the plan is {planned}, not {deleted}')
        if not is_named and planned != _changes(rows, several):
            raise Fault('the rows are not those of the plan')
        if code != shown[0]:
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
