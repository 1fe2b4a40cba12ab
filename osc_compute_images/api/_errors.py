# SPDX-License-Identifier: Apache-2.0

"""The exceptions of the images API; the tree is drawn in the package."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from osc_compute_images.text import printable

if TYPE_CHECKING:
    from osc_compute_images.api._image import Image


class ImagesError(Exception):
    """Base class: anything that the images API can raise on purpose.

    :param message: one line that says what is wrong, in the server's own
        words where the server answered
    :param status: HTTP status of that answer, or None where there was none
    :param request_id: the server's ID of the request (``req-...``), for its
        operators, or None
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        # NOTE: what a server says must not act on the terminal of its user.
        self.message: str = printable(message)
        super().__init__(self.message)
        self.status = status
        self.request_id = request_id and printable(request_id)

    def __str__(self) -> str:
        text = self.message
        if self.status is not None:
            text += f' (HTTP {self.status})'
        if self.request_id:
            text += f' (Request-ID: {self.request_id})'
        return text


class EndpointNotFound(ImagesError):
    """The configuration and the catalog name no usable Compute endpoint."""


class ConnectionFailed(ImagesError):
    """No whole answer came: refused, reset, cut off, timed out, TLS."""


class InvalidResponse(ImagesError):
    """The server answered with something that is not of this API."""


class ImagesNotServed(ImagesError):
    """Compute does not serve images (Nova does at microversions <= 2.35).

    :param versions: the microversions that the service says it serves, as
        ``('2.1', '2.104')``, or None where it does not say
    """

    def __init__(
        self,
        message: str,
        *,
        versions: tuple[str, str] | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, status=status, request_id=request_id)
        self.versions = versions


class ListingInterrupted(ImagesError):
    """A listing ended before its end, after some images had come.

    The cause, if there is one, is in ``__cause__``.

    :param marker: ID of the last image obtained: a listing with this marker
        goes on where this one ended; None if it must begin anew
    :param obtained: how many images had come
    """

    def __init__(
        self,
        message: str,
        *,
        marker: str | None,
        obtained: int,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, status=status, request_id=request_id)
        self.marker = marker
        self.obtained = obtained


class AmbiguousName(ImagesError):
    """A name that more than one resource has.

    :param ids: the IDs of all of them
    """

    def __init__(self, message: str, *, ids: Sequence[str]) -> None:
        super().__init__(message)
        self.ids: tuple[str, ...] = tuple(ids)


class WaitError(ImagesError):
    """What was waited for did not come.

    :param image: the image as it was last seen
    """

    def __init__(
        self,
        message: str,
        *,
        image: 'Image',
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, status=status, request_id=request_id)
        self.image = image


class ImageFailed(WaitError):
    """The image is in a status that it does not leave: ERROR, DELETED."""


class ImageVanished(WaitError):
    """The image was there and is no more."""


class WaitTimedOut(WaitError):
    """The time is over."""


class HTTPError(ImagesError):
    """The server refused the request; the message is the server's own."""


class BadRequest(HTTPError):
    """400: the server does not accept a value of the request."""


class Unauthorized(HTTPError):
    """401: no token, or one that the service does not accept."""


class Forbidden(HTTPError):
    """403: the project or role may not do this, or a quota is reached."""


class NotFound(HTTPError):
    """404: what was asked for does not exist, or may not be seen."""


class ImageNotFound(NotFound):
    """No such image."""


class ServerNotFound(NotFound):
    """No such server (an instance)."""


class FlavorNotFound(NotFound):
    """No such flavor."""


class Conflict(HTTPError):
    """409: the state of the resource does not allow this."""


class TooManyRequests(HTTPError):
    """429 (or Nova's older 413): the service limits the rate."""


class ServerError(HTTPError):
    """5xx: a fault of the service or of a proxy before it."""


_BY_STATUS: dict[int, type[HTTPError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooManyRequests,
    429: TooManyRequests,
}


def error_for_status(status: int) -> type[HTTPError]:
    """Return the exception class for an HTTP status of 400 or more."""
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, HTTPError)
