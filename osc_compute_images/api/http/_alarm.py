# SPDX-License-Identifier: Apache-2.0

"""A total timeout for the head of a response.

The timeout of a socket restarts with each byte, and http.client reads the
head of a response to its end. Only a signal can interrupt that. Signals belong
to the program, so it must allow this.
"""

from collections.abc import Iterator
import contextlib
import signal
import threading
from typing import Any

from osc_compute_images.api.http._exceptions import TooSlowError

_allowed = False


def allow_alarms() -> None:
    """Allow requests of the main thread to use SIGALRM, if available."""
    global _allowed
    _allowed = True


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Interrupt the body of a ``with`` statement after a time, if allowed.

    :raises TooSlowError: if it takes longer
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

    previous = signal.signal(signal.SIGALRM, too_slow)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
