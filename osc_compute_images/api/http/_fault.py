# SPDX-License-Identifier: Apache-2.0

"""Whether an error may be transient. It does no I/O."""

import enum
from typing import NamedTuple
from typing import TypeVar

from osc_compute_images.api import _errors

_Error = TypeVar('_Error', bound=_errors.ImagesError)


class Kind(enum.Enum):
    """The kind of an error."""

    #: A retry would fail, too.
    PERMANENT = enum.auto()
    #: The connection failed, before or during the response.
    CONNECTION = enum.auto()
    #: The response was not complete in time.
    TIMEOUT = enum.auto()
    #: An error response: whether it is transient depends on the status.
    STATUS = enum.auto()


class Fault(NamedTuple):
    """What the retries need to know about an error.

    :param retry_after: seconds after which the server asks to retry
    """

    kind: Kind
    retry_after: float | None = None


_PERMANENT = Fault(Kind.PERMANENT)


def mark(
    error: _Error, kind: Kind, retry_after: float | None = None
) -> _Error:
    """Set the fault of an error, and return the error."""
    error.fault = Fault(kind, retry_after)
    return error


def fault_of(error: _errors.ImagesError) -> Fault:
    """Return the fault of an error; by default, it is permanent."""
    fault = error.fault
    return fault if isinstance(fault, Fault) else _PERMANENT
