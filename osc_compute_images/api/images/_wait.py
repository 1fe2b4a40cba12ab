# SPDX-License-Identifier: Apache-2.0

"""Wait for the status of an image."""

from collections.abc import Callable
from collections.abc import Iterator
import math
import time

import msgspec

from osc_compute_images.api import _errors
from osc_compute_images.api import filters
from osc_compute_images.api.images._reading import ReadingAPI
from osc_compute_images.api.records._image import id_of
from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._image import ImageID

#: Seconds between two polls, first and at most, and the factor by which they
#: grow: an upload may take seconds or hours.
_FIRST_INTERVAL = 1.0
_MAX_INTERVAL = 15.0
_GROWTH = 1.25

#: Seconds for which transient errors are retried, once the image was seen.
_RETRY_TIME = 300.0

#: Statuses that do not change.
_FINAL = ('ERROR', 'DELETED')

#: InvalidResponse: a proxy may send its own error page with any status.
_TRANSIENT = (
    _errors.ConnectionFailed,
    _errors.InvalidResponse,
    _errors.TooManyRequests,
    _errors.ServerError,
)


class WaitingAPI(ReadingAPI):
    """The methods of :class:`.ImagesAPI` that wait."""

    def wait_for(
        self,
        image: ImageID,
        status: str = 'ACTIVE',
        *,
        timeout: float | None = None,
        on_poll: Callable[[Image], object] | None = None,
    ) -> Image:
        """Poll an image until it has a status, and return it.

        Transient errors are retried, once the image has been seen.

        :param status: ACTIVE, SAVING, ERROR, DELETED or UNKNOWN, in any case.
            An image that has been seen, and no longer exists, is DELETED
        :param timeout: seconds, also for each request and login; no timeout by
            default
        :param on_poll: called with the image after each poll
        :raises ImageFailed: if the status is ERROR or DELETED instead
        :raises ImageVanished: if the image no longer exists
        :raises WaitTimedOut: if the timeout expires
        :raises ValueError: if the status is unknown
        """
        status = status.upper()
        if status not in filters.STATUSES:
            raise ValueError(
                f'{status!r} is not an image status; choose from '
                f'{", ".join(filters.STATUSES)}'
            )
        try:
            for polled in self._polls(image, timeout):
                if on_poll is not None:
                    on_poll(polled)
                if polled.state == status:
                    return polled
                if polled.state in _FINAL:
                    raise _errors.ImageFailed(
                        f'Image {polled.id} is {polled.status}, and will not '
                        f'become {status}',
                        image=polled,
                    )
            raise _errors.WaitTimedOut(
                f'Image {polled.id} is still {polled.status} after '
                f'{timeout:g} second{"" if timeout == 1 else "s"}',
                image=polled,
            )
        except _errors.ImageVanished as e:
            if status == 'DELETED' and e.image is not None:
                return msgspec.structs.replace(e.image, status='DELETED')
            raise

    def _polls(self, image: ImageID, timeout: float | None) -> Iterator[Image]:
        """Yield the image after each poll, or as last seen if a request fails.

        Yields at least once; ends after the timeout.

        :raises WaitTimedOut: if the image was never seen
        :raises ImageVanished: if it no longer exists
        """
        image_id = id_of(image)
        seen = image if isinstance(image, Image) else None
        last_success = time.monotonic()
        end = last_success + (math.inf if timeout is None else timeout)
        interval = _FIRST_INTERVAL
        while True:
            try:
                seen = self._get(image_id, end, fresh=True)
                last_success = time.monotonic()
            except _errors.ImageNotFound as e:
                if seen is None:
                    raise
                raise _errors.ImageVanished(
                    f'Image {seen.id} no longer exists; its last status was '
                    f'{seen.status}',
                    image=seen,
                    **_errors.origin(e),
                ) from e
            except _TRANSIENT as e:
                now = time.monotonic()
                if now < end and (
                    seen is None or now - last_success > _RETRY_TIME
                ):
                    raise
                if seen is None:
                    raise _errors.WaitTimedOut(
                        f'Timed out before the image was seen: {e.message}',
                        image=None,
                        **_errors.origin(e),
                    ) from e
            yield seen
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(interval, left))
            interval = min(interval * _GROWTH, _MAX_INTERVAL)
