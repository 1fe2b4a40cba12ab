# SPDX-License-Identifier: Apache-2.0

"""What must hold, whatever fails: it looks at each request that changes."""

from tests.oracle import rules
from tests.oracle.invariant import Fault
from tests.simulate.plan import is_marked
from tests.simulate.plan import of


class Guard:
    """Notes what a command has read, and checks what it changes.

    :ivar changed: the images that were deleted, or the servers of which a
        snapshot was created
    :ivar faults: what should not have happened
    """

    def __init__(self, clock, cloud, plan):
        self._clock = clock
        self._cloud = cloud
        self._plan = plan
        self.begin()
        cloud.before = self._before
        cloud.after = self._after

    def begin(self):
        self.changed = []
        self.faults = []
        self._began = self._clock.of_client()
        self._images = []
        self._servers = []
        self._booted = set()
        self._has_gap = False

    def _before(self, method, path):
        checks = {'DELETE': self._check_deletion, 'POST': self._check_creation}
        # NOTE: the client would take an exception for a failure of Nova.
        try:
            if method in checks:
                checks[method](path.split('/')[2])
        except Fault as e:
            self.faults.append(e)

    def _after(self, method, path):
        if (method, path) == ('GET', '/servers/detail'):
            self._servers = [*map(dict, self._cloud.servers.values())]
            self._has_gap = bool(self._cloud.down & self._cloud.servers.keys())
            self._booted = self._now_booted()
        elif (method, path) == ('GET', '/images/detail') and not self.changed:
            # NOTE: listed again only to find an image whose ID was lost.
            self._images = [*map(dict, self._cloud.ordered())]

    def _now_booted(self):
        servers = self._cloud.servers.values()
        return {each['image']['id'] for each in servers if each['image']}

    def _is_stored(self, image):
        return any(
            rules.is_from(image, each) and rules.is_stored(each, rules.STORED)
            for each in self._cloud.servers.values()
        )

    def is_used(self, image):
        """Return whether it is an image of a server."""
        return image['id'] in self._now_booted() or self._is_stored(image)

    def _check_deletion(self, image_id):
        image = self._cloud.images.get(image_id)
        if image is None:
            return
        self.changed.append(image_id)
        if image_id in self._now_booted() & self._booted:
            raise Fault(f'a server was booted from image {image_id}')
        if self._is_stored(image):
            raise Fault(f'a server may be stored in image {image_id}')
        if not any(
            rules.replaces(self._plan.prune, other, image)
            for other in self._cloud.ordered()
        ):
            raise Fault(f'image {image_id} is the last good one of its group')
        if image_id not in self._plan.pruned(self._images):
            raise Fault(f'the rules keep image {image_id}')

    def _check_creation(self, server_id):
        # NOTE: a request whose response was lost may have had its effect.
        if server_id in self.changed:
            raise Fault(f'two snapshots of server {server_id} in one run')
        self.changed.append(server_id)
        images = of(server_id, self._images)
        if self._plan.has_recent(self._clock.of_client(), images):
            raise Fault(f'server {server_id} has a recent snapshot')

    def is_covered(self):
        """Return whether OK is true, from what there was to be read."""
        marked = [each['id'] for each in self._servers if is_marked(each)]
        return bool(marked and not self._has_gap) and all(
            self._plan.is_covered(self._began, of(each, self._images))
            for each in marked
        )
