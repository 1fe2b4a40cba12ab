# SPDX-License-Identifier: Apache-2.0

"""A text for a terminal."""

from osc_compute_images.text import printable
from tests.fuzz import promises

SEEDS = [
    b'cirros-0.6.2',
    b'\x1b]0;title\x07',
    'a\u202eb \u00a0 \U000e0041 \U0001f600'.encode(),
    b'\xed\xa0\x80',
]


def check(data: bytes) -> None:
    """Escape a text; printable text must stay unchanged."""
    text = data.decode('utf-8', 'surrogateescape')
    shown = printable(text)
    promises.expect_safe(shown)
    assert printable(shown) == shown
