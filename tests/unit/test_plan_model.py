# SPDX-License-Identifier: Apache-2.0

"""Plans on a cloud with concurrent changes, and interrupted plans.

Each write is checked against the last read before it: changes between the two
cannot be detected. The clock runs so fast that everything is read again for
each image.
"""

from collections.abc import Callable
import copy
import json
import types
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis.stateful import Bundle
from hypothesis.stateful import rule
from hypothesis.stateful import RuleBasedStateMachine
import hypothesis.strategies as st
from keystoneauth1 import adapter
import pytest
import requests
import requests_mock

from osc_compute_images.api import _apply
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import plan
from osc_compute_images.api import retention
from osc_compute_images.api.plan import Action
from osc_compute_images.api.plan import Outcome
from osc_compute_images.api.plan import Plan
from osc_compute_images.api.plan import Result
from osc_compute_images.api.protection import Protection
from osc_compute_images.commands.delete import DeleteComputeImage
from osc_compute_images.commands.prune import PruneComputeImages
from osc_compute_images.commands.set import SetComputeImage
from osc_compute_images.commands.unset import UnsetComputeImage
from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from testbed.fleet import snapshot
from tests.unit.conftest import new_session
from tests.unit.conftest import set_catalog
from tests.unit.test_commands import App
from tests.unit.test_commands import run

WEB = 'b0a2f2d4-0000-4000-8000-000000000001'
DB = 'b0a2f2d4-0000-4000-8000-000000000002'


def cloud(snapshots: int = 5) -> Fleet:
    """Return a base image, its kernel, and snapshots of two servers."""
    kernel, base = nova.image_id(0), nova.image_id(1)
    return Fleet(
        [
            nova.image(0),
            nova.image(1, metadata={'tier': 'old', 'kernel_id': kernel}),
            *(
                snapshot(n, of, created=f'2025-11-{n:02}T12:00:00Z')
                for n, of in (
                    *((2, WEB), (3, WEB), (4, DB), (5, DB), (6, None)),
                )[:snapshots]
            ),
        ],
        [server(WEB, 'web', image=base), server(DB, 'db', image=base)],
    )


# --- concurrent changes ---------------------------------------------------

#: A change by another client, with the numbers of an image and a server.
EVENTS = st.tuples(
    st.sampled_from(
        [
            *('delete', 'rename', 'set status', 'protect', 'edit', 'lose'),
            *('boot', 'shelve', 'unshelve', 'rename server', 'end server'),
        ]
    ),
    st.integers(0, 20),
    st.integers(0, 20),
)

#: Changes while a plan is applied, with the number of the request after each.
SCHEDULES = st.lists(st.tuples(st.integers(0, 20), EVENTS), max_size=6)


