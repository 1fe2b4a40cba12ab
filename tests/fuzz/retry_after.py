# SPDX-License-Identifier: Apache-2.0

"""The header Retry-After."""

from osc_compute_images.api import _transport

SEEDS = [
    b'120',
    b'Fri, 31 Dec 2100 23:59:59 GMT',
    b'Friday, 31-Dec-99 23:59:59 -0000',
    b'Fri Dec 31 23:59:59 1999',
]


def check(data: bytes) -> None:
    """Find out how long to wait."""
    wait = _transport._delay(0, data.decode('latin-1'))
    assert 0 <= wait <= _transport.MAX_DELAY
