# SPDX-License-Identifier: Apache-2.0

"""The settings of the sessions below an adapter."""

from collections.abc import Callable
from collections.abc import Sequence
import contextlib
import functools
import math
import time
from typing import Any

from keystoneauth1 import adapter as ksa_adapter
import requests

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
    :ivar connect_retries: of the session, or None by default. keystoneauth
        itself uses them to fetch a token
    """

    def __init__(
        self, adapter: ksa_adapter.Adapter, end: float = math.inf
    ) -> None:
        self.adapter = adapter
        self.end = end
        part: Any = adapter
        login: Any = None
        timeout = retries = None
        self.hooks: Sequence[Callable[..., Any]] = ()
        # Bounded, in case an object is its own session.
        for _ in range(8):
            login = login or getattr(part, 'auth', None)
            timeout = timeout or getattr(part, 'timeout', None)
            # 0 is the default.
            retries = retries or getattr(part, '_connect_retries', None)
            below = getattr(part, 'session', None)
            if isinstance(below, requests.Session):
                self.hooks = below.hooks.get('response', ())
                break
            if below is None:
                break
            part = below
        self._session = part
        self.login = login
        self.timeouts = (timeout, timeout) if timeout else TIMEOUT
        self.connect_retries: int | None = retries or None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def request(self, url: str, method: str, **kwargs: Any) -> Any:
        left = self.end - time.monotonic()
        if left <= 0:
            raise requests.Timeout
        timeout = tuple(min(seconds, left) for seconds in self.timeouts)
        kwargs.update(timeout=timeout, connect_retries=0)
        return self._session.request(url, method, **kwargs)

    get = functools.partialmethod(request, method='GET')
    post = functools.partialmethod(request, method='POST')

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
