# SPDX-License-Identifier: Apache-2.0

"""Asking several regions at once."""

from collections import deque
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import threading
import zlib

import msgspec

from osc_compute_images.api import _errors
from osc_compute_images.api._client import ImagesAPI
from osc_compute_images.api._image import Image

#: How many regions are asked at a time.
PARALLEL = 16

#: Bytes: how much of the regions whose turn has not come is kept in memory.
#: It is compressed to about a fifteenth, so that a hundred thousand images
#: find room; then the other regions wait.
_ROOM = 4 * 1024 * 1024

_IMAGE = msgspec.json.Decoder(Image)


def in_regions(
    apis: Mapping[str, ImagesAPI],
    list_images: Callable[[ImagesAPI], Iterable[Sequence[Image]]],
    *,
    parallel: int = PARALLEL,
) -> Iterator[tuple[str, Sequence[Image] | _errors.ImagesError]]:
    """List the images of several regions, which are asked at the same time.

    Each region is asked for one thing at a time, and so is each server that
    serves several of them. For example, all images of all regions::

        for region, images in in_regions(
            apis,
            lambda api: (
                page.images
                for page in api.list_detail(first_page_size=100).pages()
            ),
        ):
            if isinstance(images, ImagesError):
                print(f'{region}: {images}')
            else:
                print(region, [image.name for image in images])

    :param apis: the images API of each region, by the region's name
    :param list_images: lists one region, in as many parts as it likes; runs
        in a thread of its own
    :param parallel: how many regions are asked at a time
    :returns: the name of a region and some of its images, part after part,
        as they come, the regions in the order of their names; last of all
        the error, for a region that fails
    """
    work = _Work(apis, list_images)
    threads = [
        # NOTE: a daemon, as it may be in the middle of a request that nobody
        # waits for any more.
        threading.Thread(target=work.work, daemon=True)
        for _ in range(min(parallel, len(apis)))
    ]
    for thread in threads:
        thread.start()
    try:
        yield from work.results()
    finally:
        work.stop()


class _Region:
    def __init__(self, name: str, api: ImagesAPI) -> None:
        self.name = name
        self.api = api
        self.parts: deque[bytes] = deque()
        self.done = False
        self.error: BaseException | None = None


class _Work:
    def __init__(
        self,
        apis: Mapping[str, ImagesAPI],
        list_images: Callable[[ImagesAPI], Iterable[Sequence[Image]]],
    ) -> None:
        self._list_images = list_images
        self._regions = [_Region(name, apis[name]) for name in sorted(apis)]
        self._waiting = deque(self._regions)
        self._turn = self._regions[0] if self._regions else None
        self._kept = 0
        self._stopped = False
        self._changed = threading.Condition()
        self._servers: dict[str | None, threading.Lock] = {}

    def results(
        self,
    ) -> Iterator[tuple[str, Sequence[Image] | _errors.ImagesError]]:
        for region in self._regions:
            with self._changed:
                self._turn = region
                self._changed.notify_all()
            while (part := self._next_part(region)) is not None:
                yield region.name, _unpack(part)
            if isinstance(region.error, _errors.ImagesError):
                yield region.name, region.error
            elif region.error is not None:
                raise region.error

    def _next_part(self, region: _Region) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: region.parts or region.done)
            if not region.parts:
                return None
            part = region.parts.popleft()
            self._kept -= len(part)
            self._changed.notify_all()
            return part

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def work(self) -> None:
        """List region after region: what each thread does."""
        while True:
            with self._changed:
                if self._stopped or not self._waiting:
                    return
                region = self._waiting.popleft()
            try:
                self._list(region)
            except BaseException as e:  # noqa: BLE001 - raised by results()
                region.error = e
            finally:
                with self._changed:
                    region.done = True
                    self._changed.notify_all()

    def _list(self, region: _Region) -> None:
        server = self._server_of(region)
        parts = iter(self._list_images(region.api))
        while True:
            with server:
                images = next(parts, None)
            if images is None:
                return
            part = _pack(images)
            # Or they would be held until the next ones have come.
            del images
            with self._changed:
                self._changed.wait_for(
                    lambda: self._stopped or self._has_room(region)
                )
                if self._stopped:
                    return
                region.parts.append(part)
                self._kept += len(part)
                self._changed.notify_all()

    def _server_of(self, region: _Region) -> threading.Lock:
        server = region.api.server()
        with self._changed:
            return self._servers.setdefault(server, threading.Lock())

    def _has_room(self, region: _Region) -> bool:
        # The one whose turn it is must get on, that the others get room.
        return self._kept < _ROOM or (
            region is self._turn and not region.parts
        )


def _pack(images: Sequence[Image]) -> bytes:
    # NOTE: not msgpack, which has no numbers of any size; and one by one, as
    # each region would need room for all of its page at the same time.
    pack = zlib.compressobj(1)
    parts = [pack.compress(msgspec.json.encode(i) + b'\n') for i in images]
    return b''.join(parts) + pack.flush()


def _unpack(part: bytes) -> list[Image]:
    return _IMAGE.decode_lines(zlib.decompress(part))
