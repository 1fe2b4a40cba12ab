# SPDX-License-Identifier: Apache-2.0

"""The header Retry-After."""

import math

from osc_compute_images.api import ServerError
from osc_compute_images.api.http import _error_response
from osc_compute_images.api.http import _settings

SEEDS = [
    b'120',
    b'Fri, 31 Dec 2100 23:59:59 GMT',
    b'Friday, 31-Dec-99 23:59:59 -0000',
    b'Fri Dec 31 23:59:59 1999',
]


def check(data: bytes) -> None:
    """Check the delay."""
    seconds = _error_response.parse_retry_after(data.decode('latin-1'))
    error = ServerError('x', http_status=503)
    error.retry_after = seconds
    for number in (0.0, 1.0):
        delay = _settings.Retries().delay(
            error, 0, math.inf, lambda n=number: n
        )
        if delay is None:
            # There is no retry.
            assert seconds is not None
            assert seconds > _error_response.MAX_DELAY
        else:
            assert 0 <= delay <= _error_response.MAX_DELAY
