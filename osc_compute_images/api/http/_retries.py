# SPDX-License-Identifier: Apache-2.0

"""When a request is retried, and after which delay."""

import random
from typing import TYPE_CHECKING

from osc_compute_images.api import _errors
from osc_compute_images.api.http._error_response import MAX_DELAY

if TYPE_CHECKING:
    from osc_compute_images.api.http._session import BoundedSession

#: Default number of retries.
RETRIES = 3

#: Delay before the first retry, seconds. It doubles with each retry.
_FIRST_DELAY = 0.5

#: Statuses of transient errors. 413 is the 429 of older releases of Nova.
STATUSES = frozenset((413, 429, 502, 503, 504))


class Retries:
    """The retries of an adapter and its sessions.

    keystoneauth's own retries are disabled: they do not cover errors while a
    body is read, and would multiply with these.

    :ivar statuses: those of transient errors
    """

    def __init__(self, session: 'BoundedSession') -> None:
        self._adapter = adapter = session.adapter
        connect = adapter.connect_retries
        if connect is None:
            connect = session.connect_retries
        # Only if the user has set it, as a timeout takes long.
        self._after_timeouts = connect is not None
        self._connect = RETRIES if connect is None else connect
        retries = adapter.status_code_retries
        self._status_code = RETRIES if retries is None else retries
        self.statuses = STATUSES.union(adapter.retriable_status_codes or ())

    def number(self, error: _errors.ImagesError) -> int:
        """Return the number of retries for an error."""
        if isinstance(error, _errors.HTTPError):
            retried = error.http_status in self.statuses
            if error.http_status == 413 and error.retry_after is None:
                # It is not the 429 of an older Nova.
                retried = False
            return self._status_code if retried else 0
        is_timeout = isinstance(error, _errors.RequestTimedOut)
        retried = error.transient and (self._after_timeouts or not is_timeout)
        return self._connect if retried else 0

    def delay(
        self, error: _errors.ImagesError, attempt: int, left: float
    ) -> float | None:
        """Return the seconds to wait before a retry.

        :param attempt: number of retries so far
        :param left: seconds until the deadline
        :returns: None if the request is not retried
        """
        if attempt >= self.number(error):
            return None
        seconds: float | None = self._adapter.connect_retry_delay
        if isinstance(error, _errors.HTTPError):
            seconds = self._adapter.status_code_retry_delay
        jitter = random.random()  # noqa: S311
        if error.retry_after is not None:
            if error.retry_after > MAX_DELAY:
                return None
            seconds = min(error.retry_after * (1 + jitter / 10), MAX_DELAY)
        elif seconds is None:
            seconds = min(_FIRST_DELAY * 2.0**attempt, MAX_DELAY)
            seconds *= 1 - jitter / 2
        return seconds if seconds < left else None
