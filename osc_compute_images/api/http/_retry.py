# SPDX-License-Identifier: Apache-2.0

"""Whether and when a request is retried. It does no I/O."""

from collections.abc import Callable
import dataclasses
import datetime
import email.utils
import math

from osc_compute_images.api import _errors

#: Default number of retries.
RETRIES = 3

#: Maximum delay before a retry, seconds. If a server asks for a longer delay,
#: the request is not retried.
MAX_DELAY = 30.0

#: Delay before the first retry, seconds. It doubles with each retry.
_FIRST_DELAY = 0.5

#: Statuses of transient errors. 413 is the 429 of older releases of Nova.
STATUSES = frozenset((413, 429, 502, 503, 504))


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of the user, or the defaults.

    keystoneauth's own retries are disabled for requests: they do not cover
    errors while a body is read, and would multiply with these.

    :param connect_retries: retries after errors of the connection
    :param status_code_retries: retries after a status in ``statuses``
    :param connect_retry_delay: a fixed delay, seconds, or None
    :param status_code_retry_delay: likewise
    :param timeouts: whether timeouts are retried: only if the user has set
        ``connect_retries``, as a timeout takes long
    """

    connect_retries: int = RETRIES
    status_code_retries: int = RETRIES
    connect_retry_delay: float | None = None
    status_code_retry_delay: float | None = None
    statuses: frozenset[int] = STATUSES
    timeouts: bool = False

    def retries(self, error: _errors.ImagesError) -> int:
        """Return the number of retries for an error."""
        if isinstance(error, _errors.HTTPError):
            retried = error.http_status in self.statuses
            if error.http_status == 413 and error.retry_after is None:
                # It is not the 429 of an older Nova.
                retried = False
            return self.status_code_retries if retried else 0
        is_timeout = isinstance(error, _errors.RequestTimedOut)
        retried = error.transient and (self.timeouts or not is_timeout)
        return self.connect_retries if retried else 0

    def fixed_delay(self, error: _errors.ImagesError) -> float | None:
        """Return the configured delay after an error, seconds, or None."""
        if isinstance(error, _errors.HTTPError):
            return self.status_code_retry_delay
        return self.connect_retry_delay


def delay(
    error: _errors.ImagesError,
    attempt: int,
    settings: Settings,
    left: float,
    random: Callable[[], float],
) -> float | None:
    """Return the seconds to wait before a retry.

    :param attempt: number of retries so far
    :param left: seconds until the deadline
    :param random: returns numbers from 0 to 1, for jitter
    :returns: None if the request is not retried
    """
    if attempt >= settings.retries(error):
        return None
    seconds = settings.fixed_delay(error)
    if error.retry_after is not None:
        if error.retry_after > MAX_DELAY:
            return None
        seconds = min(error.retry_after * (1 + random() / 10), MAX_DELAY)
    elif seconds is None:
        seconds = min(_FIRST_DELAY * 2.0**attempt, MAX_DELAY)
        seconds *= 1 - random() / 2
    return seconds if seconds < left else None


def parse_retry_after(retry_after: str | None) -> float | None:
    """Parse a ``Retry-After`` header: seconds, or a date.

    :returns: seconds from now, or None if it is missing or invalid
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