class World:
    """A cloud with another client, and the invariants of plans.

    :ivar homes: the images of shelved servers, by server
    """

    def __init__(self) -> None:
        self.fleet = cloud()
        self.homes: dict[str, str] = {}
        self._made = 100
        self._schedule: list[tuple[int, Any]] = []
        self._count = 0
        self._is_losing = False
        self._plan: Plan | None = None
        self._include_used = False
        self._seen: dict[str, Any] = {}
        self._servers_seen: list[tuple[dict[str, Any], str | None]] = []
        self._written: set[str] = set()
        self._lost: set[str] = set()
        self.clock = 0.0

    def act(self, event: tuple[str, int, int]) -> None:
        """Apply a change by the other client."""
        what, image_number, server_number = event
        images, servers = self.fleet.images, self.fleet.servers
        self._made += 1
        if what == 'lose':
            self._is_losing = True
        elif what == 'boot' and images:
            image_id = [*images][image_number % len(images)]
            server_id = nova.image_id(self._made)
            name = f'server-{self._made}'
            servers[server_id] = server(server_id, name, image=image_id)
        elif what in ACTS_ON_IMAGES and images:
            ACTS_ON_IMAGES[what](
                self, [*images][image_number % len(images)], server_number
            )
        elif what in ACTS_ON_SERVERS and servers:
            ACTS_ON_SERVERS[what](
                self, [*servers][server_number % len(servers)]
            )

    def delete(self, image_id: str, _number: int) -> None:
        del self.fleet.images[image_id]

    def rename(self, image_id: str, _number: int) -> None:
        self.fleet.images[image_id]['name'] = f'image-{self._made}'
        self.fleet.touch(image_id)

    def set_status(self, image_id: str, number: int) -> None:
        statuses = ('ACTIVE', 'ERROR', 'SAVING', 'DELETED')
        self.fleet.images[image_id]['status'] = statuses[number % 4]

    def protect(self, image_id: str, _number: int) -> None:
        self.fleet.images[image_id]['metadata']['protected_here'] = '1'
        self.fleet.touch(image_id)

    def edit(self, image_id: str, number: int) -> None:
        metadata = self.fleet.images[image_id]['metadata']
        if metadata.pop('tier', None) is None:
            metadata['tier'] = f'{number}'
        self.fleet.touch(image_id)

    def shelve(self, server_id: str) -> None:
        shelved = self.fleet.servers[server_id]
        if shelved['status'] != 'ACTIVE':
            return
        home = snapshot(
            self._made, server_id, name=f'{shelved["name"]}-shelved'
        )
        self.fleet.images[home['id']] = home
        self.homes[server_id] = home['id']
        shelved['status'] = 'SHELVED_OFFLOADED'

    def unshelve(self, server_id: str) -> None:
        self.fleet.servers[server_id]['status'] = 'ACTIVE'
        self.fleet.images.pop(self.homes.pop(server_id, ''), None)

    def rename_server(self, server_id: str) -> None:
        self.fleet.servers[server_id]['name'] = f'server-{self._made}'

    def end_server(self, server_id: str) -> None:
        del self.fleet.servers[server_id]
        self.homes.pop(server_id, None)

    def serve(self, mocker: requests_mock.Mocker) -> None:
        self.fleet.before, self.fleet.after = self._before, self._after
        self.fleet.serve(mocker)

    def _before(self, method: str, path: str) -> None:
        self.clock += 1000
        if self._plan is None:
            return
        for when, event in self._schedule:
            if when == self._count:
                self.act(event)
        self._count += 1
        if method != 'GET':
            self._check(method, path)
            image = self.fleet.images.get(path.split('/')[2])
            is_edit = 'metadata' in path
            if image and (
                is_edit or 'protected_here' not in image['metadata']
            ):
                self._written.add(image['id'])

    def _after(self, method: str, path: str) -> None:
        if path == '/servers/detail':
            self._servers_seen = [
                (copy.deepcopy(each), self.homes.get(each['id']))
                for each in self.fleet.servers.values()
            ]
        elif method == 'GET':
            image_id = path.split('/')[2]
            self._seen[image_id] = copy.deepcopy(
                self.fleet.images.get(image_id)
            )
        elif self._is_losing:
            self._is_losing = False
            self._lost.add(path.split('/')[2])
            raise requests.exceptions.ConnectionError('the response is lost')

    def _check(self, method: str, path: str) -> None:
        """Check a write against the last read."""
        assert self._plan is not None
        _, _, image_id, *rest = path.split('/')
        (step,) = (s for s in self._plan.changes if s.image.id == image_id)
        seen = self._seen[image_id]
        for field in ('status', 'name', 'updated'):
            assert seen[field] == getattr(step.image, field)
        if rest:
            assert step.action == ('set' if method == 'POST' else 'unset')
            return
        assert (method, step.action) == ('DELETE', 'delete')
        for each, home in self._servers_seen:
            assert home != image_id
            booted = each['image'] and each['image']['id'] == image_id
            assert not booted or self._include_used
        if step.successor is not None:
            assert self._seen[step.successor]['status'] != 'DELETED'

    def apply(
        self,
        api: ImagesAPI,
        todo: Plan,
        schedule: list[tuple[int, Any]],
        *,
        include_used: bool,
    ) -> list[Outcome]:
        """Apply a plan, with changes before some of its requests."""
        self._plan, self._schedule = todo, schedule
        self._include_used = include_used
        self._count = 0
        self._written, self._lost = set(), set()
        try:
            outcomes = [*api.apply(todo)]
        finally:
            self._plan, self._is_losing = None, False
        assert [o.step for o in outcomes] == [*todo.steps]
        for outcome in outcomes:
            self._check_outcome(outcome)
        return outcomes

    def _check_outcome(self, outcome: Outcome) -> None:
        """Check that an outcome is true."""
        step = outcome.step
        image_id = step.image.id
        match outcome.result:
            case Result.KEPT:
                assert step.action is Action.KEEP
                assert image_id not in self._written
            case Result.CHANGED:
                assert outcome.reason
                assert image_id not in self._written
            case Result.GONE:
                seen = self._seen[image_id]
                assert seen is None or seen['status'] == 'DELETED'
                assert image_id not in self._written
            case Result.DONE if step.action is Action.DELETE:
                assert image_id not in self.fleet.images
            case Result.DONE:
                assert image_id in self._written
            case Result.FAILED if step.action is Action.DELETE:
                assert outcome.error is not None
                assert image_id not in self._written
            case Result.FAILED:
                # The response was lost, and the other client overwrote it.
                assert outcome.error is not None
                assert image_id not in self._written - self._lost


ACTS_ON_IMAGES: dict[str, Callable[[World, str, int], None]] = {
    'delete': World.delete,
    'rename': World.rename,
    'set status': World.set_status,
    'protect': World.protect,
    'edit': World.edit,
}
ACTS_ON_SERVERS: dict[str, Callable[[World, str], None]] = {
    'shelve': World.shelve,
    'unshelve': World.unshelve,
    'rename server': World.rename_server,
    'end server': World.end_server,
}


