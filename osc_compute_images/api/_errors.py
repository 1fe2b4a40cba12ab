# SPDX-License-Identifier: Apache-2.0

"""The exceptions of the images API; the tree is drawn in the package."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TYPE_CHECKING

from osc_compute_images.api import _limits
from osc_compute_images.text import printable
from osc_compute_images.text import shortened

if TYPE_CHECKING:
    from osc_compute_images.api._image import Image


class ImagesError(Exception):
    """Base class: anything that the images API can raise on purpose.

    :param message: one line that says what is wrong, in the server's own
        words where the server answered
    :param http_status: status of that answer, or None where there was none
    :param request_id: the server's ID of the request (``req-...``), for its
        operators, or None
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        self.message: str = _shown(message, _limits.MAX_MESSAGE)
        super().__init__(self.message)
        self.http_status = http_status
        self.request_id = request_id and _shown(
            request_id, _limits.MAX_REQUEST_ID
        )
        #: What it means for another attempt, to the layer that makes them.
        self.fault: object = None

    def __reduce__(self) -> tuple[Any, ...]:
        # NOTE: by default an exception is made anew from its positional
        # arguments, and these are not all.
        return _restored, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        text = self.message
        if self.http_status is not None:
            text += f' (HTTP {self.http_status})'
        if self.request_id:
            text += f' (Request-ID: {self.request_id})'
        return text


def _restored(
    kind: type[ImagesError], args: tuple[Any, ...], state: dict[str, Any]
) -> ImagesError:
    """Make a copy of an exception, also in another process."""
    e = kind.__new__(kind, *args)
    e.__dict__.update(state)
    return e


def _shown(text: str, length: int) -> str:
    # NOTE: what a server says must not act on the terminal of its user, nor
    # fill it. Escapes make it longer.
    return shortened(printable(shortened(text, length)), length)


class EndpointNotFound(ImagesError):
    """The configuration and the catalog name no usable Compute endpoint."""


class ConnectionFailed(ImagesError):
    """No whole answer came: refused, reset, cut off, timed out, TLS."""


class RequestTimedOut(ConnectionFailed):
    """No whole answer came in time."""


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
        http_status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(
            message, http_status=http_status, request_id=request_id
        )
        self.versions = versions


class ListingInterrupted(ImagesError):
    """A listing ended before its end, after some images had come.

    The cause is in ``__cause__``.

    :param marker: ID of the last image obtained: a listing with this marker
        goes on where this one ended. If the image has been deleted since, the
        server may refuse it. None if the listing has to begin anew
    :param obtained: how many images had come
    """

    def __init__(
        self,
        message: str,
        *,
        marker: str | None,
        obtained: int,
        http_status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(
            message, http_status=http_status, request_id=request_id
        )
        self.marker = marker
        self.obtained = obtained


class InvalidProperty(ImagesError):
    """A property that Compute would not store, or that would break it.

    Nothing has been sent.

    :param key: of the property
    """

    def __init__(self, message: str, *, key: str) -> None:
        super().__init__(message)
        self.key = key


class PropertiesNotStored(ImagesError):
    """The server accepted a change, but what is stored is something else.

    :param keys: of the properties that are not as they were to be
    """

    def __init__(self, message: str, *, keys: Sequence[str]) -> None:
        super().__init__(message)
        self.keys: tuple[str, ...] = tuple(keys)


class PropertiesNotDeleted(ImagesError):
    """Some properties could not be removed; the others have been.

    :param errors: by the keys of those that could not
    """

    def __init__(
        self, message: str, *, errors: Mapping[str, ImagesError]
    ) -> None:
        super().__init__(message)
        self.errors = dict(errors)


class AmbiguousName(ImagesError):
    """A name that more than one resource has.

    :param ids: the IDs of all of them
    """

    def __init__(self, message: str, *, ids: Sequence[str]) -> None:
        super().__init__(message)
        self.ids: tuple[str, ...] = tuple(ids)


class WaitError(ImagesError):
    """What was waited for did not come.

    :param image: the image as it was last seen; None if it never was
    """

    def __init__(
        self,
        message: str,
        *,
        image: 'Image | None',
        http_status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(
            message, http_status=http_status, request_id=request_id
        )
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
