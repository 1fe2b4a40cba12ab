# SPDX-License-Identifier: Apache-2.0

"""Run work in a child, with limits."""

from collections.abc import Callable
import contextlib
import multiprocessing
import os
import resource
import signal

#: Bytes that a child may hold: a mutant may well gather without end.
_MEMORY = 4 << 30

FORK = multiprocessing.get_context('fork')


def run_in_child(work: Callable[[], int], limit: float) -> int:
    """Run a function in a child without output.

    :param limit: CPU seconds; the child may take twice as long
    :returns: what the function does; negative, if the child was ended
    """
    child = FORK.Process(target=_run, args=(work, limit))
    child.start()
    assert child.pid is not None
    child.join(15 + 2 * limit)
    # What the tests started goes with it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.join()
    assert child.exitcode is not None
    return child.exitcode


def be_quiet() -> None:
    """Discard what this process and its children print."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)


def _run(work: Callable[[], int], limit: float) -> None:
    os.setsid()
    seconds = int(limit) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    be_quiet()
    code = 1
    try:
        code = work()
    finally:
        # Threads that a mutant has left do not keep the child.
        os._exit(code)
