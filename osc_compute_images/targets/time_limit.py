# SPDX-License-Identifier: Apache-2.0

"""A time limit for a login, and for what is looked up before a wait."""

import contextlib
import math
import time
from types import TracebackType
from typing import Self

from osc_compute_images.api import http


class ExpiredError(Exception):
    """The time is over."""


class TimeLimit:
    """Ends the body of a ``with`` statement after a time, if signals can.

    :param seconds: None means no limit
    """

    def __init__(self, seconds: float | None) -> None:
        limit = math.inf if seconds is None else seconds
        self._end = time.monotonic() + limit
        self._alarm = contextlib.ExitStack()

    def __enter__(self) -> Self:
        http.allow_alarms()
        self._alarm.enter_context(http.alarm(self._end - time.monotonic()))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        e: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close.

        :raises ExpiredError: for any error after the time
        """
        self._alarm.close()
        if isinstance(e, Exception) and time.monotonic() >= self._end:
            reason = f': {e}' if str(e) else ''
            raise ExpiredError(
                f'Timed out before the image was seen{reason}'
            ) from e

    def stop(self) -> None:
        """Go on without the limit."""
        self._alarm.close()
        self._end = math.inf
