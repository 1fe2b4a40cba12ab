# SPDX-License-Identifier: Apache-2.0

"""What stands below an adapter. It does no I/O."""

from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import requests


def below(adapter: Any) -> Iterator[Any]:
    """Yield the adapters and sessions that a request goes through.

    An adapter of keystoneauth has a session of keystoneauth, or another
    adapter; that has one of requests.
    """
    session = getattr(adapter, 'session', None)
    # Something that is its own session would not end.
    for _ in range(8):
        if session is None:
            return
        yield session
        session = getattr(session, 'session', None)


def timeout(adapter: Any) -> float | None:
    """Return the timeout that the user has set, in seconds, or None."""
    for session in below(adapter):
        if not isinstance(session, requests.Session):
            seconds: float | None = getattr(session, 'timeout', None)
            if seconds:
                return seconds
    return None


def hooks(adapter: Any) -> list[Callable[..., Any]]:
    """Return the response hooks that the user has set.

    Those of a request would replace them.
    """
    for session in below(adapter):
        if isinstance(session, requests.Session):
            return [*session.hooks.get('response', ())]
    return []
