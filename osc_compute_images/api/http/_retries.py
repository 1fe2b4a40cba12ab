# SPDX-License-Identifier: Apache-2.0

"""When a request is retried, and after which delay."""

from collections.abc import Callable
import dataclasses
from typing import Self

from osc_compute_images.api import _errors
from osc_compute_images.api.http._error_response import MAX_DELAY
from osc_compute_images.api.http._session import BoundedSession

#: Default number of retries.
RETRIES = 3

#: Delay before the first retry, seconds. It doubles with each retry.
_FIRST_DELAY = 0.5

#: Statuses of transient errors. 413 is the 429 of older releases of Nova.
STATUSES = frozenset((413, 429, 502, 503, 504))


@dataclasses.dataclass(frozen=True)
class Retries:
    """The settings of retries.

    keystoneauth's own retries are disabled: they do not cover errors while a
    body is read, and would multiply with these.

    :param connect: retries after errors of the connection
    :param status_code: retries after a status in ``statuses``
    :param connect_delay: a fixed delay, seconds, or None
    :param status_code_delay: likewise
    :param timeouts: whether timeouts are retried: only if the user has set
        ``connect_retries``, as a timeout takes long
    """

    connect: int = RETRIES
    status_code: int = RETRIES
    connect_delay: float | None = None
    status_code_delay: float | None = None
    statuses: frozenset[int] = STATUSES
    timeouts: bool = False

    @classmethod
    def of(cls, session: BoundedSession) -> Self:
        """Return the settings of an adapter and its sessions."""
        adapter = session.adapter
        connect = adapter.connect_retries
        if connect is None:
            connect = session.connect_retries
        status_code = adapter.status_code_retries
        return cls(
            RETRIES if connect is None else connect,
            RETRIES if status_code is None else status_code,
            adapter.connect_retry_delay,
            adapter.status_code_retry_delay,
            STATUSES.union(adapter.retriable_status_codes or ()),
            timeouts=connect is not None,
        )

    def number(self, error: _errors.ImagesError) -> int:
        """Return the number of retries for an error."""
        if isinstance(error, _errors.HTTPError):
            retried = error.http_status in self.statuses
            if error.http_status == 413 and error.retry_after is None:
                # It is not the 429 of an older Nova.
                retried = False
            return self.status_code if retried else 0
        is_timeout = isinstance(error, _errors.RequestTimedOut)
        retried = error.transient and (self.timeouts or not is_timeout)
        return self.connect if retried else 0

    def delay(
        self,
        error: _errors.ImagesError,
        attempt: int,
        left: float,
        random: Callable[[], float],
    ) -> float | None:
        """Return the seconds to wait before a retry.

        :param attempt: number of retries so far
        :param left: seconds until the deadline
        :param random: returns numbers from 0 to 1, for jitter
        :returns: None if the request is not retried
        """
        if attempt >= self.number(error):
            return None
        seconds = self.connect_delay
        if isinstance(error, _errors.HTTPError):
            seconds = self.status_code_delay
        if error.retry_after is not None:
            if error.retry_after > MAX_DELAY:
                return None
            seconds = min(error.retry_after * (1 + random() / 10), MAX_DELAY)
        elif seconds is None:
            seconds = min(_FIRST_DELAY * 2.0**attempt, MAX_DELAY)
            seconds *= 1 - random() / 2
        return seconds if seconds < left else None