class Machine(RuleBasedStateMachine):
    """Plans are made, kept, and applied repeatedly."""

    plans = Bundle('plans')

    def __init__(self) -> None:
        super().__init__()
        self._mocker = requests_mock.Mocker()
        self._mocker.start()
        set_catalog(self._mocker, {'RegionOne': nova.ENDPOINT})
        self.world = World()
        self.world.serve(self._mocker)
        clock = types.SimpleNamespace(monotonic=lambda: self.world.clock)
        self._patch = mock.patch.object(_apply, 'time', clock)
        self._patch.start()
        self.api = ImagesAPI(
            adapter.Adapter(new_session(), service_type='compute')
        )

    def teardown(self) -> None:
        self._patch.stop()
        self._mocker.stop()

    def _protected(self, include_used: bool) -> tuple[list[Any], Protection]:
        images = [*self.api.list_detail()]
        return images, Protection(
            self.api.servers(), images, include_used=include_used
        )

    @rule(target=plans, include_used=st.booleans())
    def plan_to_delete(self, include_used: bool) -> tuple[Plan, bool]:
        images, protection = self._protected(include_used)
        return plan.delete(images, protection), include_used

    @rule(target=plans, include_used=st.booleans(), last=st.integers(0, 2))
    def plan_to_prune(
        self, include_used: bool, last: int
    ) -> tuple[Plan, bool]:
        images, protection = self._protected(include_used)
        rules = retention.Rules(last=last)
        return plan.prune(images, rules, protection), include_used

    @rule(target=plans)
    def plan_to_set(self) -> tuple[Plan, bool]:
        images = self.api.list_detail()
        return plan.set_properties(images, {'tier': 'gold'}), False

    @rule(target=plans)
    def plan_to_unset(self) -> tuple[Plan, bool]:
        images = self.api.list_detail()
        return plan.unset_properties(images, ['tier', 'os_distro']), False

    @rule(event=EVENTS)
    def change_concurrently(self, event: tuple[str, int, int]) -> None:
        if event[0] != 'lose':
            self.world.act(event)

    @rule(made=plans, schedule=SCHEDULES)
    def apply(
        self, made: tuple[Plan, bool], schedule: list[tuple[int, Any]]
    ) -> None:
        todo, include_used = made
        self.world.apply(self.api, todo, schedule, include_used=include_used)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=12)


# --- interrupted plans ----------------------------------------------------

GO = '--auto-approve'
COMMANDS: dict[str, tuple[Any, list[str]]] = {
    'delete': (DeleteComputeImage, ['--type', 'snapshot', GO]),
    'prune': (PruneComputeImages, ['--keep-last', '1', GO]),
    'set': (SetComputeImage, ['--all', '--property', 'tier=gold', GO]),
    'unset': (
        UnsetComputeImage,
        ['--all', '--property', 'os_distro', '--property', 'tier', GO],
    ),
}


class Killed(BaseException):
    """Stands for a signal that cannot be caught."""


#: How a command ends, before or after a request takes effect.
ENDS: dict[str, tuple[type[BaseException], str]] = {
    'killed before it': (Killed, 'before'),
    'killed after it': (Killed, 'after'),
    'disconnected before it': (requests.exceptions.ConnectionError, 'before'),
    'disconnected after it': (requests.exceptions.ConnectionError, 'after'),
}


def state(fleet: Fleet) -> dict[str, Any]:
    """Return all images, without their times."""
    return {
        image_id: {k: v for k, v in image.items() if k != 'updated'}
        for image_id, image in fleet.images.items()
    }


@pytest.mark.parametrize('command', COMMANDS)
@pytest.mark.parametrize('end', ENDS)
def test_plan_interrupted_at_any_request_can_be_completed(
    http, slept, tmp_path, command, end
):
    kind, words = COMMANDS[command]
    error, moment = ENDS[end]
    whole = cloud(2).serve(http)
    assert run(App(tmp_path), kind, *words)[0] == 0
    assert len(whole.requests) > 4
    assert whole.writes
    for number in range(len(whole.requests)):
        fleet = cloud(2).serve(http)

        def stop(_method, _path, fleet=fleet, number=number):
            if len(fleet.requests) == number + 1:
                raise error('stopped')

        setattr(fleet, moment, stop)
        try:
            code, _printed = run(App(tmp_path), kind, *words)
        except Killed:
            code = None
        # Reads are retried, writes are not: only a write may fail.
        if code == 1:
            assert moment == 'before'
            assert not whole.requests[number].startswith('GET')
        fleet.before = fleet.after = lambda _method, _path: None
        code, _printed = run(App(tmp_path), kind, '-f', 'json', *words)
        assert code == 0
        assert state(fleet) == state(whole), number
        # A third run has nothing to do.
        done = len(fleet.writes)
        _code, printed = run(App(tmp_path), kind, '-f', 'json', *words)
        assert {row['Result'] for row in json.loads(printed)} <= {'kept'}
        assert len(fleet.writes) == done
