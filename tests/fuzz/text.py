# SPDX-License-Identifier: Apache-2.0

"""A text that is shown on a terminal."""

from osc_compute_images.text import printable
from tests.fuzz import promises

SEEDS = [
    b'cirros-0.6.2',
    b'\x1b]0;title\x07',
    'a\u202eb \u00a0 \U000e0041 \U0001f600'.encode(),
    b'\xed\xa0\x80',
]


def check(data: bytes) -> None:
    """Show a text: what need not be changed stays as it is."""
    text = data.decode('utf-8', 'surrogateescape')
    shown = printable(text)
    promises.expect_safe(shown)
    assert printable(shown) == shown
