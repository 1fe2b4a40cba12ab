# SPDX-License-Identifier: Apache-2.0

"""Plans on a cloud with another actor, and interrupted plans.

*No server's image and no group's last good image is ever lost*: each deletion
is checked against what is true of the cloud, and not against what it shows, at
the last read before it. Changes between the two cannot be detected. Deletions
take so long that everything is read again for the next image.
"""

import contextlib
import copy
import itertools
import types
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
from osc_compute_images.api.changes import _apply
from osc_compute_images.api.changes import plan
from osc_compute_images.api.changes import retention
from osc_compute_images.api.changes.plan import Action
from osc_compute_images.api.changes.plan import Result
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.servers import fleet as fleet_module
from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from testbed.fleet import snapshot
from tests.unit.conftest import new_session
from tests.unit.conftest import set_catalog
from tests.unit.running import App
from tests.unit.running import day
from tests.unit.running import DB
from tests.unit.running import GO
from tests.unit.running import ID
from tests.unit.running import WEB


def cloud(snapshots=5):
    """Return a base image, its kernel, and snapshots of two servers."""
    base = nova.image(1, metadata={'tier': 'old', 'kernel_id': ID[0]})
    owners = ((2, WEB), (3, WEB), (4, DB), (5, DB), (6, None))
    taken = [snapshot(n, of, created=day(n)) for n, of in owners[:snapshots]]
    servers = [server(WEB, 'web', image=ID[1]), server(DB, 'db', image=ID[1])]
    return Fleet([nova.image(0), base, *taken], servers)


#: What the actor does to an image, and to a server.
ON_IMAGES = (
    *('boot', 'delete', 'rename', 'set_status', 'protect', 'edit'),
    'lose_response',
)
ON_SERVERS = (
    *('shelve', 'end_shelving', 'resize', 'unshelve', 'fail'),
    *('unlink', 'imitate', 'rename_server', 'end_server', 'lose_cell'),
)

TASK = 'OS-EXT-STS:task_state'
#: The name of the image in which a server is stored, and its state meanwhile.
STORING = {
    'shelve': ('-shelved', {TASK: 'shelving_image_uploading'}),
    'resize': ('-resize-temp', {'status': 'RESIZE'}),
}


class World:
    """A cloud with another actor.

    :ivar homes: the image that a server is stored in, by server
    """

    def __init__(self):
        self.fleet = cloud()
        self.homes = {}
        self.is_losing = False
        self._made = 100

    def stored(self):
        """Return the images that each server is, or may be, stored in."""
        found = {server_id: {home} for server_id, home in self.homes.items()}
        for image_id, image in self.fleet.images.items():
            server_id = image.get('server', {}).get('id')
            one = self.fleet.servers.get(server_id)
            if one and one['status'] == 'ERROR':
                found.setdefault(server_id, set()).add(image_id)
        return found

    def act(self, what, image_number, number):
        """Change an image or a server; there may be none."""
        self._made += 1
        images, servers = [*self.fleet.images], [*self.fleet.servers]
        if what in ON_IMAGES and images:
            self._on_image(what, images[image_number % len(images)], number)
        elif what in ON_SERVERS and servers:
            self._on_server(what, servers[number % len(servers)])

    def _on_image(self, what, image_id, number):
        image = self.fleet.images[image_id]
        metadata = image['metadata']
        is_home = image_id in self.homes.values()
        match what:
            case 'boot':
                new, name = nova.image_id(self._made), f'server-{self._made}'
                self.fleet.servers[new] = server(new, name, image=image_id)
            case 'delete':
                self.fleet.delete(image_id)
            # Otherwise nothing would link it to the server.
            case 'rename' if 'server' in image or not is_home:
                image['name'] = f'image-{self._made}'
                self.fleet.touch(image_id)
            case 'set_status':
                statuses = ('ACTIVE', 'ERROR', 'SAVING', 'DELETED')
                image['status'] = statuses[number % 4]
            case 'protect':
                metadata['protected_here'] = '1'
                self.fleet.touch(image_id)
            case 'edit':
                if metadata.pop('tier', None) is None:
                    metadata['tier'] = f'{number}'
                self.fleet.touch(image_id)
            case 'lose_response':
                self.is_losing = True

    def _on_server(self, what, server_id):
        one = self.fleet.servers[server_id]
        is_stored = server_id in self.homes
        home = self.fleet.images.get(self.homes.get(server_id, ''), {})
        match what:
            case 'shelve' | 'resize' if not is_stored:
                suffix, state = STORING[what]
                name = one['name'] + suffix
                self.fleet.add(snapshot(self._made, server_id, name=name))
                self.homes[server_id] = nova.image_id(self._made)
                one.update(state)
            case 'end_shelving' if one[TASK] is not None:
                one['status'], one[TASK] = 'SHELVED_OFFLOADED', None
            case 'fail':
                one['status'] = 'ERROR'
            case 'unshelve':
                one['status'], one[TASK] = 'ACTIVE', None
                self.fleet.images.pop(self.homes.pop(server_id, ''), None)
            # Remove what tells its server, as "set" can.
            case 'unlink' if home and home['name'].startswith(one['name']):
                home.pop('server', None)
                home['metadata'].clear()
            # Add a stranger's image that is named as the server's.
            case 'imitate':
                name = f'{one["name"]}-shelved'
                self.fleet.add(nova.image(self._made, name=name))
            # Nothing links an image that has lost both its server and name.
            case 'rename_server' if not home or 'server' in home:
                one['name'] = f'server-{self._made}'
            case 'end_server':
                del self.fleet.servers[server_id]
                self.homes.pop(server_id, None)
                self.fleet.down.discard(server_id)
            case 'lose_cell':
                self.fleet.down ^= {server_id}


