# SPDX-License-Identifier: Apache-2.0

"""A limit to the time that a call may take as a whole."""

from collections.abc import Callable
import queue
import threading
from typing import TypeVar

_Result = TypeVar('_Result')


class TooSlowError(Exception):
    """The time is over."""


def within(seconds: float, call: Callable[[], _Result]) -> _Result:
    """Return what a call returns, or raise what it raises.

    The timeout of a socket starts anew with each byte that comes. A server
    that sends one now and then would hold up its client for ever.

    :raises TooSlowError: if the call takes longer; it is left to itself
    """
    outcome: queue.SimpleQueue[Callable[[], _Result]] = queue.SimpleQueue()

    def run() -> None:
        try:
            result = call()
        except BaseException as e:  # noqa: BLE001 - raised below
            error = e

            def fail() -> _Result:
                raise error

            outcome.put(fail)
        else:
            outcome.put(lambda: result)

    # NOTE: a daemon, as nobody waits for it any more if it is too slow.
    threading.Thread(target=run, daemon=True).start()
    try:
        finish = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TooSlowError from None
    return finish()
