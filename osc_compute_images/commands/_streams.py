# SPDX-License-Identifier: Apache-2.0

"""Listings of several regions, side by side, in an order and flat memory."""

from collections import deque
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import threading
from typing import TypeVar
import zlib

import msgspec

from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api._regions import PARALLEL
from osc_compute_images.api._regions import with_keys

#: Bytes: how much of the regions whose turn has not come is kept in memory.
#: It is compressed to about a fifteenth, so that a hundred thousand images
#: find room; then the other regions wait.
ROOM = 4 * 1024 * 1024

_Key = TypeVar('_Key', bound=Hashable)

_IMAGE = msgspec.json.Decoder(Image)


def in_order(
    apis: Mapping[_Key, ImagesAPI],
    list_images: Callable[[_Key, ImagesAPI], Iterable[Sequence[Image]]],
    *,
    parallel: int = PARALLEL,
) -> Iterator[tuple[_Key, Sequence[Image] | ImagesError]]:
    """List the images of several regions, which are asked at the same time.

    :param list_images: lists one region, in as many parts as it likes; runs
        in a thread
    :returns: the key of a region and some of its images, part after part, as
        they come, the regions in the order of the keys; last of all the
        error, for a region that fails
    """
    kept = _Kept()

    def gather(key: _Key, api: ImagesAPI) -> None:
        for images in list_images(key, api):
            part = _pack(images)
            # Or they would be held until the next ones have come.
            del images
            if not kept.put(key, part):
                return
            del part

    results = with_keys(apis, gather, parallel=parallel, on_done=kept.end)
    try:
        for key in apis:
            for part in kept.take(key):
                yield key, _unpack(part)
            error = next(results).error
            if error is not None:
                yield key, error
    finally:
        results.close()
        kept.close()


class _Kept:
    """What has come from the regions, and has not been taken."""

    def __init__(self) -> None:
        self._parts: dict[Hashable, deque[bytes]] = {}
        self._size = 0
        self._ended: set[Hashable] = set()
        self._turn: Hashable = None
        self._closed = False
        self._changed = threading.Condition()

    def put(self, key: Hashable, part: bytes) -> bool:
        """Keep a part, once there is room; False if nobody wants it."""
        with self._changed:
            parts = self._parts.setdefault(key, deque())
            self._changed.wait_for(
                lambda: (
                    self._closed
                    or self._size < ROOM
                    # The one whose turn it is must get on, that the others
                    # get room.
                    or (key == self._turn and not parts)
                )
            )
            if self._closed:
                return False
            parts.append(part)
            self._size += len(part)
            self._changed.notify_all()
            return True

    def end(self, key: Hashable) -> None:
        """Take note that no more parts come of a region."""
        with self._changed:
            self._ended.add(key)
            self._changed.notify_all()

    def take(self, key: Hashable) -> Iterator[bytes]:
        """Yield the parts of the region whose turn it is, as they come."""
        with self._changed:
            self._turn = key
            parts = self._parts.setdefault(key, deque())
            self._changed.notify_all()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: parts or key in self._ended)
                if not parts:
                    return
                part = parts.popleft()
                self._size -= len(part)
                self._changed.notify_all()
            yield part

    def close(self) -> None:
        """Let nobody wait for room any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def _pack(images: Sequence[Image]) -> bytes:
    # NOTE: not msgpack, which has no numbers of any size; and one by one, as
    # each region would need room for all of its page at the same time.
    pack = zlib.compressobj(1)
    parts = [pack.compress(msgspec.json.encode(i) + b'\n') for i in images]
    return b''.join(parts) + pack.flush()


def _unpack(part: bytes) -> list[Image]:
    return _IMAGE.decode_lines(zlib.decompress(part))
