# SPDX-License-Identifier: Apache-2.0

"""The options of the three commands, and what the documents say of them."""

import datetime

from testbed import nova
from tests.oracle import commands
from tests.oracle import rules
from tests.oracle.world import image_server
from tests.oracle.world import TASK
from tests.unit.running import GO

_Time = datetime.datetime
_RECENT = datetime.timedelta(hours=20)
_OLD = datetime.timedelta(hours=26)
_STUCK = datetime.timedelta(hours=4)
#: How far clocks may differ.
_SKEW = datetime.timedelta(minutes=5)


class Plan:
    """The options of the three commands, and what they mean.

    :ivar words: by the name of the command
    :ivar prune: the last of them
    """

    def __init__(self, chance):
        rules = chance.sample(commands.PERIODS, chance.choice([1, 1, 1, 2, 3]))
        keep = {rule: chance.choice([1, 1, 1, 2, 4]) for rule in rules}
        if chance.random() < 0.3:
            keep['within'] = chance.choice([1, 30, 100])
        waits = ['--wait', '--timeout=900'] if chance.random() < 0.5 else []
        self._least = chance.choice([1, 1, 2])
        marked = ['--with-metadata', 'backup=yes']
        self.prune = commands.Command('prune', [], ['r0'], False, rules=keep)
        create = ['--include-volumes', '--not-within=20h', *waits]
        count = f'--min-count={self._least}'
        check = ['--critical=26h', '--stuck-after=4h', count]
        self.words = {
            'create': [*marked, *create, GO],
            'check': [*marked, *check],
            'prune': [*commands.words_of(keep), GO],
        }

    def pruned(self, images):
        return {each['id'] for each in rules.chosen(self.prune, images)}

    def has_recent(self, now, images):
        """Return whether a server needs no other snapshot."""
        good = _dated(images, 'ACTIVE')
        return any(abs(now - time) < _RECENT for time in good)

    def is_due(self, now, server, images):
        """Return whether a snapshot of a server is created."""
        return (
            is_marked(server)
            and server['status'] in nova.READY
            and server[TASK] is None
            and not self.has_recent(now, images)
        )

    def is_covered(self, now, images):
        """Return whether a server falls short of nothing."""
        good = _dated(images, 'ACTIVE')
        return (
            len(good) >= self._least
            and now - _OLD <= max(good) < now + _SKEW
            and not any(t < now - _STUCK for t in _dated(images, 'SAVING'))
        )


def is_marked(server):
    """Return whether a server is to have snapshots."""
    return server['metadata']['backup'] == 'yes'


def of(server_id, images):
    return [i for i in images if image_server(i) == server_id]


def _dated(images, status):
    found = [each for each in images if each['status'] == status]
    return [_Time.fromisoformat(each['created']) for each in found]
