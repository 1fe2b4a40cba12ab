# SPDX-License-Identifier: Apache-2.0

"""Stop between two changes when a signal asks for it."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import signal
import threading
from types import FrameType
from typing import Any
from typing import TypeVar

_T = TypeVar('_T')

#: Ctrl-C, "kill", and the end of the terminal (not on all systems).
SIGNALS = tuple(
    getattr(signal, name)
    for name in ('SIGINT', 'SIGTERM', 'SIGHUP')
    if hasattr(signal, name)
)


class Stopped(KeyboardInterrupt):
    """A signal has arrived before a step."""


class Interruption:
    """Notes a signal, and interrupts a request that is in progress.

    What was done can then be reported. A second signal ends the process.

    :ivar signal: the number of the signal, or None
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._in_step = False
        self._previous: dict[int, Any] = {}

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Handle the signals meanwhile; only in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        for number in SIGNALS:
            # NOTE: nohup ignores SIGHUP.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._note)
        try:
            yield
        finally:
            self._restore()

    def step(self, call: Callable[[], _T]) -> _T:
        """Call a function that a signal interrupts.

        :raises KeyboardInterrupt: if a signal arrives; a Stopped, if one has
            arrived before
        """
        self._in_step = True
        try:
            if self.signal is not None:
                raise Stopped
            return call()
        finally:
            self._in_step = False

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number
        self._restore()
        if self._in_step:
            raise KeyboardInterrupt

    def _restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())
