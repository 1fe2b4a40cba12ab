# SPDX-License-Identifier: Apache-2.0

"""A command ends when nobody reads its output any more.

Without this it would learn of a closed pipe when it writes the next rows, and
wait for a server until then.
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

#: What interrupts the main thread, even while it waits for a server. It does
#: nothing where it is not handled. SIGPIPE will not do: a server that has
#: closed a connection causes it, too.
_SIGNAL: Any = getattr(signal, 'SIGURG', None)


class _NobodyReads(BaseException):
    """Not a BrokenPipeError, which might be taken for one of a connection."""


def watched(stdout: TextIO, call: Callable[[], _T]) -> _T:
    """Call, and end that as soon as the output is a pipe that nobody reads.

    It is no context manager: the signal may come while one is left, in code
    of contextlib, where nothing could catch what it raises.

    :raises BrokenPipeError: whatever is being done
    """
    if not _can_be_watched(stdout):
        return call()
    before = signal.signal(_SIGNAL, _end)
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
            # NOTE: one on its way must not end what comes after this.
            signal.signal(_SIGNAL, signal.SIG_IGN)
    except _NobodyReads:
        # It comes once, and may have come just before that line.
        raise BrokenPipeError from None
    finally:
        os.close(ended)
        watcher.join()
        os.close(done)
        signal.signal(_SIGNAL, before)


def _can_be_watched(stdout: TextIO) -> bool:
    if (
        _SIGNAL is None
        or not hasattr(select, 'poll')
        # Signals are the main thread's.
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
    # NOTE: errors are told of without being asked for.
    poll.register(stdout, 0)
    poll.register(done, 0)
    if done not in dict(poll.poll()):
        signal.pthread_kill(main_thread, _SIGNAL)


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _NobodyReads
