# SPDX-License-Identifier: Apache-2.0

"""What must hold, whatever fails: it looks at each request that changes."""

import copy
import datetime

from testbed import nova
from tests.oracle import commands
from tests.oracle import rules
from tests.oracle import world as w
from tests.oracle.invariant import Fault
from tests.simulate.clock import Clock
from tests.simulate.clock import parse
from tests.simulate.cloud import Cloud
from tests.simulate.cloud import READY
from tests.simulate.life import TASK

_SKEW = datetime.timedelta(minutes=5)


class Guard:
    """Notes what a command has read, and checks what it changes.

    :ivar changed: the images that were deleted, or the servers of which a
        snapshot was created
    :ivar faults: what should not have happened
    """

    def __init__(self, clock: Clock, cloud: Cloud, plan: 'Plan') -> None:
        self._clock = clock
        self._cloud = cloud
        self._plan = plan
        self.begin()
        cloud.before = self._before
        cloud.after = self._after

    def begin(self) -> None:
        """Begin to look at a command."""
        self.changed: list[str] = []
        self.faults: list[Fault] = []
        self._began = self._clock.of_client()
        self._images: list[nova.Record] | None = None
        self._servers: list[nova.Record] | None = None
        self._booted: set[str | None] = set()
        self._has_gap = False

    def _before(self, method: str, path: str) -> None:
        what = path.split('/')[2:3]
        # NOTE: the client would take an exception for a failure of Nova.
        try:
            if method == 'DELETE':
                self._check_deletion(what[0])
            elif method == 'POST':
                self._check_creation(what[0])
        except Fault as e:
            self.faults.append(e)

    def _after(self, method: str, path: str) -> None:
        if (method, path) == ('GET', '/servers/detail'):
            servers = [*self._cloud.servers.values()]
            self._servers = copy.deepcopy(servers)
            self._has_gap = bool(self._cloud.down & self._cloud.servers.keys())
            self._booted = self._now_booted()
        elif (method, path) == ('GET', '/images/detail'):
            self._images = copy.deepcopy(self._cloud.ordered())

    def _now_booted(self) -> set[str | None]:
        servers = self._cloud.known()
        return {r.image for each in servers for r in each.records}

    def is_stored(self, image: nova.Record) -> bool:
        """Return whether a server may be stored in an image."""
        return any(
            rules.is_from(image, each)
            and rules.is_stored(each.records, rules.STORED)
            for each in self._cloud.known()
        )

    def is_used(self, image: nova.Record) -> bool:
        """Return whether it is an image of a server."""
        return image['id'] in self._now_booted() or self.is_stored(image)

    def _check_deletion(self, image_id: str) -> None:
        image = self._cloud.images.get(image_id)
        if image is None:
            return
        self.changed.append(image_id)
        if image_id in self._now_booted() & self._booted:
            raise Fault(f'a server was booted from image {image_id}')
        if self.is_stored(image):
            raise Fault(f'a server may be stored in image {image_id}')
        if not any(
            rules.replaces(other, image)
            for other in self._cloud.of(w.image_server(image) or '')
        ):
            raise Fault(f'image {image_id} is the last good one of its group')
        if image_id not in self._plan.pruned(self._images or []):
            raise Fault(f'the rules keep image {image_id}')

    def _check_creation(self, server_id: str) -> None:
        self.changed.append(server_id)
        if self._plan.has_recent(self._clock, server_id, self._images or []):
            raise Fault(f'server {server_id} has a recent snapshot')

    def is_covered(self) -> bool:
        """Return whether OK is true, from what there was to be read."""
        servers = [each for each in self._servers or [] if is_marked(each)]
        if self._has_gap or self._images is None or not servers:
            return False
        return all(
            self._plan.covers(self._began, each['id'], self._images)
            for each in servers
        )


class Plan:
    """The options of the three commands, and what they mean.

    :ivar words: by the name of the command
    """

    def __init__(self, keep: dict[str, int], wait: bool, least: int) -> None:
        marked = ['--with-metadata', 'backup=yes']
        self._least = least
        self._prune = commands.Command('prune', [], ['r0'], asks=False)
        self._prune.rules = keep
        kept = [
            f'--keep-{rule}={number}{"h" if rule == "within" else ""}'
            for rule, number in keep.items()
        ]
        waits = ['--wait', '--timeout=900'] if wait else []
        go = '--auto-approve'
        self.words = {
            'create': [
                *(*marked, '--include-volumes', '--not-within=20h', go),
                *waits,
            ],
            'check': [
                *(*marked, '--critical=26h', '--stuck-after=4h'),
                f'--min-count={least}',
            ],
            'prune': [*kept, go],
        }

    def pruned(self, images: list[nova.Record]) -> set[str]:
        """Return the images that no rule keeps."""
        return {each['id'] for each in rules.chosen(self._prune, images)}

    def has_recent(
        self, clock: Clock, server_id: str, images: list[nova.Record]
    ) -> bool:
        """Return whether a server needs no other snapshot."""
        now = clock.of_client()
        return any(
            abs(now - parse(i['created'])) < datetime.timedelta(hours=20)
            for i in _good(server_id, images)
        )

    def due(
        self,
        clock: Clock,
        servers: list[nova.Record],
        images: list[nova.Record],
    ) -> set[str]:
        """Return the servers of which a snapshot is created."""
        return {
            each['id']
            for each in servers
            if is_marked(each)
            and each['status'] in READY
            and each[TASK] is None
            and not self.has_recent(clock, each['id'], images)
        }

    def covers(
        self,
        now: datetime.datetime,
        server_id: str,
        images: list[nova.Record],
    ) -> bool:
        """Return whether a server falls short of nothing."""
        own = [i for i in images if w.image_server(i) == server_id]
        times = [parse(i['created']) for i in _good(server_id, images)]
        return (
            len(times) >= self._least
            and max(times) < now + _SKEW
            and max(times) >= now - datetime.timedelta(hours=26)
            and not any(
                i['status'] == 'SAVING'
                and parse(i['created']) < now - datetime.timedelta(hours=4)
                for i in own
            )
        )


def is_marked(server: nova.Record) -> bool:
    """Return whether a server is to have snapshots."""
    return bool(server['metadata']['backup'] == 'yes')


def _good(server_id: str, images: list[nova.Record]) -> list[nova.Record]:
    return [
        i
        for i in images
        if w.image_server(i) == server_id and i['status'] == 'ACTIVE'
    ]
