# SPDX-License-Identifier: Apache-2.0

"""What a request can come to instead of an answer."""

import enum
from typing import NamedTuple

from osc_compute_images.api import _errors


class Kind(enum.Enum):
    """What a fault means for another attempt."""

    #: It will be the same.
    LASTING = enum.auto()
    #: The connection failed, before the answer came or while it came.
    CONNECTION = enum.auto()
    #: No answer came in time.
    TIMEOUT = enum.auto()
    #: The server refuses the request; it depends on the status.
    STATUS = enum.auto()


class Fault(NamedTuple):
    """Why there is no answer to a request.

    :param error: what to raise, with its cause
    :param retry_after: seconds after which the server asks to come again
    """

    error: _errors.ImagesError
    kind: Kind
    retry_after: float | None = None
