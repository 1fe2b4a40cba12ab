# SPDX-License-Identifier: Apache-2.0

"""When a request is retried, and after which delay.

keystoneauth's own retries are disabled: they do not cover errors while a body
is read, and would multiply with these.
"""

import logging
import random
import time

from osc_compute_images.api import _errors
from osc_compute_images.api.http._error_response import MAX_DELAY
from osc_compute_images.api.http._session import BoundedSession

LOG = logging.getLogger('osc_compute_images')

#: Default number of retries.
RETRIES = 3

#: Delay before the first retry, seconds. It doubles with each retry.
_FIRST_DELAY = 0.5

#: Statuses of transient errors. 413 is the 429 of older releases of Nova.
_STATUSES = frozenset((413, 429, 502, 503, 504))


def statuses(session: BoundedSession) -> frozenset[int]:
    """Return the statuses of transient errors."""
    return _STATUSES.union(session.adapter.retriable_status_codes or ())


def wait(
    session: BoundedSession, error: _errors.ImagesError, retry: int
) -> bool:
    """Sleep until a request is retried.

    :param retry: number of retries so far
    :returns: False if it is not retried
    """
    adapter = session.adapter
    delay: float | None
    if isinstance(error, _errors.HTTPError):
        retries = adapter.status_code_retries
        delay = adapter.status_code_retry_delay
        is_retried = error.http_status in statuses(session)
        if error.http_status == 413 and error.retry_after is None:
            # It is not the 429 of an older Nova.
            is_retried = False
    else:
        retries = session.connect_retries
        delay = adapter.connect_retry_delay
        is_retried = error.transient
        if isinstance(error, _errors.RequestTimedOut) and retries is None:
            # Only if the user has set it, as a timeout takes long.
            is_retried = False
    jitter = random.random()  # noqa: S311
    if (asked := error.retry_after) is not None:
        is_retried &= asked <= MAX_DELAY
        delay = min(asked * (1 + jitter / 10), MAX_DELAY)
    elif delay is None:
        delay = min(_FIRST_DELAY * 2.0**retry, MAX_DELAY) * (1 - jitter / 2)
    left = (RETRIES if retries is None else retries) - retry
    if not is_retried or left <= 0 or delay >= session.left:
        return False
    LOG.warning(
        '%s. Retrying in %.1f seconds, %d retries left',
        str(error).rstrip('.'),
        delay,
        left,
    )
    time.sleep(delay)
    return True
