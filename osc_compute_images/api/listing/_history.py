# SPDX-License-Identifier: Apache-2.0

"""What a listing has received, in bounded memory.

It removes duplicates, detects repeated pages, and finds a position to continue
from if the server rejects a marker.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.api import _limits
from osc_compute_images.api.listing._page import ImagePage

#: How often a listing goes back before it receives something new.
_MAX_RETURNS = 10


@dataclasses.dataclass
class History:
    """What a listing has received so far.

    :param kind: name of the collection, for messages
    :param limit: number of images of a page
    :param last: the marker that the listing begins after, and then the last
        ID; None if the listing must start over
    :param obtained: number of images
    """

    kind: str
    limit: int
    last: str | None
    obtained: int = 0
    #: Markers of pages since the listing went back last.
    _markers: set[str] = dataclasses.field(default_factory=set)
    #: Hashes of IDs: of the last pages, and of as many before them.
    _recent: set[int] = dataclasses.field(default_factory=set)
    _older: set[int] = dataclasses.field(default_factory=set)
    _has_all: bool = True
    #: The last page that had IDs: the query parameters of its position, and
    #: the IDs.
    _position: Mapping[str, str] | None = None
    _ids: list[str] = dataclasses.field(default_factory=list)
    _returns_left: int = _MAX_RETURNS
    _empty: int = 0

    def add(
        self, page: ImagePage[Any], position: Mapping[str, str] | None
    ) -> None:
        """Record a page, and remove what is not new from it.

        :param position: the query parameters of its position, or None for the
            first page
        """
        ids = new_ids = page._ids
        keys = {*map(hash, ids)}
        old = (keys & self._recent) | (keys & self._older)
        if old or len(keys) < len(ids):
            page.images = [*_without(page.images, old)]
            new_ids = [image.id for image in page.images if image.id]
        self._recent |= keys
        self._empty = 0 if ids or page.images else self._empty + 1
        if ids:
            self._position, self._ids = position, ids
        if new_ids:
            self.last = new_ids[-1]
        if page.images:
            self._returns_left = _MAX_RETURNS
        if len(self._recent) >= _limits.MAX_KNOWN_IDS // 2:
            self._has_all = not self._older
            self._older, self._recent = self._recent, set()
        self.obtained += len(page.images)

    def marker_after(self, page: ImagePage[Any]) -> str:
        """Return and record the marker of the next page.

        :raises InvalidResponse: if there is none, or the server repeats a
            page, or may repeat one
        """
        marker = page.next_marker()
        if marker is None:
            problem = (
                f'reports more {self.kind}, but no marker for the next page'
            )
        elif self._empty > _limits.MAX_EMPTY_PAGES:
            problem = f'sends more and more pages without {self.kind}'
        elif marker in self._markers:
            problem = f'repeats a page of {self.kind}'
        elif not self._has_all and marker not in self._ids:
            # It may be the marker of forgotten images.
            problem = (
                f'sends a page without {self.kind}, after too many to '
                f'recognize duplicates'
            )
        else:
            if len(self._markers) >= _limits.MAX_KNOWN_PAGES:
                self._markers.clear()
            self._markers.add(marker)
            return marker
        raise _errors.InvalidResponse(f'The server {problem}')

    def positions_before(self, rejected: str) -> Iterator[Mapping[str, str]]:
        """Yield positions to continue from, the nearest first.

        Their number is limited: a server may reject them all.

        :param rejected: a marker that the server rejects
        """
        if rejected == self.last:
            self.last = None
        if not self._returns_left:
            return
        self._returns_left -= 1
        self._markers.clear()
        # NOTE: that of the first page comes last, as newer images would be
        # listed.
        if self._position is not None:
            yield self._position
        step = 2
        # The first image of the page is always the last to try.
        while step < 2 * len(self._ids):
            yield {'marker': self._ids[-min(step, len(self._ids))]}
            step *= 2
        if self._has_all:
            yield {}


def _without(items: Iterable[Any], old: set[int]) -> Iterator[Any]:
    """Yield the items whose IDs are new; those without an ID may differ.

    :param old: hashes of IDs, to which those of the items are added
    """
    for item in items:
        key = hash(item.id)
        if not item.id or key not in old:
            yield item
        old.add(key)
