# SPDX-License-Identifier: Apache-2.0

"""The options of the three commands, and what the documents say of them."""

import datetime

from testbed import nova
from tests.oracle import commands
from tests.oracle import rules
from tests.oracle.world import image_server
from tests.oracle.world import TASK
from tests.simulate.clock import parse

_Time = datetime.datetime
_RECENT = datetime.timedelta(hours=20)
_OLD = datetime.timedelta(hours=26)
_STUCK = datetime.timedelta(hours=4)
#: How far clocks may differ.
_SKEW = datetime.timedelta(minutes=5)


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

    def has_recent(self, now: _Time, images: list[nova.Record]) -> bool:
        """Return whether a server needs no other snapshot."""
        return any(abs(now - time) < _RECENT for time in _good(images))

    def is_due(
        self, now: _Time, server: nova.Record, images: list[nova.Record]
    ) -> bool:
        """Return whether a snapshot of a server is created."""
        return (
            is_marked(server)
            and server['status'] in nova.READY
            and server[TASK] is None
            and not self.has_recent(now, images)
        )

    def is_covered(self, now: _Time, images: list[nova.Record]) -> bool:
        """Return whether a server falls short of nothing."""
        good = _good(images)
        return (
            len(good) >= self._least
            and now - _OLD <= max(good) < now + _SKEW
            and not any(
                i['status'] == 'SAVING' and parse(i['created']) < now - _STUCK
                for i in images
            )
        )


def is_marked(server: nova.Record) -> bool:
    """Return whether a server is to have snapshots."""
    return bool(server['metadata']['backup'] == 'yes')


def of(server_id: str, images: list[nova.Record]) -> list[nova.Record]:
    """Return the images of a server."""
    return [i for i in images if image_server(i) == server_id]


def _good(images: list[nova.Record]) -> list[_Time]:
    """Return when the good images were created."""
    return [parse(i['created']) for i in images if i['status'] == 'ACTIVE']
