# SPDX-License-Identifier: Apache-2.0

"""A command ends when nobody reads its output any more.

Without this it would learn of a closed pipe when it writes the next rows, and
wait for a server until then.
"""

from collections.abc import Iterator
import contextlib
import os
import select
import signal
import stat
import threading
from types import FrameType
from typing import Any
from typing import NoReturn
from typing import TextIO

#: What interrupts the main thread, even while it waits for a server. It does
#: nothing where it is not handled. SIGPIPE will not do: a server that has
#: closed a connection causes it, too.
_SIGNAL: Any = getattr(signal, 'SIGURG', None)


class _NobodyReads(BaseException):
    """Not a BrokenPipeError, which might be taken for one of a connection."""


@contextlib.contextmanager
def watched(stdout: TextIO) -> Iterator[None]:
    """End the command as soon as its output is a pipe that nobody reads.

    :raises BrokenPipeError: whatever the command is doing
    """
    if not _can_be_watched(stdout):
        yield
        return
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
            yield
        finally:
            # NOTE: one on its way must not end what comes after this.
            signal.signal(_SIGNAL, signal.SIG_IGN)
            os.close(ended)
            watcher.join()
            os.close(done)
            signal.signal(_SIGNAL, before)
    except _NobodyReads:
        raise BrokenPipeError from None


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
