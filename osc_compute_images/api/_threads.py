# SPDX-License-Identifier: Apache-2.0

"""Call a function in threads that do not delay the end of the process."""

from collections import deque
from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Iterable
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

    Not :mod:`concurrent.futures`: at exit, the interpreter would wait for its
    threads, which may be in the middle of a request.

    :param ordered: yield in the order of the keys; otherwise as completed
    :returns: a generator. When it ends, is closed or dropped, no more calls
        start
    """
    if parallel < 1:
        raise ValueError(f'parallel must be 1 or more, not {parallel}')
    waiting = deque(enumerate(keys))
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def work() -> None:
        while True:
            try:
                number, key = waiting.popleft()
            except IndexError:
                return
            value, error = None, None
            try:
                value = call(key)
            except BaseException as e:  # noqa: BLE001 - raised by the generator
                error = e
            done.put((number, value, error))
            # Free them before the next call.
            del value, error

    results = _results(waiting, done, ordered)
    # NOTE: close() does nothing to a generator that has not started.
    next(results)
    if len(waiting) == 1:
        # NOTE: only the main thread receives signals.
        work()
    for _ in range(min(parallel, len(waiting))):
        threading.Thread(target=work, daemon=True).start()
    return results


def _results(
    waiting: deque[Any], done: queue.SimpleQueue[Any], ordered: bool
) -> Generator[Any, None, None]:
    """Yield None, and then the results."""
    count = len(waiting)
    early: dict[int, tuple[Any, BaseException | None]] = {}
    try:
        yield None
        for turn in range(count):
            while turn not in early:
                # NOTE: no signal ends a wait that begins right after it.
                with contextlib.suppress(queue.Empty):
                    number, *outcome = done.get(timeout=1)
                    early[number if ordered else turn] = tuple(outcome)
            value, error = early.pop(turn)
            if error is not None:
                raise error
            yield value
            del value
    finally:
        waiting.clear()
