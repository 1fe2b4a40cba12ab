# SPDX-License-Identifier: Apache-2.0

"""Whether and when a request is sent again. It does no I/O."""

from collections.abc import Callable
import dataclasses
import datetime
import email.utils
import math
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _sessions
from osc_compute_images.api.http._fault import fault_of
from osc_compute_images.api.http._fault import Kind

#: How often a request is sent again, where the user has set nothing.
RETRIES = 3

#: Seconds: the longest delay before a request is sent again. A server that
#: asks for a longer one is not asked again.
MAX_DELAY = 30.0

#: Seconds: the delay before the first retry; each one after it is twice as
#: long as the one before.
_FIRST_DELAY = 0.5

#: Statuses that mean "not now", and nothing about the request. 413 is Nova's
#: older 429.
STATUSES = frozenset((413, 429, 502, 503, 504))


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the user has set, or the defaults.

    :param connect_retries: retries after faults of the connection
    :param status_code_retries: retries after a status of ``statuses``
    :param connect_retry_delay: seconds, always the same, or None
    :param status_code_retry_delay: likewise
    :param timeouts: a timeout is a fault of the connection, too: only where
        the user asks for retries, as the default has waited long enough
    """

    connect_retries: int = RETRIES
    status_code_retries: int = RETRIES
    connect_retry_delay: float | None = None
    status_code_retry_delay: float | None = None
    statuses: frozenset[int] = STATUSES
    timeouts: bool = False

    @classmethod
    def of(cls, adapter: Any) -> 'Settings':
        """Read those of an adapter and of the session below it.

        keystoneauth is not left to retry by itself: it knows nothing of
        faults while a body is read, and its retries would multiply with
        these.
        """
        set_by_user = adapter.connect_retries
        if set_by_user is None:
            set_by_user = of_session(adapter)
        status_code_retries = adapter.status_code_retries
        return cls(
            RETRIES if set_by_user is None else set_by_user,
            RETRIES if status_code_retries is None else status_code_retries,
            adapter.connect_retry_delay,
            adapter.status_code_retry_delay,
            STATUSES.union(adapter.retriable_status_codes or ()),
            timeouts=set_by_user is not None,
        )

    def retries(self, error: _errors.ImagesError) -> int:
        """Return how often a request is sent again after such errors."""
        kind = fault_of(error).kind
        if kind is Kind.CONNECTION or (kind is Kind.TIMEOUT and self.timeouts):
            return self.connect_retries
        if kind is Kind.STATUS and error.http_status in self.statuses:
            return self.status_code_retries
        return 0


def delay(
    error: _errors.ImagesError,
    attempt: int,
    settings: Settings,
    left: float,
    random: Callable[[], float],
) -> float | None:
    """Return the seconds to wait before a request is sent again, if it is.

    :param attempt: how often it has been sent again already
    :param left: seconds in which all must be done
    :param random: returns numbers from 0 to 1, so that not all clients come
        back at the same time
    :returns: None if the request is not sent again
    """
    if attempt >= settings.retries(error):
        return None
    fault = fault_of(error)
    seconds: float
    if fault.retry_after is not None:
        if fault.retry_after > MAX_DELAY:
            return None
        seconds = min(fault.retry_after * (1 + random() / 10), MAX_DELAY)
    else:
        fixed = (
            settings.status_code_retry_delay
            if fault.kind is Kind.STATUS
            else settings.connect_retry_delay
        )
        seconds = fixed or min(_FIRST_DELAY * 2.0**attempt, MAX_DELAY) * (
            1 - random() / 2
        )
    return seconds if seconds < left else None


def of_session(adapter: Any) -> int | None:
    """Return the session's ``connect_retries``, if the user has set them.

    keystoneauth applies them by itself when it fetches a token.
    """
    return next(
        # 0 is the default.
        (
            retries
            for session in _sessions.below(adapter)
            if (retries := getattr(session, '_connect_retries', 0))
        ),
        None,
    )


def seconds_of(retry_after: str | None) -> float | None:
    """Read a ``Retry-After``: seconds, or a date.

    :returns: seconds from now, or None if there are none, or none to read
    """
    if not retry_after:
        return None
    text = retry_after.strip()
    try:
        if text.isdecimal():
            return float(text) if len(text) < 300 else math.inf
        when = email.utils.parsedate_to_datetime(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=datetime.UTC)
        now = datetime.datetime.now(datetime.UTC)
        return max(0.0, (when - now).total_seconds())
    except (ValueError, OverflowError):
        return None
