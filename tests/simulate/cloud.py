# SPDX-License-Identifier: Apache-2.0

"""A fake Nova that fails, and the process that is killed meanwhile."""

import uuid

import requests

from testbed import nova
from testbed.fleet import Fleet

#: Some are before the request takes effect, and some after.
_BEFORE = ('kill', 'kill', 'timeout', 403, 500, 503)
_AFTER = ('kill', 'kill', 'timeout', 502)
#: Methods, paths, and how all their requests fail.
_OUTAGES = (
    *(('GET', '/servers', status) for status in (403, 500, 'timeout')),
    *(('GET', '/images', status) for status in (403, 500, 'timeout')),
    *(('DELETE', '/images', status) for status in (403, 500)),
    *(('POST', '/servers', status) for status in (403, 500)),
)
_CALM = (('', '', None),)


class Killed(BaseException):
    """The process of the command was killed."""


class Cloud(Fleet):
    """Images and servers.

    :ivar act: called when somebody else acts
    :ivar added: called with a new image
    :ivar is_killed: whether the process that sends requests was killed
    """

    def __init__(self, chance, clock):
        super().__init__(())
        self._chance = chance
        self._clock = clock
        self.now = clock.stamp
        self.calm_down()
        self.act = lambda: None
        self.added = lambda _image: None
        self.is_killed = False

    def calm_down(self):
        """Let nothing fail, and nobody else act."""
        self._faults = self._acts = 0.0
        self._outage = _CALM[0]

    def worsen(self):
        """Draw what fails, and how often somebody else acts, in a night."""
        self._faults = self._chance.choice([0, 0.02, 0.1])
        self._acts = self._chance.choice([0, 0.3])
        is_out = self._chance.random() < 0.2
        self._outage = self._chance.choice(_OUTAGES if is_out else _CALM)

    def answer(self, method, path, query, *rest):
        if self.is_killed:
            raise Killed
        self._clock.now += self._chance.choice([0.01, 0.1, 0.5])
        # NOTE: between the last reads and the deletion remains a race.
        is_last = path.startswith('/images/') and path != '/images/detail'
        if not is_last and self._chance.random() < self._acts:
            self.act()
        verb, prefix, fault = self._outage
        if verb != method or not path.startswith(prefix):
            fault = None
        after = None
        if self._chance.random() < self._faults:
            fault = fault or self._chance.choice([*_BEFORE, None])
            after = None if fault else self._chance.choice(_AFTER)
        if fault is not None:
            return self._fail(fault)
        answer = super().answer(method, path, query, *rest)
        return answer if after is None else self._fail(after)

    def _fail(self, how):
        if how == 'kill':
            self.is_killed = True
            raise Killed
        if how == 'timeout':
            raise requests.exceptions.ReadTimeout('timed out')
        return nova.fault(how, 'fault', 'It failed.')

    def add(self, new):
        """Add a new image, with a random ID."""
        new['id'] = self.new_id()
        new['updated'] = new['created']
        super().add(new)
        self.added(new)

    def new_id(self):
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
