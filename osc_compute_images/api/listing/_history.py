# SPDX-License-Identifier: Apache-2.0

"""The IDs and markers of a listing, in bounded memory.

They are needed to remove duplicates, and to resume a listing if the server
rejects a marker.
"""

from collections.abc import Iterator
import itertools
from typing import Any
from typing import TypeVar

from osc_compute_images.api import _limits

#: Number of earlier markers to try.
_MAX_MARKERS = 10

#: Maximum number of restarts without new items.
_MAX_RESTARTS = 10

#: Something with an ID, which may be empty.
_Item = TypeVar('_Item', bound=Any)


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
        #: IDs of the last page that had any.
        self._last_ids: list[str] = []
        #: Hashes of all IDs, the oldest first.
        self._known: dict[int, None] = {}
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

    def add(self, items: list[_Item]) -> list[_Item]:
        """Record the items of a page, and return those that are new."""
        self.has_begun = True
        new = [item for item in items if self._is_new(item.id)]
        if new:
            self._forget_oldest(len(new))
            self._last_ids = [item.id for item in new]
            self._restarts_left = _MAX_RESTARTS
            ids = filter(None, reversed(self._last_ids))
            self.last = next(ids, self.last)
        self._restart_helped = self._is_restarted and bool(new)
        self._is_restarted = False
        return new

    def _is_new(self, item_id: str) -> bool:
        count = len(self._known)
        self._known[hash(item_id)] = None
        # Items without an ID may differ.
        return not item_id or len(self._known) > count

    def _forget_oldest(self, added: int) -> None:
        """Forget half of the IDs if there are too many, but no new ones."""
        most = _limits.MAX_KNOWN_IDS
        count = len(self._known)
        if count > most:
            forgotten = count - max(most // 2, added)
            kept = itertools.islice(self._known, forgotten, None)
            self._known = dict.fromkeys(kept)
            self.has_all = False

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
        if self._restart_helped:
            # NOTE: if all listed images are deleted, only this helps again.
            yield from self._restart()
        ids = self._last_ids
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
