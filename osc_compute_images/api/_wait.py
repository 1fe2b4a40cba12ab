# SPDX-License-Identifier: Apache-2.0

"""Waiting for an image."""

from collections.abc import Callable
import math
import time

from osc_compute_images.api import _errors
from osc_compute_images.api import filters
from osc_compute_images.api._image import Image

#: Seconds between two looks at the image: the first, the longest, and by how
#: much each is longer than the one before it. An upload takes seconds or
#: hours; so the wait is never much longer than it must be.
_FIRST_INTERVAL = 1.0
_LONGEST_INTERVAL = 15.0
_GROWTH = 1.25

#: Seconds for which transient errors are retried, once the image was seen.
_PATIENCE = 300.0

#: Statuses that lead nowhere else, unless waited for themselves.
_FINAL = ('ERROR', 'DELETED')

#: A proxy may send a page of its own with any status.
_TRANSIENT = (
    _errors.ConnectionFailed,
    _errors.InvalidResponse,
    _errors.TooManyRequests,
    _errors.ServerError,
)


class _Watch:
    """Looks at an image, in spite of transient errors.

    :param get: gets the image by a deadline, a time of ``time.monotonic()``
    :param seen: the image as it was seen before, if it was
    :param deadline: when the wait is over
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
        self._last_answer = time.monotonic()

    def look(self) -> Image:
        """Return the current image, or the last one seen if a request fails.

        :raises WaitTimedOut: if it does not come in time, for the first time
        """
        deadline = None if math.isinf(self._deadline) else self._deadline
        try:
            self.seen = self._get(deadline)
            self._last_answer = time.monotonic()
        except _errors.ImageNotFound as e:
            if self.seen is None:
                raise
            raise _errors.ImageVanished(
                f'Image {self.seen.id} no longer exists; it was '
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
                    f'The time is over before the image was seen: {e.message}',
                    image=None,
                    http_status=e.http_status,
                    request_id=e.request_id,
                ) from e
            if now < self._deadline and now - self._last_answer > _PATIENCE:
                raise
        return self.seen


def wait_for(
    get: Callable[[float | None], Image],
    seen: Image | None,
    status: str,
    timeout: float | None,
    on_look: Callable[[Image], object] | None,
) -> Image:
    """See :meth:`osc_compute_images.api.ImagesAPI.wait_for`."""
    status = status.upper()
    if status not in filters.STATUSES:
        raise ValueError(
            f'{status!r} is not an image status; choose from '
            f'{", ".join(filters.STATUSES)}'
        )
    end = time.monotonic() + (math.inf if timeout is None else timeout)
    watch = _Watch(get, seen, end)
    interval = _FIRST_INTERVAL
    while True:
        image = watch.look()
        if on_look is not None:
            on_look(image)
        is_now = (image.status or '').upper()
        if is_now == status:
            return image
        if is_now in _FINAL:
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
        interval = min(interval * _GROWTH, _LONGEST_INTERVAL)
