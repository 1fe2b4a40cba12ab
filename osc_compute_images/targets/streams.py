# SPDX-License-Identifier: Apache-2.0

"""List several regions in parallel, in order, with bounded memory."""

from collections import defaultdict
from collections import deque
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import threading
from typing import TypeVar

from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api._regions import with_keys
from osc_compute_images.api._threads import PARALLEL

#: Images that are buffered for the regions whose turn has not come. When the
#: buffer is full, they wait.
MAX_BUFFERED = 10_000

_Key = TypeVar('_Key', bound=Hashable)


def in_order(
    apis: Mapping[_Key, ImagesAPI],
    list_images: Callable[[_Key, ImagesAPI], Iterable[Sequence[Image]]],
    *,
    parallel: int = PARALLEL,
) -> Iterator[tuple[_Key, Sequence[Image] | ImagesError]]:
    """List the images of several regions in parallel.

    :param list_images: lists one region, part by part; runs in a thread
    :returns: the key of a region and a part of its images, as they arrive;
        the regions in the order of the keys. For a region that fails, its
        last item is the error
    """
    if len(apis) == 1:
        # NOTE: in this thread, which receives signals, and page by page.
        ((key, api),) = apis.items()
        try:
            for images in list_images(key, api):
                yield key, images
        except ImagesError as e:
            yield key, e
        return
    buffer = _Buffer()

    def list_region(key: _Key, api: ImagesAPI) -> None:
        for images in list_images(key, api):
            if not buffer.put(key, images):
                return
            # Free them before the next page is requested.
            del images

    results = with_keys(
        apis, list_region, parallel=parallel, on_done=buffer.put
    )
    try:
        for key in apis:
            for images in buffer.take(key):
                yield key, images
            error = next(results).error
            if error is not None:
                yield key, error
    finally:
        results.close()
        buffer.close()


class _Buffer:
    """The parts that have arrived and have not been taken, and their ends."""

    def __init__(self) -> None:
        self._parts: dict[Hashable, deque[Sequence[Image] | None]] = (
            defaultdict(deque)
        )
        self._size = 0
        self._turn: Hashable = None
        self._closed = False
        self._changed = threading.Condition()

    def put(self, key: Hashable, part: Sequence[Image] | None = None) -> bool:
        """Add a part, once there is room, or the end; False if closed."""
        with self._changed:
            parts = self._parts[key]
            self._changed.wait_for(
                lambda: (
                    self._closed
                    or part is None
                    or self._size < MAX_BUFFERED
                    # The region whose turn it is must always progress.
                    or (key == self._turn and not parts)
                )
            )
            if self._closed:
                return False
            parts.append(part)
            self._size += len(part or ())
            self._changed.notify_all()
            return True

    def take(self, key: Hashable) -> Iterator[Sequence[Image]]:
        """Give a region its turn, and yield its parts as they arrive."""
        with self._changed:
            self._turn = key
            parts = self._parts[key]
            self._changed.notify_all()
        while True:
            with self._changed:
                # NOTE: no signal ends a wait that begins right after it.
                while not parts:
                    self._changed.wait(timeout=1)
                part = parts.popleft()
                if part is None:
                    return
                self._size -= len(part)
                self._changed.notify_all()
            yield part

    def close(self) -> None:
        """Refuse further parts, and wake the threads that wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
