# SPDX-License-Identifier: Apache-2.0

"""What a listing has received, in bounded memory.

It removes duplicates, detects repeated pages, and finds a position to continue
from if the server rejects a marker.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.api import _limits
from osc_compute_images.api.listing._page import ImagePage

#: How often a listing goes back before it receives something new.
_MAX_RETURNS = 10


class History:
    """What a listing has received so far.

    :param kind: name of the collection, for messages
    :param begin: the marker that the listing begins after, or None
    :ivar last: the last ID, as a marker to resume from; None if the listing
        must start over
    :ivar obtained: number of images, or None before the first page
    """

    def __init__(self, kind: str, begin: str | None) -> None:
        self._kind = kind
        self.last = begin
        self.obtained: int | None = None
        #: Markers of pages since the listing went back last.
        self._markers: set[str] = set()
        #: Hashes of IDs, the oldest first.
        self._known: dict[int, None] = {}
        self._has_all = True
        #: The last page that had IDs: the query parameters of its position,
        #: and the IDs.
        self._position: Mapping[str, str] = {}
        self._ids: list[str] = []
        self._has_returned = False
        self._returns_left = _MAX_RETURNS

    def add(self, page: ImagePage[Any], position: Mapping[str, str]) -> None:
        """Record a page, and remove what is not new from it.

        :param position: the query parameters of its position
        :raises InvalidResponse: if the page is a repeated one, or may be
        """
        self._check(page)
        known = self._known
        ids = []
        new = []
        for item in page.images:
            item_id = item.id
            if not item_id:
                # Items without an ID may differ.
                new.append(item)
                continue
            ids.append(item_id)
            key = hash(item_id)
            if key in known:
                # NOTE: the IDs of this page are forgotten last.
                del known[key]
            else:
                new.append(item)
                self.last = item_id
            known[key] = None
        if ids:
            self._position, self._ids = position, ids
        if new:
            self._returns_left = _MAX_RETURNS
        if len(known) > _limits.MAX_KNOWN_IDS:
            self._has_all = False
            kept = max(_limits.MAX_KNOWN_IDS // 2, len(ids))
            self._known = dict.fromkeys([*known][-kept:])
        page.images = new
        self.obtained = (self.obtained or 0) + len(new)

    def _check(self, page: ImagePage[Any]) -> None:
        marker = page.next_marker()
        if marker is None:
            return
        if not self._has_all and not any(i.id for i in page.images):
            # It may be the marker of forgotten images.
            raise _errors.InvalidResponse(
                f'The server sends a page without {self._kind}, after too '
                f'many to recognize duplicates'
            )
        if marker in self._markers:
            raise _errors.InvalidResponse(
                f'The server repeats a page of {self._kind}'
            )
        if len(self._markers) >= _limits.MAX_KNOWN_PAGES:
            self._markers.clear()
        self._markers.add(marker)

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
        # NOTE: the position of the first page comes last, as newer images
        # would be listed.
        if self._position or self._has_returned:
            yield self._position
        self._has_returned = True
        step = 2
        # The first image of the page is always the last to try.
        while step < 2 * len(self._ids):
            yield {'marker': self._ids[-min(step, len(self._ids))]}
            step *= 2
        if self._has_all:
            yield {}
