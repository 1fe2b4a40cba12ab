# SPDX-License-Identifier: Apache-2.0

"""What happens to servers and images."""

from testbed import nova
from testbed.fleet import server
from testbed.fleet import snapshot
from tests.oracle.world import TASK
from tests.simulate.plan import of

#: The task of a server during an upload.
_UPLOADING = 'image_uploading'
_NAMES = ('web', 'db', 'web-shelved', 'app', 'größe')
_FATES = (*['ACTIVE'] * 16, 'ERROR', 'stuck', 'stuck with its task', 'gone')
_EVENTS = (
    *('boot', 'delete', 'rename', 'shelve', 'unshelve', 'rebuild'),
    *('task', 'error', 'cell', 'lose', 'take'),
)


class Life:
    def __init__(self, chance, clock, cloud):
        self._chance = chance
        self._clock = clock
        self._cloud = cloud
        #: When the upload of an image ends, and how.
        self._uploads = {}
        self._cell = set()
        # Somebody loses images above all, while a command runs.
        cloud.act = lambda: self.act((*_EVENTS, *['lose'] * 3))
        for _ in range(2):
            cloud.add(nova.image(created='2023-01-01T00:00:00Z'))
        self._bases = [*cloud.images]
        cloud.added = self._upload
        for _ in range(chance.randint(3, 6)):
            self._boot()

    def morning(self):
        """Let some things happen, and an operator repair others."""
        for each in self._cloud.servers.values():
            if self._chance.random() < 0.6:
                each[TASK] = None
                self._unshelve(each)
                if each['status'] == 'ERROR':
                    each['status'] = 'ACTIVE'
        for image in [*self._cloud.images.values()]:
            stuck = image['status'] == 'SAVING'
            if stuck and self._chance.random() < 0.6:
                self._cloud.delete(image['id'])
        for _ in range(self._chance.choice([0, 0, 0, 1, 2])):
            self.act()

    def pass_time(self, seconds):
        """Let time pass: uploads end."""
        self._clock.now += seconds
        for image_id, (when, fate) in [*self._uploads.items()]:
            if when <= self._clock.now:
                del self._uploads[image_id]
                self._end(image_id, fate)

    def act(self, events=_EVENTS):
        chance, servers = self._chance, self._cloud.servers
        each = chance.choice([*servers.values()])
        is_ready = each['status'] in nova.READY
        match chance.choice(events):
            case 'cell':
                self._cloud.down ^= self._cell
            case 'boot' if len(servers) < 7:
                self._boot()
            case 'delete' if len(servers) > 2:
                del servers[each['id']]
            case 'rename':
                each['name'] = chance.choice(_NAMES)
            case 'rebuild' if is_ready and each['image']:
                each['image'] = {'id': self._any_image()}
            case 'shelve' if is_ready and each['image'] and not each[TASK]:
                self._shelve(each)
            case 'unshelve' | 'lose' | 'take' as event:
                getattr(self, f'_{event}')(each)
            case 'task':
                each[TASK] = chance.choice([None, 'migrating', 'rebuilding'])
            case 'error' if is_ready:
                each['status'] = chance.choice(['ERROR', 'SHUTOFF'])

    def _boot(self):
        new = self._cloud.new_id()
        on_volume = self._chance.random() < 0.15
        self._cloud.servers[new] = server(
            new,
            self._chance.choice(_NAMES),
            image=None if on_volume else self._any_image(),
            status=self._chance.choice(nova.READY),
            metadata={'backup': self._chance.choice(['yes'] * 7 + ['no'])},
        )
        if self._chance.random() < 0.3:
            self._cell.add(new)

    def _any_image(self):
        images = self._cloud.images.values()
        good = [i['id'] for i in images if i['status'] == 'ACTIVE']
        return self._chance.choice([*good, *self._bases])

    def _take(self, each, name='by hand'):
        now = self._clock.stamp()
        new = snapshot(0, each['id'], name=name, created=now)
        self._cloud.add(new)
        if self._chance.random() < 0.9:
            del self._uploads[new['id']]
        else:
            new['status'] = 'SAVING'

    def _shelve(self, each):
        each['status'] = 'SHELVED_OFFLOADED'
        self._take(each, f'{each["name"]}-shelved')

    def _unshelve(self, each):
        if each['status'] != 'SHELVED_OFFLOADED':
            return
        each['status'] = 'ACTIVE'
        for image in of(each['id'], self._cloud.ordered()):
            if image['name'].endswith('-shelved'):
                self._cloud.delete(image['id'])
                break

    def _lose(self, each):
        status = self._chance.choice(['ERROR', 'DELETED', 'UNKNOWN', ''])
        newest = of(each['id'], self._cloud.ordered())
        for image in newest[: self._chance.randint(1, 5)]:
            if status:
                image['status'] = status
                image['updated'] = self._clock.stamp()
            else:
                self._cloud.delete(image['id'])

    def _upload(self, image):
        minutes = self._chance.choice([0.5, 2, 5, 30])
        fate = self._chance.choice(_FATES)
        self._uploads[image['id']] = (self._clock.now + 60 * minutes, fate)
        taken = self._cloud.servers[image['metadata']['instance_uuid']]
        if image['status'] == 'SAVING':
            taken[TASK] = _UPLOADING

    def _end(self, image_id, fate):
        image = self._cloud.images.get(image_id)
        if image is None or image['status'] != 'SAVING':
            return
        taken = self._cloud.servers.get(image['metadata']['instance_uuid'])
        if taken is None:
            fate = 'gone'
        elif taken[TASK] == _UPLOADING and fate != 'stuck with its task':
            taken[TASK] = None
        if fate == 'gone':
            self._cloud.delete(image_id)
        elif not fate.startswith('stuck'):
            image['status'] = fate
            image['updated'] = self._clock.stamp()
