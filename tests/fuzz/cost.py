# SPDX-License-Identifier: Apache-2.0

"""Limits of the time and memory for processing a response."""

import contextlib
import time
import tracemalloc

#: Memory: a multiple of the size of the input, and additional bytes. A string
#: of ASCII takes four times as much with a single character above U+FFFF, and
#: exists twice during the conversion. The number of values and entries is
#: limited, and so is their memory.
TIMES = 10
BESIDE = 96 * 1024 * 1024

#: CPU time: seconds per million bytes, and additional seconds. This is far
#: more than needed (less than 0.1), but quadratic time would take hours.
SECONDS = 5.0
SECONDS_BESIDE = 20.0


@contextlib.contextmanager
def bounded(size, beside=BESIDE):
    """Check the memory and the CPU time of a block.

    :param size: size of the input, bytes
    :param beside: memory in addition to a multiple of the size, bytes
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
    assert seconds <= SECONDS * size / 1e6 + SECONDS_BESIDE, (seconds, size)
