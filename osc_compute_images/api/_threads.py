# SPDX-License-Identifier: Apache-2.0

"""Call a function in threads that do not delay the end of the process."""

from collections import deque
from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Iterable
from concurrent.futures import Future
import contextlib
import queue
import threading
from typing import Any
from typing import TypeVar

#: Number of regions queried in parallel.
PARALLEL = 16

_Key = TypeVar('_Key')
_Value = TypeVar('_Value')


def map_in_threads(
    keys: Iterable[_Key],
    call: Callable[[_Key], _Value],
    *,
    parallel: int = PARALLEL,
    ordered: bool = True,
) -> Generator[_Value, None, None]:
    """Call a function for each key, in threads; yield the results.

    Not an executor of :mod:`concurrent.futures`: at exit, the interpreter
    would wait for its threads, which may be in the middle of a request.

    :param ordered: yield in the order of the keys; otherwise as completed
    :returns: a generator. When it ends, is closed or dropped, no more calls
        start
    """
    if parallel < 1:
        raise ValueError(f'parallel must be 1 or more, not {parallel}')
    done: queue.SimpleQueue[Future[_Value]] = queue.SimpleQueue()
    # Each key, and where its result is put.
    calls = [(key, queue.SimpleQueue() if ordered else done) for key in keys]
    waiting = deque(calls)

    def work() -> None:
        while True:
            try:
                key, done = waiting.popleft()
            except IndexError:
                return
            future: Future[_Value] = Future()
            try:
                future.set_result(call(key))
            except BaseException as e:  # noqa: BLE001 - raised by the generator
                future.set_exception(e)
            done.put(future)
            # Free it before the next call.
            del future

    def results() -> Generator[Any, None, None]:
        try:
            yield None
            for _key, done in calls:
                yield _first(done).result()
        finally:
            waiting.clear()

    found = results()
    # NOTE: close() does nothing to a generator that has not started.
    next(found)
    if len(waiting) == 1:
        # NOTE: only the main thread receives signals.
        work()
    for _ in range(min(parallel, len(waiting))):
        threading.Thread(target=work, daemon=True).start()
    return found


def _first(done: queue.SimpleQueue[Future[_Value]]) -> Future[_Value]:
    # NOTE: no signal ends a wait that begins right after it.
    while True:
        with contextlib.suppress(queue.Empty):
            return done.get(timeout=1)
