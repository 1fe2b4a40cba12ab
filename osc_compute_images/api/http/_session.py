# SPDX-License-Identifier: Apache-2.0

"""The settings of the sessions below an adapter, and its login."""

from collections.abc import Callable
from collections.abc import Sequence
import contextlib
import functools
import math
import time
from typing import Any

from keystoneauth1 import adapter as ksa_adapter
import requests

from osc_compute_images.api._alarms import alarm
from osc_compute_images.api.http import _exceptions

#: Seconds to wait for a connection, and for the next bytes of a response, if
#: the session has no timeout.
TIMEOUT = (10.0, 60.0)


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
    """

    def __init__(
        self, adapter: ksa_adapter.Adapter, end: float = math.inf
    ) -> None:
        self.adapter = adapter
        self.end = end
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

    def discard_token(self) -> bool:
        """Discard the token, and return whether another can be obtained."""
        return self.login is not None and self.login.invalidate()

    def has_access_rules(self) -> bool:
        """Return whether access rules limit what the token can be used for."""
        # NOTE: only a hint, and not all plugins know. Another thread may have
        # discarded the token.
        with contextlib.suppress(Exception):
            access = self.login.get_access(self)
            return bool(access.application_credential_access_rules)
        return False
