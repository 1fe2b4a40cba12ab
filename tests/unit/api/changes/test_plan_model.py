# SPDX-License-Identifier: Apache-2.0

"""Plans on a cloud with another actor, and interrupted plans.

*No server's image and no group's last good image is ever lost*: each deletion
is checked against what is true of the cloud, and not against what it shows, at
the last read before it. Changes between the two cannot be detected. Deletions
take so long that everything is read again for the next image.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import copy
import json
import types
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis.stateful import Bundle
from hypothesis.stateful import initialize
from hypothesis.stateful import multiple
from hypothesis.stateful import rule
from hypothesis.stateful import RuleBasedStateMachine
import hypothesis.strategies as st
from keystoneauth1 import adapter
import pytest
import requests
import requests_mock

from osc_compute_images.api import GapsFound
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api.changes import plan
from osc_compute_images.api.changes import retention
from osc_compute_images.api.changes.plan import Action
from osc_compute_images.api.changes.plan import Outcome
from osc_compute_images.api.changes.plan import Plan
from osc_compute_images.api.changes.plan import Result
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.servers import fleet as fleet_module
from osc_compute_images.commands.deletion import DeleteComputeImage
from osc_compute_images.commands.deletion import PruneComputeImages
from osc_compute_images.commands.properties import SetComputeImage
from osc_compute_images.commands.properties import UnsetComputeImage
from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from testbed.fleet import snapshot
from tests.unit.conftest import new_session
from tests.unit.conftest import set_catalog
from tests.unit.running import App
from tests.unit.running import DB
from tests.unit.running import WEB


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


# --- another actor --------------------------------------------------------


class World:
    """A cloud with another actor.

    :ivar homes: the image that a server is stored in, by server
    """

    def __init__(self) -> None:
        self.fleet = cloud()
        self.homes: dict[str, str] = {}
        self.is_losing = False
        self._made = 100

    def act(self, what: str, image_number: int, number: int) -> None:
        """Change an image or a server; there may be none."""
        self._made += 1
        images, servers = [*self.fleet.images], [*self.fleet.servers]
        kind, act = ACTS[what]
        if kind == 'image' and images:
            act(self, images[image_number % len(images)], number)
        elif kind == 'server' and servers:
            act(self, servers[number % len(servers)])

    def boot(self, image_id: str, _number: int) -> None:
        server_id = nova.image_id(self._made)
        self.fleet.servers[server_id] = server(
            server_id, f'server-{self._made}', image=image_id
        )

    def delete(self, image_id: str, _number: int) -> None:
        del self.fleet.images[image_id]

    def rename(self, image_id: str, _number: int) -> None:
        is_home = image_id in self.homes.values()
        if is_home and 'server' not in self.fleet.images[image_id]:
            # Nothing would link it to the server.
            return
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

    def lose_response(self, _image_id: str, _number: int) -> None:
        self.is_losing = True

    def shelve(self, server_id: str) -> None:
        shelved = self.fleet.servers[server_id]
        if shelved['status'] != 'ACTIVE' or server_id in self.homes:
            return
        self._store(server_id, '-shelved')
        shelved['OS-EXT-STS:task_state'] = 'shelving_image_uploading'

    def end_shelving(self, server_id: str) -> None:
        shelved = self.fleet.servers[server_id]
        if shelved['OS-EXT-STS:task_state'] is not None:
            shelved['status'] = 'SHELVED_OFFLOADED'
            shelved['OS-EXT-STS:task_state'] = None

    def resize(self, server_id: str) -> None:
        if server_id not in self.homes:
            self._store(server_id, '-resize-temp')
            self.fleet.servers[server_id]['status'] = 'RESIZE'

    def fail_to_unshelve(self, server_id: str) -> None:
        if server_id in self.homes:
            self.fleet.servers[server_id]['status'] = 'ERROR'

    def unshelve(self, server_id: str) -> None:
        started = self.fleet.servers[server_id]
        started['status'] = 'ACTIVE'
        started['OS-EXT-STS:task_state'] = None
        self.fleet.images.pop(self.homes.pop(server_id, ''), None)

    def unlink(self, server_id: str) -> None:
        """Remove from the image what tells its server, as "set" can."""
        home = self.fleet.images.get(self.homes.get(server_id, ''), {})
        if home and home['name'].startswith(
            self.fleet.servers[server_id]['name']
        ):
            home.pop('server', None)
            home['metadata'].clear()

    def imitate(self, server_id: str) -> None:
        """Add a stranger's image that is named as the server's."""
        name = f'{self.fleet.servers[server_id]["name"]}-shelved'
        image = nova.image(self._made, name=name)
        self.fleet.images[image['id']] = image

    def rename_server(self, server_id: str) -> None:
        home = self.fleet.images.get(self.homes.get(server_id, ''), {})
        # Nothing links an image that has lost both its server and its name.
        if not home or 'server' in home:
            self.fleet.servers[server_id]['name'] = f'server-{self._made}'

    def end_server(self, server_id: str) -> None:
        del self.fleet.servers[server_id]
        self.homes.pop(server_id, None)
        self.fleet.down.discard(server_id)

    def lose_cell(self, server_id: str) -> None:
        self.fleet.down ^= {server_id}

    def _store(self, server_id: str, suffix: str) -> None:
        name = self.fleet.servers[server_id]['name'] + suffix
        home = snapshot(self._made, server_id, name=name)
        self.fleet.images[home['id']] = home
        self.homes[server_id] = home['id']


#: What the actor does to an image, or to a server.
ACTS: dict[str, tuple[str, Callable[..., None]]] = {
    **{
        act.__name__: ('image', act)
        for act in (
            *(World.boot, World.delete, World.rename, World.set_status),
            *(World.protect, World.edit, World.lose_response),
        )
    },
    **{
        act.__name__: ('server', act)
        for act in (
            *(World.shelve, World.end_shelving, World.resize, World.unshelve),
            *(World.fail_to_unshelve, World.unlink, World.imitate),
            *(World.rename_server, World.end_server, World.lose_cell),
        )
    },
}

EVENTS = st.tuples(
    st.sampled_from([*ACTS]), st.integers(0, 20), st.integers(0, 20)
)

#: Events, with the number of the request before each.
SCHEDULES = st.lists(st.tuples(st.integers(0, 20), EVENTS), max_size=6)


class Observer:
    """Lets the actor act between requests, and checks the invariant."""

    def __init__(self, world: World) -> None:
        self.world, self.fleet = world, world.fleet
        self.clock = 0.0
        self.schedule: list[tuple[int, Any]] = []
        self._count = 0
        self._plan: Plan | None = None
        self._options: dict[str, Any] = {}
        # What was true at the last reads, since the last deletion.
        self._servers: dict[str, Any] | None = None
        self._down: set[str] = set()
        self._stored: dict[str, str] = {}
        self._images: dict[str, Any] = {}
        self._written: set[str] = set()
        self._lost: set[str] = set()
        self.fleet.before, self.fleet.after = self._before, self._after

    @contextlib.contextmanager
    def acting(self, schedule: list[tuple[int, Any]]) -> Iterator[None]:
        """Let the actor act before some of the requests."""
        self.schedule, self._count = schedule, 0
        self._written, self._lost = set(), set()
        try:
            yield
        finally:
            self.schedule, self.world.is_losing = [], False
            self._plan = None

    def _before(self, method: str, path: str) -> None:
        for when, event in self.schedule:
            if when == self._count:
                self.world.act(*event)
        self._count += 1
        if method == 'GET':
            return
        self.clock += 1000
        image_id = path.split('/')[2]
        self._check_change(method, *path.split('/')[2:])
        image = self.fleet.images.get(image_id)
        is_edit = 'metadata' in path
        if not is_edit:
            self._servers, self._stored, self._images = None, {}, {}
        if image and (is_edit or 'protected_here' not in image['metadata']):
            self._written.add(image_id)

    def _after(self, method: str, path: str) -> None:
        _, kind, what, *_rest = *path.split('/'), ''
        if method != 'GET':
            if self.world.is_losing:
                self.world.is_losing = False
                self._lost.add(what)
                raise requests.exceptions.ConnectionError('it is lost')
        elif path == '/servers/detail':
            self._servers = copy.deepcopy(self.fleet.servers)
            self._down = set(self.fleet.down)
            self._stored = dict(self.world.homes)
        elif kind == 'servers':
            self._stored.pop(what, None)
            if what in self.world.homes:
                self._stored[what] = self.world.homes[what]
        elif kind == 'images':
            self._images[what] = copy.deepcopy(self.fleet.images.get(what))

    def _check_change(self, method: str, image_id: str, *rest: str) -> None:
        assert self._plan is not None
        (step,) = (s for s in self._plan.changes if s.image.id == image_id)
        assert (method == 'DELETE' and not rest) == (step.action == 'delete')
        if self._plan.named:
            return
        seen = self._images[image_id]
        assert seen['status'].upper() == step.image.state
        for field in ('name', 'updated'):
            assert seen[field] == getattr(step.image, field)
        if step.action == 'delete':
            self._check_deletion(image_id, seen)

    def _check_deletion(self, image_id: str, seen: dict[str, Any]) -> None:
        assert self._servers is not None
        accepts_gaps = self._options['accept_gaps']
        # What older Compute leaves out, and no ID leads to, cannot be seen.
        hidden = self._down if self.fleet.highest < (2, 69) else set()
        for server_id, home in self._stored.items():
            assert home != image_id or (
                server_id in hidden and 'server' not in seen
            )
        if not self._options['include_used']:
            for each in self._servers.values():
                booted = each['image'] and each['image']['id'] == image_id
                assert (
                    not booted
                    or each['id'] in hidden
                    or (accepts_gaps and each['id'] in self._down)
                )
        if self._options['prunes']:
            group = seen['server']['id']
            assert any(
                other
                and other_id != image_id
                and other['status'] == 'ACTIVE'
                and other.get('server', {}).get('id') == group
                for other_id, other in self._images.items()
            )

    def apply(
        self,
        api: ImagesAPI,
        todo: Plan,
        options: dict[str, Any],
        schedule: list[tuple[int, Any]],
    ) -> list[Outcome]:
        """Apply a plan, and check that the outcomes are true."""
        told: list[Outcome] = []
        with self.acting(schedule):
            self._plan, self._options = todo, options
            outcomes = api.apply(todo, on_outcome=told.append)
        assert outcomes == told
        assert [o.step for o in outcomes] == [*todo.steps]
        for outcome in outcomes:
            self._check_outcome(outcome)
        return told

    def _check_outcome(self, outcome: Outcome) -> None:
        step = outcome.step
        image_id = step.image.id
        is_written = image_id in self._written
        match outcome.result:
            case Result.KEPT:
                assert step.action is Action.KEEP
                assert not is_written
            case Result.SKIPPED:
                assert outcome.reason
                assert not is_written
            case Result.GONE:
                assert not is_written or image_id in self._lost
            case Result.DONE:
                assert is_written
                if step.action is Action.DELETE:
                    assert image_id not in self.fleet.images
            case Result.FAILED:
                # The response was lost, and the other client overwrote it.
                assert outcome.error is not None
                assert not is_written or image_id in self._lost


class Machine(RuleBasedStateMachine):
    """Plans are made, kept, and applied repeatedly."""

    plans = Bundle('plans')

    def __init__(self) -> None:
        super().__init__()
        self._exit = contextlib.ExitStack()
        mocker = self._exit.enter_context(requests_mock.Mocker())
        set_catalog(mocker, {'RegionOne': nova.ENDPOINT})
        self.world = World()
        self.world.fleet.serve(mocker)
        self.observer = Observer(self.world)
        clock = types.SimpleNamespace(monotonic=lambda: self.observer.clock)
        self._exit.enter_context(
            mock.patch.object(fleet_module, 'time', clock)
        )
        self._exit.enter_context(mock.patch('time.sleep', autospec=True))
        self.api = ImagesAPI(
            adapter.Adapter(new_session(), service_type='compute')
        )

    def teardown(self) -> None:
        self._exit.close()

    @initialize(
        highest=st.sampled_from([(2, 104), (2, 68)]),
        acts=st.sampled_from(
            [(), ('shelve', 'unlink'), ('shelve', 'lose_cell'), ('resize',)]
        ),
    )
    def begin(self, highest: tuple[int, int], acts: tuple[str, ...]) -> None:
        self.world.fleet.highest = highest
        for what in acts:
            self.world.act(what, 0, 0)

    @rule(
        target=plans,
        last=st.none() | st.integers(0, 2),
        options=st.fixed_dictionaries(
            {'include_used': st.booleans(), 'accept_gaps': st.booleans()}
        ),
        planning=SCHEDULES,
        applying=SCHEDULES,
    )
    def delete(
        self,
        last: int | None,
        options: dict[str, bool],
        planning: list[Any],
        applying: list[Any],
    ) -> Any:
        """Delete or prune; the plan may be applied again."""
        accept_gaps = options['accept_gaps']
        with self.observer.acting(planning):
            images = [*self.api.list_detail()]
            usage = self.api.usage(images, accept_gaps=accept_gaps)
            protection = Protection(
                usage, include_used=options['include_used']
            )
            try:
                if last is None:
                    todo = plan.delete(images, protection)
                else:
                    rules = retention.Rules(last=last)
                    todo = plan.prune(images, rules, protection)
            except GapsFound:
                assert not accept_gaps
                return multiple()
        assert accept_gaps or not todo.changes or not usage.gaps
        made = todo, {**options, 'prunes': last is not None}
        self.observer.apply(self.api, *made, applying)
        return made

    @rule(numbers=st.sets(st.integers(0, 20), min_size=1, max_size=3))
    def delete_named(self, numbers: set[int]) -> None:
        images = [*self.api.list_detail()]
        named = [i for n, i in enumerate(images) if n in numbers]
        fleet = fleet_module.Fleet([self.api])
        try:
            servers = fleet.servers_of(self.api, named)
        except Exception:  # noqa: BLE001
            # The cell of one is down.
            assert self.world.fleet.highest < (2, 69)
            return
        usage = self.api.usage([]).with_servers(servers)
        protection = Protection(usage, include_used=True)
        todo = plan.delete(named, protection, named=True)
        for step in todo.changes:
            hidden = (
                self.world.fleet.highest < (2, 69)
                and step.image.server_id is None
            )
            assert hidden or step.image.id not in self.world.homes.values()
        self.observer.apply(self.api, todo, {}, [])

    @rule(target=plans, unsets=st.booleans())
    def plan_to_edit(self, unsets: bool) -> Any:
        images = self.api.list_detail()
        if unsets:
            return plan.unset_properties(images, ['tier', 'os_distro']), {}
        return plan.set_properties(images, {'tier': 'gold'}), {}

    @rule(event=EVENTS)
    def change_concurrently(self, event: Any) -> None:
        if event[0] != 'lose_response':
            self.world.act(*event)

    @rule(made=plans, schedule=SCHEDULES)
    def apply(self, made: Any, schedule: list[Any]) -> None:
        self.observer.apply(self.api, *made, schedule)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=200, stateful_step_count=8)


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
    assert App(tmp_path).run(kind, *words)[0] == 0
    assert len(whole.requests) > 4
    assert whole.writes
    for number in range(len(whole.requests)):
        fleet = cloud(2).serve(http)

        def stop(_method, _path, fleet=fleet, number=number):
            if len(fleet.requests) == number + 1:
                raise error('stopped')

        setattr(fleet, moment, stop)
        try:
            code, _printed = App(tmp_path).run(kind, *words)
        except Killed:
            code = None
        # Reads are retried, writes are not: only a write may fail.
        if code == 1:
            assert moment == 'before'
            assert not whole.requests[number].startswith('GET')
        fleet.before = fleet.after = lambda _method, _path: None
        code, _printed = App(tmp_path).run(kind, '-f', 'json', *words)
        assert code == 0
        assert state(fleet) == state(whole), number
        # A third run has nothing to do.
        done = len(fleet.writes)
        _code, printed = App(tmp_path).run(kind, '-f', 'json', *words)
        assert {row['Result'] for row in json.loads(printed)} <= {'kept'}
        assert len(fleet.writes) == done
