# SPDX-License-Identifier: Apache-2.0

"""The exceptions of the images API."""

import dataclasses
from typing import Any
from typing import TYPE_CHECKING

from osc_compute_images.text import printable
from osc_compute_images.text import shortened

if TYPE_CHECKING:
    from osc_compute_images.api.records._image import Image

#: Maximum characters of the message of an error, and of a request ID.
MAX_MESSAGE = 2000
MAX_REQUEST_ID = 200


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class ImagesError(Exception):
    """Base class of all errors of the images API.

    :param message: one line that says what is wrong; the server's own message
        if it sent one
    :param http_status: status code of the response, or None without one
    :param request_id: the server's ID of the request (``req-...``), or None
    """

    message: str = dataclasses.field(kw_only=False)
    http_status: int | None = None
    request_id: str | None = None
    #: Whether it is a failure of the connection that may pass.
    transient: bool = dataclasses.field(default=False, init=False)
    #: Seconds after which the server asks to retry.
    retry_after: float | None = dataclasses.field(default=None, init=False)

    def __post_init__(self) -> None:
        self.message = _escape(self.message, MAX_MESSAGE)
        super().__init__(self.message)
        self.request_id = self.request_id and _escape(
            self.request_id, MAX_REQUEST_ID
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # NOTE: by default an exception is recreated from its positional
        # arguments only.
        return type(self).__new__, (type(self), *self.args), self.__dict__

    def __str__(self) -> str:
        text = self.message
        if self.http_status is not None:
            text += f' (HTTP {self.http_status})'
        if self.request_id:
            text += f' (Request-ID: {self.request_id})'
        return text


def _escape(text: str, length: int) -> str:
    # NOTE: the text of a server must not control a terminal, nor flood it.
    # Escaping makes it longer.
    return shortened(printable(shortened(text, length)), length)


class EndpointNotFound(ImagesError):
    """The configuration and the catalog have no usable Compute endpoint."""


class ConnectionFailed(ImagesError):
    """No complete response: refused, reset, closed, timed out, TLS error."""


class RequestTimedOut(ConnectionFailed):
    """No complete response before the timeout."""


class InvalidResponse(ImagesError):
    """The response is not from this API."""


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class ImagesNotServed(ImagesError):
    """Compute does not serve images (Nova does at microversions <= 2.35).

    :param versions: the lowest and highest microversion of the service, such
        as ``('2.1', '2.104')``, or None if it does not report them
    """

    versions: tuple[str, str] | None = None


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class ListingInterrupted(ImagesError):
    """A list could not be completed; the cause is in ``__cause__``.

    :param marker: ID of the last image obtained. A list with this option
        resumes from it, or the server rejects it with BadRequest if the image
        has been deleted since. None if the list must start over
    :param obtained: number of images obtained
    """

    marker: str | None
    obtained: int


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class InvalidProperty(ImagesError):
    """A property that Compute would not store, or that would break lists.

    No request has been sent.

    :param key: key of the property
    """

    key: str


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class PropertiesNotStored(ImagesError):
    """The server accepted a change, but stored something else.

    :param keys: keys of the properties that differ
    """

    keys: tuple[str, ...]


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class PropertiesNotDeleted(ImagesError):
    """Some properties could not be removed; the others were.

    :param errors: the error of each property that remains, by key
    """

    errors: dict[str, ImagesError]


class PlanRefused(ImagesError):
    """A plan was refused, and nothing was changed."""


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class GapsFound(PlanRefused):
    """What was read has gaps, so that any image may be in use.

    :param gaps: what could not be read, a sentence each
    """

    gaps: tuple[str, ...]


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class AmbiguousName(ImagesError):
    """Several resources have the name.

    :param ids: the IDs of all of them
    """

    ids: tuple[str, ...]


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class WaitError(ImagesError):
    """Waiting for an image failed.

    :param image: the image as last seen, or None
    """

    image: 'Image | None'


class ImageFailed(WaitError):
    """The image has a final status: ERROR or DELETED."""


class ImageVanished(WaitError):
    """The image no longer exists."""


class WaitTimedOut(WaitError):
    """The timeout expired."""


class HTTPError(ImagesError):
    """An error response; the message is the server's own."""


class BadRequest(HTTPError):
    """400: the server does not accept a value of the request."""


class Unauthorized(HTTPError):
    """401: no token, or one that the service does not accept."""


class Forbidden(HTTPError):
    """403: the project or role may not do this, or a quota is reached."""


class ImagesForbidden(ImagesNotServed, Forbidden):
    """403: Compute forbids requests for images, as its policy may."""


class NotFound(HTTPError):
    """404: the resource does not exist, or is not visible to the user."""


class ImageNotFound(NotFound):
    """No such image."""


class ServerNotFound(NotFound):
    """No such server (an instance)."""


class FlavorNotFound(NotFound):
    """No such flavor."""


class NotAcceptable(HTTPError):
    """406: the service does not offer the microversion."""


class Conflict(HTTPError):
    """409: the state of the resource does not allow this."""


class TooManyRequests(HTTPError):
    """429 (or Nova's older 413): the service limits the rate."""


class ServerError(HTTPError):
    """5xx: an error of the service or of a proxy in front of it."""


#: Errors of HTTP statuses that have one of their own.
BY_STATUS: dict[int, type[HTTPError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    406: NotAcceptable,
    409: Conflict,
    413: TooManyRequests,
    429: TooManyRequests,
}

#: Errors after which the server may have made a change.
RESPONSE_LOST = (ConnectionFailed, InvalidResponse, ServerError)


def origin(error: ImagesError) -> dict[str, Any]:
    """Return the arguments of an error that has the response of another."""
    return {'http_status': error.http_status, 'request_id': error.request_id}
