# SPDX-License-Identifier: Apache-2.0

"""The settings of an adapter and its sessions. It does no I/O."""

from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import requests

from osc_compute_images.api.http import _retry


def chain(adapter: Any) -> Iterator[Any]:
    """Yield the adapters and sessions that a request passes through.

    An adapter has a keystoneauth session or another adapter, and a
    keystoneauth session has a requests session.
    """
    session = getattr(adapter, 'session', None)
    # Bounded, in case an object is its own session.
    for _ in range(8):
        if session is None:
            return
        yield session
        session = getattr(session, 'session', None)


def timeout(adapter: Any) -> float | None:
    """Return the configured timeout in seconds, or None."""
    for session in chain(adapter):
        if not isinstance(session, requests.Session):
            seconds: float | None = getattr(session, 'timeout', None)
            if seconds:
                return seconds
    return None


def hooks(adapter: Any) -> list[Callable[..., Any]]:
    """Return the response hooks of the requests session.

    The hooks of a request replace them.
    """
    for session in chain(adapter):
        if isinstance(session, requests.Session):
            return [*session.hooks.get('response', ())]
    return []


def connect_retries(adapter: Any) -> int | None:
    """Return the ``connect_retries`` of the session, or None by default.

    keystoneauth itself uses them to fetch a token.
    """
    for session in chain(adapter):
        # 0 is the default.
        if retries := getattr(session, '_connect_retries', 0):
            return int(retries)
    return None


def retries(adapter: Any) -> _retry.Settings:
    """Return the settings of retries."""
    configured = adapter.connect_retries
    if configured is None:
        configured = connect_retries(adapter)
    status_code_retries = adapter.status_code_retries
    return _retry.Settings(
        _retry.RETRIES if configured is None else configured,
        _retry.RETRIES if status_code_retries is None else status_code_retries,
        adapter.connect_retry_delay,
        adapter.status_code_retry_delay,
        _retry.STATUSES.union(adapter.retriable_status_codes or ()),
        timeouts=configured is not None,
    )
