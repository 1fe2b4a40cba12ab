# SPDX-License-Identifier: Apache-2.0

"""End a command as soon as its output pipe is closed.

Otherwise it would notice only at its next write, after waiting for the server.
"""

from collections.abc import Callable
import os
import select
import signal
import stat
import threading
from types import FrameType
from typing import Any
from typing import NoReturn
from typing import TextIO
from typing import TypeVar

_T = TypeVar('_T')

#: Interrupts the main thread, even while it waits for a server; ignored by
#: default. Not SIGPIPE: a server that closes a connection causes it, too.
_SIGNAL: Any = getattr(signal, 'SIGURG', None)


class _PipeClosed(BaseException):
    """Not a BrokenPipeError: that could be mistaken for a connection's."""


def run_until_closed(stdout: TextIO, call: Callable[[], _T]) -> _T:
    """Call a function, and interrupt it when the output pipe is closed.

    Not a context manager: the signal may arrive while one exits, in code of
    contextlib, where its exception could not be caught.

    :raises BrokenPipeError: if the pipe is closed
    """
    if not _can_be_watched(stdout):
        return call()
    previous = signal.signal(_SIGNAL, _raise_closed)
    done, ended = os.pipe()
    watcher = threading.Thread(
        target=_watch,
        args=(stdout.fileno(), done, threading.get_ident()),
        daemon=True,
    )
    try:
        try:
            watcher.start()
            return call()
        finally:
            # NOTE: a pending signal must not interrupt the code below.
            signal.signal(_SIGNAL, signal.SIG_IGN)
    except _PipeClosed:
        # The signal is sent once, possibly just before that line.
        raise BrokenPipeError from None
    finally:
        os.close(ended)
        watcher.join()
        os.close(done)
        signal.signal(_SIGNAL, previous)


def _can_be_watched(stdout: TextIO) -> bool:
    if (
        _SIGNAL is None
        or not hasattr(select, 'poll')
        # Only the main thread receives signals.
        or threading.current_thread() is not threading.main_thread()
    ):
        return False
    try:
        mode = os.fstat(stdout.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _watch(stdout: int, done: int, main_thread: int) -> None:
    poll = select.poll()
    # NOTE: POLLERR and POLLHUP are always reported.
    poll.register(stdout, 0)
    poll.register(done, 0)
    if done not in dict(poll.poll()):
        signal.pthread_kill(main_thread, _SIGNAL)


def _raise_closed(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _PipeClosed
