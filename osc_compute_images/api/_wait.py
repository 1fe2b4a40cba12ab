# SPDX-License-Identifier: Apache-2.0

"""Waiting for an image."""

from collections.abc import Callable
import math
import time

from osc_compute_images.api import _errors
from osc_compute_images.api._image import Image

#: Seconds between two looks at the image: the first, the longest, and by how
#: much each is longer than the one before it. An upload takes seconds or
#: hours; so the wait is never much longer than it must be.
_FIRST_INTERVAL = 1.0
_LONGEST_INTERVAL = 15.0
_GROWTH = 1.25

#: Seconds for which a server that does not answer well is borne with.
_PATIENCE = 300.0

#: Statuses that lead nowhere else, unless waited for themselves.
_FINAL = ('ERROR', 'DELETED')


class _Watch:
    """Looks at an image, and bears with passing faults of the server."""

    def __init__(self, get: Callable[[], Image], seen: Image | None) -> None:
        self._get = get
        self._seen = seen
        self._well_at = time.monotonic()

    def look(self) -> Image:
        """Return the image as it is, or as it was before a passing fault."""
        try:
            self._seen = self._get()
            self._well_at = time.monotonic()
        except _errors.ImageNotFound as e:
            if self._seen is None:
                raise
            raise _errors.ImageVanished(
                f'Image {self._seen.id} vanished; it was {self._seen.status}',
                image=self._seen,
                status=e.status,
                request_id=e.request_id,
            ) from e
        except (
            _errors.ConnectionFailed,
            _errors.TooManyRequests,
            _errors.ServerError,
        ):
            unwell = time.monotonic() - self._well_at
            if self._seen is None or unwell > _PATIENCE:
                raise
        return self._seen


def wait_for(
    get: Callable[[], Image],
    seen: Image | None,
    status: str,
    timeout: float | None,
    on_look: Callable[[Image], object] | None,
) -> Image:
    """See :meth:`osc_compute_images.api.ImagesAPI.wait_for`."""
    watch = _Watch(get, seen)
    end = time.monotonic() + (math.inf if timeout is None else timeout)
    interval = _FIRST_INTERVAL
    while True:
        image = watch.look()
        if on_look is not None:
            on_look(image)
        if image.status == status:
            return image
        if image.status in _FINAL:
            raise _errors.ImageFailed(
                f'Image {image.id} is {image.status}, and will not become '
                f'{status}',
                image=image,
            )
        left = end - time.monotonic()
        if left <= 0:
            raise _errors.WaitTimedOut(
                f'Image {image.id} is still {image.status} after {timeout:g} '
                f'seconds',
                image=image,
            )
        time.sleep(min(interval, left))
        interval = min(interval * _GROWTH, _LONGEST_INTERVAL)