NUMBERS = st.integers(0, 20)
EVENTS = st.tuples(st.sampled_from(ON_IMAGES + ON_SERVERS), NUMBERS, NUMBERS)
SERVER_EVENTS = st.tuples(st.sampled_from(ON_SERVERS), NUMBERS, NUMBERS)

#: Events, with the number of the request before each.
SCHEDULES = st.lists(st.tuples(st.integers(0, 8), EVENTS), max_size=6)


class Observer:
    """Lets the actor act between requests, and checks the invariant."""

    def __init__(self, world):
        self.world, self.fleet = world, world.fleet
        self.clock = 0.0
        self.schedule = []
        self._count = 0
        self._plan, self._options, self._told = None, {}, []
        # What was true at the last reads, since the last deletion.
        self._servers = None
        self._down = set()
        self._stored = {}
        self._images = {}
        self._written, self._lost = set(), set()
        self.wait()
        self.fleet.before, self.fleet.after = self._before, self._after

    def wait(self):
        """Let so much time pass that nothing that was read counts."""
        self.clock += 1000
        self._servers, self._images = None, {}
        self._stored = self.world.stored()

    @contextlib.contextmanager
    def acting(self, schedule):
        """Let the actor act before some of the requests."""
        self.schedule, self._count = schedule, 0
        self._written, self._lost = set(), set()
        try:
            yield
        finally:
            self.schedule, self.world.is_losing = [], False
            self._plan = None

    def _before(self, method, path):
        for when, event in self.schedule:
            if when == self._count:
                self.world.act(*event)
        self._count += 1
        if method == 'GET':
            return
        image_id = path.split('/')[2]
        self._check_change(method, *path.split('/')[2:])
        image = self.fleet.images.get(image_id)
        is_edit = 'metadata' in path
        if not is_edit:
            self.wait()
        if image and (is_edit or 'protected_here' not in image['metadata']):
            self._written.add(image_id)

    def _after(self, method, path):
        _, kind, what, *_rest = *path.split('/'), ''
        if method != 'GET':
            if self.world.is_losing:
                self.world.is_losing = False
                self._lost.add(what)
                raise requests.exceptions.ConnectionError('it is lost')
        elif path == '/servers/detail':
            self._servers = copy.deepcopy(self.fleet.servers)
            self._down = set(self.fleet.down)
            self._stored = self.world.stored()
        elif kind == 'servers':
            self._stored[what] = self.world.stored().get(what, ())
        elif kind == 'images':
            self._images[what] = copy.deepcopy(self.fleet.images.get(what))

    def _check_change(self, method, image_id, *rest):
        assert self._plan is not None
        (step,) = (s for s in self._plan.changes if s.image.id == image_id)
        # What happened before has been told.
        assert len(self._told) == self._plan.steps.index(step)
        assert (method == 'DELETE' and not rest) == (step.action == 'delete')
        if self._plan.named:
            self._check_stored(image_id, self.fleet.images.get(image_id, {}))
            return
        seen = self._images[image_id]
        assert seen['status'].upper() == step.image.state
        for field in ('name', 'updated'):
            assert seen[field] == getattr(step.image, field)
        if step.action == 'delete':
            self._check_stored(image_id, seen)
            if self._options:
                self._check_deletion(image_id, seen)

    @property
    def _hidden(self):
        # What older Compute leaves out, and no ID leads to, cannot be seen.
        return self._down if self.fleet.highest < (2, 69) else set()

    def _check_stored(self, image_id, seen):
        for server_id, images in self._stored.items():
            assert image_id not in images or (
                server_id in self._hidden and 'server' not in seen
            )

    def _check_deletion(self, image_id, seen):
        assert self._servers is not None
        accepts_gaps = self._options['accept_gaps']
        hidden = self._hidden
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

    def apply(self, api, todo, options, schedule, fleet=None):
        """Apply a plan, and check that the outcomes are true.

        :param options: of the plan, if the images were not named
        :param fleet: that of the plan, as for commands
        """
        told = self._told = []
        with self.acting(schedule):
            self._plan, self._options = todo, options
            if fleet is None:
                assert api.apply(todo, on_outcome=told.append) == told
            else:
                for outcome in _apply.apply(api, todo, fleet):
                    # NOTE: one by one, as each request looks at them.
                    told.append(outcome)  # noqa: PERF402
        assert [o.step for o in told] == [*todo.steps]
        for outcome in told:
            self._check_outcome(outcome)
        return told

    def _check_outcome(self, outcome):
        result, action = outcome.result, outcome.step.action
        image_id = outcome.step.image.id
        is_written = image_id in self._written
        match result:
            case Result.KEPT | Result.SKIPPED:
                assert outcome.reason
                assert not is_written
            case Result.GONE | Result.FAILED:
                # The response was lost, and the other client overwrote it.
                assert not is_written or image_id in self._lost
            case Result.DONE:
                assert is_written or self._is_edited(outcome.step)
                is_left = image_id in self.fleet.images
                assert not is_left or action is not Action.DELETE
        assert (result is Result.KEPT) == (action is Action.KEEP)
        assert (result is Result.FAILED) == (outcome.error is not None)

    def _is_edited(self, step):
        """Return whether an image was seen as a step would leave it."""
        seen = self._images[step.image.id]['metadata']
        wanted = {**seen, **step.properties}
        return step.action is not Action.DELETE and seen == {
            k: v for k, v in wanted.items() if k not in step.keys
        }


