# SPDX-License-Identifier: Apache-2.0

"""Call a function in threads that do not delay the end of the process."""

from collections import deque
from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Iterable
import threading
from typing import Any
from typing import Generic
from typing import TypeVar

_Key = TypeVar('_Key')
_Value = TypeVar('_Value')


def map_in_threads(
    keys: Iterable[_Key],
    call: Callable[[_Key], _Value],
    *,
    parallel: int,
    ordered: bool = True,
    on_done: Callable[[_Key], object] = lambda _key: None,
    on_close: Callable[[], object] = lambda: None,
) -> Generator[_Value, None, None]:
    """Call a function for each key, in threads; yield the results.

    Not :mod:`concurrent.futures`: at exit, the interpreter would wait for its
    threads, which may be in the middle of a request.

    :param ordered: yield in the order of the keys; otherwise as completed
    :param on_done: called, in the thread, when a call has returned or failed
    :param on_close: called when the generator ends, is closed or dropped; no
        more calls start after it
    """
    if parallel < 1:
        raise ValueError(f'parallel must be 1 or more, not {parallel}')
    pool = _Pool(keys, call, on_done)
    results = pool.results(on_close, ordered=ordered)
    # NOTE: close() does nothing to a generator that has not started.
    next(results)
    pool.start(parallel)
    return results


class _Pool(Generic[_Key, _Value]):
    def __init__(
        self,
        keys: Iterable[_Key],
        call: Callable[[_Key], _Value],
        on_done: Callable[[_Key], object],
    ) -> None:
        self._call = call
        self._on_done = on_done
        self._waiting = deque(enumerate(keys))
        self._count = len(self._waiting)
        self._changed = threading.Condition()
        #: Results and exceptions by number, in the order of completion.
        self._done: dict[int, tuple[_Value | None, BaseException | None]] = {}

    def start(self, parallel: int) -> None:
        """Start the threads, at most one for each key."""
        for _ in range(min(parallel, self._count)):
            threading.Thread(target=self._work, daemon=True).start()

    def results(
        self, on_close: Callable[[], object], *, ordered: bool
    ) -> Generator[Any, None, None]:
        """Yield None, and then the results."""
        try:
            yield None
            for number in range(self._count):
                value, error = self._take(number if ordered else None)
                if error is not None:
                    raise error
                yield value
        finally:
            with self._changed:
                self._waiting.clear()
            on_close()

    def _take(
        self, number: int | None
    ) -> tuple[_Value | None, BaseException | None]:
        with self._changed:
            if number is None:
                self._changed.wait_for(lambda: self._done)
                number = next(iter(self._done))
            else:
                self._changed.wait_for(lambda: number in self._done)
            return self._done.pop(number)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    return
                number, key = self._waiting.popleft()
            outcome: tuple[_Value | None, BaseException | None]
            try:
                outcome = self._call(key), None
            except BaseException as e:  # noqa: BLE001 - raised by results()
                outcome = None, e
            with self._changed:
                self._done[number] = outcome
                self._changed.notify_all()
            self._on_done(key)
            # Free it before the next call.
            del outcome
