# SPDX-License-Identifier: Apache-2.0

"""The settings of the sessions below an adapter, its login, and retries.

keystoneauth's own retries are disabled: they do not cover errors while a body
is read, and would multiply with these.
"""

from collections.abc import Callable
from collections.abc import Sequence
import contextlib
import functools
import logging
import math
import random
import time
from typing import Any

from keystoneauth1 import adapter as ksa_adapter
import requests

from osc_compute_images.api import _errors
from osc_compute_images.api._alarms import alarm
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http._error_response import MAX_DELAY

LOG = logging.getLogger('osc_compute_images')

#: Seconds to wait for a connection, and for the next bytes of a response, if
#: the session has no timeout.
TIMEOUT = (10.0, 60.0)

#: Default number of retries.
RETRIES = 3

#: Delay before the first retry, seconds. It doubles with each retry.
_FIRST_DELAY = 0.5

#: Statuses of transient errors. 413 is the 429 of older releases of Nova.
_STATUSES = frozenset((413, 429, 502, 503, 504))


class BoundedSession:
    """The keystoneauth session of an adapter, with a deadline.

    A plugin that logs in knows no deadline: it is given this session, which
    bounds its requests, and does not retry them. The settings may change at
    any time, so each attempt at a request makes one.

    :param end: deadline, a time of ``time.monotonic()``
    :ivar login: the authentication plugin, or None
    :ivar timeouts: for a connection, and for the next bytes of a response
    :ivar hooks: the response hooks of the requests session. The hooks of a
        request replace them
    :ivar connect_retries: of the adapter or its session, or None by default.
        keystoneauth itself uses those of a session to fetch a token
    :ivar may_retry: False once a request was sent that may not be idempotent
    """

    def __init__(
        self, adapter: ksa_adapter.Adapter, end: float = math.inf
    ) -> None:
        self.adapter = adapter
        self.end = end
        self.may_retry = True
        self.login: Any = None
        timeout: Any = None
        below: Any = adapter
        # Bounded, in case an object is its own session.
        for _ in range(8):
            self._session = below
            self.login = self.login or getattr(below, 'auth', None)
            timeout = timeout or getattr(below, 'timeout', None)
            below = getattr(below, 'session', None)
            if below is None or isinstance(below, requests.Session):
                break
        self.timeouts = (timeout, timeout) if timeout else TIMEOUT
        hooks = getattr(below, 'hooks', {})
        # NOTE: requests takes one hook, too, and None.
        found = hooks.get('response') or ()
        self.hooks: Sequence[Callable[..., Any]] = (
            (found,) if callable(found) else found
        )
        self.connect_retries: int | None = adapter.connect_retries
        if self.connect_retries is None:
            # 0 is the default of a session.
            self.connect_retries = (
                getattr(self._session, '_connect_retries', None) or None
            )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.end - time.monotonic()

    def request(self, url: str, method: str, **kwargs: Any) -> Any:
        left = self.left
        if left <= 0:
            raise requests.Timeout
        timeout = tuple(min(seconds, left) for seconds in self.timeouts)
        kwargs.update(timeout=timeout, connect_retries=0)
        return self._session.request(url, method, **kwargs)

    get = functools.partialmethod(request, method='GET')
    post = functools.partialmethod(request, method='POST')

    def log_in(self) -> None:
        """Obtain a token, unless there is one.

        The deadline is kept, except while another thread logs in the same
        user.

        :raises ImagesError: if it fails
        """
        if self.login is None:
            return
        began = time.monotonic()
        try:
            with alarm(self.left):
                self.login.get_headers(self)
        except Exception as e:
            raise _exceptions.of_login(e, began) from e

    def has_access_rules(self) -> bool:
        """Return whether access rules limit what the token can be used for."""
        # NOTE: only a hint, and not all plugins know. Another thread may have
        # discarded the token.
        with contextlib.suppress(Exception):
            access = self.login.get_access(self)
            return bool(access.application_credential_access_rules)
        return False

    def transient_statuses(self) -> frozenset[int]:
        """Return the statuses of transient errors."""
        return _STATUSES.union(self.adapter.retriable_status_codes or ())

    def wait(self, error: _errors.ImagesError, retry: int) -> bool:
        """Sleep until a request is retried.

        :param retry: number of retries so far
        :returns: False if it is not retried
        """
        adapter = self.adapter
        delay: float | None
        if isinstance(error, _errors.HTTPError):
            retries = adapter.status_code_retries
            delay = adapter.status_code_retry_delay
            is_retried = error.http_status in self.transient_statuses()
            if error.http_status == 413 and error.retry_after is None:
                # It is not the 429 of an older Nova.
                is_retried = False
        else:
            retries = self.connect_retries
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
            delay = min(_FIRST_DELAY * 2.0**retry, MAX_DELAY) * (
                1 - jitter / 2
            )
        left = (RETRIES if retries is None else retries) - retry
        is_retried &= self.may_retry and left > 0
        if not is_retried or delay >= self.left:
            return False
        LOG.warning(
            '%s. Retrying in %.1f seconds, %d retries left',
            str(error).rstrip('.'),
            delay,
            left,
        )
        time.sleep(delay)
        return True