class Machine(RuleBasedStateMachine):
    """Plans are made, kept, and applied repeatedly."""

    plans = Bundle('plans')

    def __init__(self):
        super().__init__()
        self._exit = contextlib.ExitStack()
        mocker = self._exit.enter_context(requests_mock.Mocker())
        set_catalog(mocker, {'RegionOne': nova.ENDPOINT})
        self.world = World()
        self.world.fleet.serve(mocker)
        self.observer = Observer(self.world)
        clock = types.SimpleNamespace(monotonic=lambda: self.observer.clock)
        for patch in (
            mock.patch.object(fleet_module, 'time', clock),
            mock.patch('time.sleep', autospec=True),
        ):
            self._exit.enter_context(patch)
        compute = adapter.Adapter(new_session(), service_type='compute')
        self.api = ImagesAPI(compute)

    def teardown(self):
        self._exit.close()

    @initialize(
        highest=st.sampled_from([(2, 104), (2, 68)]),
        acts=st.sampled_from(
            [(), ('shelve', 'unlink'), ('shelve', 'lose_cell'), ('resize',)]
        ),
    )
    def begin(self, highest, acts):
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
    def delete(self, last, options, planning, applying):
        """Delete or prune; the plan may be applied again."""
        accept_gaps = options['accept_gaps']
        with self.observer.acting(planning):
            images = [*self.api.list_detail()]
            usage = self.api.usage(images, accept_gaps=accept_gaps)
            include_used = options['include_used']
            protection = Protection(usage, include_used=include_used)
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

    @rule(
        numbers=st.sets(st.integers(0, 20), min_size=1, max_size=3),
        asked=st.none() | st.lists(SERVER_EVENTS, min_size=1, max_size=3),
        applying=SCHEDULES,
    )
    def delete_named(self, numbers, asked, applying):
        """Delete images by ID, or apply a plan of it after a question."""
        self.observer.wait()
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
        is_old = self.world.fleet.highest < (2, 69)
        for step in todo.changes:
            hidden = is_old and step.image.server_id is None
            assert hidden or step.image.id not in self.world.homes.values()
        if asked is not None:
            todo = todo.only(plan.Plan.from_json(todo.to_json()))
            for event in asked:
                self.change_concurrently(event)
            self.observer.wait()
        self.observer.apply(self.api, todo, {}, applying, fleet)

    @rule(target=plans, unsets=st.booleans())
    def plan_to_edit(self, unsets):
        images = self.api.list_detail()
        if unsets:
            return plan.unset_properties(images, ['tier', 'os_distro']), {}
        return plan.set_properties(images, {'tier': 'gold'}), {}

    @rule(event=EVENTS)
    def change_concurrently(self, event):
        if event[0] != 'lose_response':
            self.world.act(*event)

    @rule(made=plans, schedule=SCHEDULES)
    def apply(self, made, schedule):
        self.observer.apply(self.api, *made, schedule)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=200, stateful_step_count=8)


