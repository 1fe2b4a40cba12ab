# SPDX-License-Identifier: Apache-2.0

"""What must hold, whatever fails: it looks at each request that changes."""

from testbed import nova
from tests.oracle import rules
from tests.oracle.invariant import Fault
from tests.simulate.clock import Clock
from tests.simulate.cloud import Cloud
from tests.simulate.plan import is_marked
from tests.simulate.plan import of
from tests.simulate.plan import Plan


class Guard:
    """Notes what a command has read, and checks what it changes.

    :ivar changed: the images that were deleted, or the servers of which a
        snapshot was created
    :ivar faults: what should not have happened
    """

    def __init__(self, clock: Clock, cloud: Cloud, plan: Plan) -> None:
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
        checks = {'DELETE': self._check_deletion, 'POST': self._check_creation}
        # NOTE: the client would take an exception for a failure of Nova.
        try:
            if method in checks:
                checks[method](path.split('/')[2])
        except Fault as e:
            self.faults.append(e)

    def _after(self, method: str, path: str) -> None:
        if (method, path) == ('GET', '/servers/detail'):
            self._servers = [*map(dict, self._cloud.servers.values())]
            self._has_gap = bool(self._cloud.down & self._cloud.servers.keys())
            self._booted = self._now_booted()
        elif (method, path) == ('GET', '/images/detail') and not self.changed:
            # NOTE: listed again only to find an image whose ID was lost.
            self._images = [*map(dict, self._cloud.ordered())]

    def _now_booted(self) -> set[str | None]:
        servers = self._cloud.servers.values()
        return {each['image']['id'] for each in servers if each['image']}

    def is_stored(self, image: nova.Record) -> bool:
        """Return whether a server may be stored in an image."""
        return any(
            rules.is_from(image, each) and rules.is_stored(each, rules.STORED)
            for each in self._cloud.servers.values()
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
            rules.replaces(self._plan.prune, other, image)
            for other in self._cloud.ordered()
        ):
            raise Fault(f'image {image_id} is the last good one of its group')
        if image_id not in self._plan.pruned(self._images or []):
            raise Fault(f'the rules keep image {image_id}')

    def _check_creation(self, server_id: str) -> None:
        # NOTE: a request whose response was lost may have had its effect.
        if server_id in self.changed:
            raise Fault(f'two snapshots of server {server_id} in one run')
        self.changed.append(server_id)
        images = of(server_id, self._images or [])
        if self._plan.has_recent(self._clock.of_client(), images):
            raise Fault(f'server {server_id} has a recent snapshot')

    def is_covered(self) -> bool:
        """Return whether OK is true, from what there was to be read."""
        servers = [each for each in self._servers or [] if is_marked(each)]
        if self._has_gap or self._images is None or not servers:
            return False
        return all(
            self._plan.is_covered(self._began, of(each['id'], self._images))
            for each in servers
        )
