# SPDX-License-Identifier: Apache-2.0

"""Wait for the status of an image."""

from collections.abc import Callable
import math
import time

import msgspec

from osc_compute_images.api import _errors
from osc_compute_images.api import filters
from osc_compute_images.api.records._image import Image

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


class _Poller:
    """Polls an image, and tolerates transient errors.

    :param get: gets the image, given a deadline of ``time.monotonic()``
    :param seen: the image as last seen, or None
    :param deadline: of the wait
    """

    def __init__(
        self,
        get: Callable[[float | None], Image],
        seen: Image | None,
        deadline: float,
    ) -> None:
        self._get = get
        self.seen = seen
        self._deadline = deadline
        self._last_success = time.monotonic()

    def poll(self) -> Image:
        """Return the current image, or the one last seen if a request fails.

        :raises WaitTimedOut: if it was never seen before the deadline
        """
        deadline = None if math.isinf(self._deadline) else self._deadline
        try:
            self.seen = self._get(deadline)
            self._last_success = time.monotonic()
        except _errors.ImageNotFound as e:
            if self.seen is None:
                raise
            raise _errors.ImageVanished(
                f'Image {self.seen.id} no longer exists; its last status was '
                f'{self.seen.status}',
                image=self.seen,
                http_status=e.http_status,
                request_id=e.request_id,
            ) from e
        except _TRANSIENT as e:
            now = time.monotonic()
            if self.seen is None:
                if now < self._deadline:
                    raise
                raise _errors.WaitTimedOut(
                    f'Timed out before the image was seen: {e.message}',
                    image=None,
                    http_status=e.http_status,
                    request_id=e.request_id,
                ) from e
            if now < self._deadline and now - self._last_success > _RETRY_TIME:
                raise
        return self.seen


def wait_for(
    get: Callable[[float | None], Image],
    seen: Image | None,
    status: str,
    timeout: float | None,
    on_poll: Callable[[Image], object] | None,
) -> Image:
    """See :meth:`osc_compute_images.api.ImagesAPI.wait_for`."""
    status = status.upper()
    if status not in filters.STATUSES:
        raise ValueError(
            f'{status!r} is not an image status; choose from '
            f'{", ".join(filters.STATUSES)}'
        )
    end = time.monotonic() + (math.inf if timeout is None else timeout)
    poller = _Poller(get, seen, end)
    interval = _FIRST_INTERVAL
    while True:
        try:
            image = poller.poll()
        except _errors.ImageVanished as e:
            if status == 'DELETED' and e.image is not None:
                return msgspec.structs.replace(e.image, status='DELETED')
            raise
        if on_poll is not None:
            on_poll(image)
        current = image.state
        if current == status:
            return image
        if current in _FINAL:
            raise _errors.ImageFailed(
                f'Image {image.id} is {image.status}, and will not become '
                f'{status}',
                image=image,
            )
        left = end - time.monotonic()
        if left <= 0:
            raise _errors.WaitTimedOut(
                f'Image {image.id} is still {image.status} after {timeout:g} '
                f'second{"" if timeout == 1 else "s"}',
                image=image,
            )
        time.sleep(min(interval, left))
        interval = min(interval * _GROWTH, _MAX_INTERVAL)
