# SPDX-License-Identifier: Apache-2.0

"""A timeout by a signal: only that interrupts any request."""

from collections.abc import Iterator
import contextlib
import signal
import threading
from typing import Any

#: Whether requests of the main thread may use SIGALRM, if available. Signals
#: belong to the program, which sets this.
allowed = False

#: Seconds; 0 would mean never.
_LEAST = 0.001


class TooSlowError(Exception):
    """The response was not complete in time.

    Not a TimeoutError, which urllib3 would take for one of the socket.
    """


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Interrupt the body of a ``with`` statement after a time, if allowed.

    The timeout of a socket restarts with each byte, and http.client reads the
    head of a response to its end. Only a signal can interrupt that.

    :param seconds: less than those of a ``with`` statement around it end first
    :raises TooSlowError: if it takes longer
    """
    is_main = threading.current_thread() is threading.main_thread()
    can_interrupt = allowed and is_main and hasattr(signal, 'setitimer')
    # NOTE: a longer time, of centuries, would be an OverflowError.
    if seconds > threading.TIMEOUT_MAX or not can_interrupt:
        yield
        return

    def too_slow(*_: Any) -> None:
        raise TooSlowError

    outer, _interval = signal.getitimer(signal.ITIMER_REAL)
    inner = max(min(seconds, outer or seconds), _LEAST)
    previous = signal.signal(signal.SIGALRM, too_slow)
    signal.setitimer(signal.ITIMER_REAL, inner)
    try:
        yield
    finally:
        left, _interval = signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if outer:
            rest = max(outer - (inner - left), _LEAST)
            signal.setitimer(signal.ITIMER_REAL, rest)
