# SPDX-License-Identifier: Apache-2.0

"""The IDs and markers of a listing, in bounded memory.

They are needed to remove duplicates, and to resume a listing if the server
rejects a marker.
"""

import array
from collections import deque
from collections.abc import Callable
from collections.abc import Iterator
import itertools
import operator
from typing import Any
from typing import TypeVar

from osc_compute_images.api import _limits

#: Number of earlier markers to try.
_MAX_MARKERS = 10

#: Maximum number of restarts without new items.
_MAX_RESTARTS = 10

#: Something with an ID, which may be empty.
_Item = TypeVar('_Item')
_id: Callable[[Any], str] = operator.attrgetter('id')


class History:
    """The IDs and markers of a listing so far.

    :param begin: the marker that the listing begins after, or None
    :ivar last: the last ID, as a marker to resume from; None if the listing
        must restart
    :ivar has_begun: whether any page was received
    :ivar has_all: whether every duplicate is recognized, however old
    """

    def __init__(self, begin: str | None) -> None:
        self.last = begin
        self.has_begun = False
        self._markers: dict[str, None] = {}
        if begin is not None:
            self.add_marker(begin)
        #: IDs of recent pages, and hashes of older IDs.
        self._pages: deque[list[str]] = deque()
        self._recent: set[str] = set()
        self._older = array.array('q')
        #: The hashes as a set, once the listing has gone back.
        self._known: set[int] = set()
        self.has_all = True
        self._restarts_left = _MAX_RESTARTS
        self._is_restarted = self._restart_helped = False

    def has_marker(self, marker: str) -> bool:
        """Return whether a page has begun after the marker."""
        return marker in self._markers

    def add_marker(self, marker: str) -> None:
        """Record the marker of a page."""
        if len(self._markers) >= _limits.MAX_KNOWN_PAGES:
            del self._markers[next(iter(self._markers))]
        self._markers[marker] = None
        if marker != self.last:
            # The next page does not follow the last one.
            self._prepare_for_older()

    def add(self, items: list[_Item]) -> list[_Item]:
        """Record the items of a page, and return those that are new."""
        self.has_begun = True
        ids = [*map(_id, items)]
        if (
            self._known
            or len(set(ids)) < len(ids)
            or not self._recent.isdisjoint(ids)
        ):
            items = [*self._new(items)]
            ids = [*map(_id, items)]
        self._recent.update(ids)
        self._pages.append(ids)
        while len(self._recent) - len(self._pages[0]) > _limits.MAX_RECENT_IDS:
            self._forget(self._pages.popleft())
        if ids:
            self._restarts_left = _MAX_RESTARTS
            self.last = next(filter(None, reversed(ids)), self.last)
        self._restart_helped = self._is_restarted and bool(ids)
        self._is_restarted = False
        return items

    def _new(self, items: list[_Item]) -> Iterator[_Item]:
        known = set(itertools.chain.from_iterable(self._pages))
        for item in items:
            item_id = _id(item)
            # Items without an ID may differ.
            if not item_id or (
                item_id not in known and hash(item_id) not in self._known
            ):
                yield item
            known.add(item_id)

    def _forget(self, ids: list[str]) -> None:
        self._recent.difference_update(ids)
        if len(self._older) + len(ids) > _limits.MAX_KNOWN_IDS:
            self.has_all = False
            return
        hashes = [*map(hash, ids)]
        self._older.extend(hashes)
        if self._known:
            self._known.update(hashes)

    def _prepare_for_older(self) -> None:
        """Recognize old IDs, too, from now on."""
        if not self._known:
            self._known.update(self._older)

    def reject(self, marker: str) -> None:
        """Record that the server rejects a marker."""
        if marker == self.last:
            self.last = None

    def earlier_positions(self) -> Iterator[dict[str, str]]:
        """Yield query parameters of earlier positions, the nearest first.

        They are the last images, the last markers and the beginning. Their
        number is limited: a server may reject them all.
        """
        if not self._restarts_left:
            return
        self._restarts_left -= 1
        self._prepare_for_older()
        if self._restart_helped:
            # NOTE: if all listed images are deleted, only this helps again.
            yield from self._restart()
        ids = next(filter(None, reversed(self._pages)), [])
        step = 2
        # The first image of the page is always the last to try.
        while step < 2 * len(ids):
            marker = ids[-min(step, len(ids))]
            if marker:
                yield {'marker': marker}
            step *= 2
        if not self.has_all:
            # Duplicates from further back would not be recognized.
            return
        # The last marker is the rejected one.
        for marker in [*self._markers][-2 : -_MAX_MARKERS - 2 : -1]:
            yield {'marker': marker}
        yield from self._restart()

    def _restart(self) -> Iterator[dict[str, str]]:
        if not self.has_all:
            return
        self._is_restarted = True
        # The markers will be repeated.
        self._markers.clear()
        yield {}
