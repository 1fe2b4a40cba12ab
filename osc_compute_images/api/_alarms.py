# SPDX-License-Identifier: Apache-2.0

"""A timeout by a signal: only that interrupts any request."""

from collections.abc import Iterator
import contextlib
import signal
import threading
from typing import Any

_allowed = False


class TooSlowError(Exception):
    """The response was not complete in time.

    Not a TimeoutError, which urllib3 would take for one of the socket.
    """


def allow() -> None:
    """Allow requests of the main thread to use SIGALRM, if available.

    Signals belong to the program.
    """
    global _allowed
    _allowed = True


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Interrupt the body of a ``with`` statement after a time, if allowed.

    The timeout of a socket restarts with each byte, and http.client reads the
    head of a response to its end. Only a signal can interrupt that.

    :param seconds: less than those of a ``with`` statement around it end first
    :raises TooSlowError: if it takes longer
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not (_allowed and is_main and hasattr(signal, 'setitimer')):
        yield
        return

    def too_slow(*_: Any) -> None:
        raise TooSlowError

    outer, _interval = signal.getitimer(signal.ITIMER_REAL)
    inner = min(seconds, outer or seconds)
    previous = signal.signal(signal.SIGALRM, too_slow)
    _set_timer(inner)
    try:
        yield
    finally:
        left, _interval = signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if outer:
            _set_timer(outer - (inner - left))


def _set_timer(seconds: float) -> None:
    # NOTE: a longer time, of centuries, would be an OverflowError.
    if seconds < threading.TIMEOUT_MAX:
        # 0 would mean never.
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
