# SPDX-License-Identifier: Apache-2.0

"""An end to a request of which the head of the answer never ends.

The timeout of a socket starts anew with each byte that comes, and http.client
reads the head of an answer to its end. Only a signal ends that from outside.
Signals belong to the program, so that it must allow it.
"""

from collections.abc import Iterator
import contextlib
import signal
import threading
from typing import Any

from osc_compute_images.api.http._body import TooSlowError

_allowed = False


def allow_alarms() -> None:
    """Let requests of the main thread use SIGALRM, where there is one."""
    global _allowed
    _allowed = True


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Do something that takes no longer, if alarms are allowed.

    :raises TooSlowError: in the middle of what takes longer
    """
    if not (
        _allowed
        and hasattr(signal, 'setitimer')
        and threading.current_thread() is threading.main_thread()
    ):
        yield
        return

    def too_slow(*_: Any) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGALRM, too_slow)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
