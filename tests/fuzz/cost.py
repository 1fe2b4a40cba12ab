# SPDX-License-Identifier: Apache-2.0

"""What the treatment of some bytes may cost: time and memory."""

from collections.abc import Iterator
import contextlib
import time
import tracemalloc

#: Of memory: times the size of what is treated, and bytes beside. A text of
#: ASCII takes four times as much where a single character is beyond 16 bits,
#: and is there twice while one is made of the other. What is bounded in
#: number (values, entries) is bounded in bytes.
TIMES = 10
BESIDE = 128 * 1024 * 1024

#: Of the processor: seconds for each million bytes, and beside. It is far
#: more than it takes (less than 0.1), and what is not linear takes hours.
SECONDS = 5.0
SECONDS_BESIDE = 20.0


@contextlib.contextmanager
def bounded(
    size: int, beside: int = BESIDE, seconds_beside: float = SECONDS_BESIDE
) -> Iterator[None]:
    """Expect that what is done has its bounds.

    :param size: bytes that are treated
    :param beside: bytes of memory that they may take, however few they are
    :param seconds_beside: likewise, of the processor
    """
    is_outer = not tracemalloc.is_tracing()
    if is_outer:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before, _peak = tracemalloc.get_traced_memory()
    began = time.thread_time()
    try:
        yield
        seconds = time.thread_time() - began
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        if is_outer:
            tracemalloc.stop()
    assert peak - before <= TIMES * size + beside, (peak - before, size)
    assert seconds <= SECONDS * size / 1e6 + seconds_beside, (seconds, size)