@pytest.mark.parametrize('what', ON_SERVERS)
def test_server_that_changes_while_a_named_image_is_approved(what):
    for image, one in itertools.product(range(2, 7), range(2)):
        machine = Machine()
        try:
            machine.delete_named({image}, [(what, 0, one)], [])
        finally:
            machine.teardown()


# --- interrupted plans ----------------------------------------------------

COMMANDS = (
    'delete --type snapshot',
    'prune --keep-last 1',
    'set --all --property tier=gold',
    'unset --all --property os_distro --property tier',
)


class Killed(BaseException):
    """Stands for a signal that cannot be caught."""


def state(fleet):
    """Return what the commands change of images."""
    return {i: image['metadata'] for i, image in fleet.images.items()}


@pytest.mark.parametrize('command', COMMANDS)
@pytest.mark.parametrize('end', [Killed, requests.exceptions.ConnectionError])
@pytest.mark.parametrize('moment', ['before', 'after'])
def test_plan_interrupted_at_any_request_can_be_completed(
    http, slept, tmp_path, command, end, moment
):
    whole = cloud(2).serve(http)
    assert App(tmp_path).run(command, GO)[0] == 0
    assert len(whole.requests) > 4
    assert whole.writes
    for number in range(len(whole.requests)):
        fleet = cloud(2).serve(http)

        def stop(_method, _path, fleet=fleet, number=number):
            if len(fleet.requests) == number + 1:
                raise end('stopped')

        setattr(fleet, moment, stop)
        try:
            code, _printed = App(tmp_path).run(command, GO)
        except Killed:
            code = None
        # Reads are retried, writes are not: only a write may fail.
        if code == 1:
            assert moment == 'before'
            assert not whole.requests[number].startswith('GET')
        fleet.before = fleet.after = lambda _method, _path: None
        App(tmp_path).rows(command, GO)
        assert state(fleet) == state(whole), number
