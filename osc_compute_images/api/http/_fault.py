# SPDX-License-Identifier: Apache-2.0

"""What an error means for another attempt. It does no I/O."""

import enum
from typing import NamedTuple
from typing import TypeVar

from osc_compute_images.api import _errors

_Error = TypeVar('_Error', bound=_errors.ImagesError)


class Kind(enum.Enum):
    """What is wrong."""

    #: It will be the same.
    LASTING = enum.auto()
    #: The connection failed, before the answer came or while it came.
    CONNECTION = enum.auto()
    #: No answer came in time.
    TIMEOUT = enum.auto()
    #: The server refuses the request; it depends on the status.
    STATUS = enum.auto()


class Fault(NamedTuple):
    """What is known of an error besides its message.

    :param retry_after: seconds after which the server asks to come again
    """

    kind: Kind
    retry_after: float | None = None


_LASTING = Fault(Kind.LASTING)


def marked(
    error: _Error, kind: Kind, retry_after: float | None = None
) -> _Error:
    """Return an error, marked with what it means."""
    error.fault = Fault(kind, retry_after)
    return error


def fault_of(error: _errors.ImagesError) -> Fault:
    """Return what an error is marked with; without a mark it is lasting."""
    fault = error.fault
    return fault if isinstance(fault, Fault) else _LASTING
