# SPDX-License-Identifier: Apache-2.0

"""The time, which passes without sleeping, and a clock that may be wrong."""

import contextlib
import datetime
import random
import time
from unittest import mock

from tests.oracle import client
from tests.unit.running import local_zone

_REAL = datetime.datetime
#: Of the first night. 2024 is a leap year.
_FIRST = (2024, 1, 15)
#: POSIX has these rules of summer time without a database of time zones.
ZONES = (
    'UTC0',
    'CET-1CEST,M3.5.0,M10.5.0/3',
    'EST5EDT,M3.2.0,M11.1.0',
    'NZST-12NZDT,M9.5.0,M4.1.0/3',
)


class _Meta(type):
    def __instancecheck__(cls, other):
        return isinstance(other, _REAL)


class Clock:
    """The time.

    :ivar now: the true time, in seconds
    :ivar offset: by how much the clock of the client is wrong
    """

    def __init__(self):
        self.now = 0.0
        self.offset = 0.0

    def stamp(self):
        """Return the time as Nova shows it."""
        return f'{_REAL.fromtimestamp(self.now, datetime.UTC):%FT%TZ}'

    def of_client(self):
        return _REAL.fromtimestamp(self.now + self.offset, datetime.UTC)

    def set_local(self, day, minute):
        """Set the time: so many minutes after 2 o'clock, local time."""
        year, month, first = _FIRST
        parts = (year, month, first + day, 2, minute, 0, -1, -1, -1)
        self.now = max(self.now, time.mktime(parts))

    @contextlib.contextmanager
    def patched(self, zone, sleep):
        """Let the commands use this time, in one thread."""
        clock = self

        class Fake(_REAL, metaclass=_Meta):
            @classmethod
            def now(cls, tz=None):
                return clock.of_client().astimezone(tz)

        with (
            local_zone(zone),
            mock.patch.object(datetime, 'datetime', Fake),
            # The delays between retries; not the faults.
            mock.patch.object(
                random, 'random', autospec=True, return_value=0.5
            ),
            client.at_once(lambda: self.now, sleep),
        ):
            yield
