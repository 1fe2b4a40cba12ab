# SPDX-License-Identifier: Apache-2.0

"""What a listing has had so far, in bounded memory."""

import array
from collections import deque
from collections.abc import Iterator
import itertools
from typing import Any
from typing import TypeVar

from osc_compute_images.api import _limits

#: How many of the last markers are gone back to.
_MARKERS = 10

#: How often in turn a listing goes back, and nothing new comes.
_MAX_WAYS = 10

#: Something with an ID, which may be empty.
_Item = TypeVar('_Item')


class History:
    """The IDs and markers that have come, and the ways back to them.

    :param begin: the marker that the listing began after, if there was one
    :ivar last: the last ID that came, from where the listing may be gone on
        with; None if it has to begin anew
    :ivar has_begun: whether any page has come
    """

    def __init__(self, begin: str | None) -> None:
        self.last = begin
        self.has_begun = False
        self._markers: dict[str, None] = {}
        if begin is not None:
            self.add_marker(begin)
        #: The IDs of the last pages, and hashes of those before them.
        self._pages: deque[list[str]] = deque()
        self._recent: set[str] = set()
        self._older = array.array('q')
        #: Likewise, for looking up once the listing has begun anew.
        self._known: set[int] = set()
        self._has_all = True
        self._ways_left = _MAX_WAYS
        self._is_at_beginning = self._beginning_helped = False

    def has_marker(self, marker: str) -> bool:
        """Tell whether a page has begun after it."""
        return marker in self._markers

    def add_marker(self, marker: str) -> None:
        """Remember where a page begins."""
        if len(self._markers) >= _limits.MAX_KNOWN_PAGES:
            del self._markers[next(iter(self._markers))]
        self._markers[marker] = None

    def add(self, items: list[_Item]) -> list[_Item]:
        """Remember the items of a page, and return those that are new."""
        self.has_begun = True
        ids = [_id(item) for item in items]
        if (
            self._known
            or len(set(ids)) < len(ids)
            or not self._recent.isdisjoint(ids)
        ):
            items = [*self._new(items)]
            ids = [_id(item) for item in items]
        self._recent.update(ids)
        self._pages.append(ids)
        while len(self._recent) - len(self._pages[0]) > _limits.MAX_RECENT_IDS:
            self._forget(self._pages.popleft())
        if ids:
            self._ways_left = _MAX_WAYS
            self.last = next(filter(None, reversed(ids)), self.last)
        self._beginning_helped = self._is_at_beginning and bool(ids)
        self._is_at_beginning = False
        return items

    def _new(self, items: list[_Item]) -> Iterator[_Item]:
        known = set(itertools.chain.from_iterable(self._pages))
        for item in items:
            item_id = _id(item)
            # Those without an ID may be different ones.
            if not item_id or (
                item_id not in known and hash(item_id) not in self._known
            ):
                yield item
            known.add(item_id)

    def _forget(self, ids: list[str]) -> None:
        self._recent.difference_update(ids)
        if len(self._older) + len(ids) > _limits.MAX_KNOWN_IDS:
            self._has_all = False
            return
        hashes = [*map(hash, ids)]
        self._older.extend(hashes)
        if self._known:
            self._known.update(hashes)

    def refuse(self, marker: str) -> None:
        """Note that the server does not take a marker."""
        if marker == self.last:
            self.last = None

    def ways_back(self) -> Iterator[dict[str, str]]:
        """Yield parameters of requests that lead back, the nearest first.

        They lead to the last images, the last markers and the beginning, as
        long as that is of use: a server may refuse for ever.
        """
        if not self._ways_left:
            return
        self._ways_left -= 1
        if self._beginning_helped:
            # As it does where all is deleted that has been listed.
            yield from self._beginning()
        ids = next(filter(None, reversed(self._pages)), [])
        step = 2
        # The first of the page comes last, however many there are.
        while step < 2 * len(ids):
            marker = ids[-min(step, len(ids))]
            if marker:
                yield {'marker': marker}
            step *= 2
        if not self._has_all:
            # What comes again from further back would not be known.
            return
        self._known.update(self._older)
        # The last one is that which was refused.
        for marker in [*self._markers][-2 : -_MARKERS - 2 : -1]:
            yield {'marker': marker}
        yield from self._beginning()

    def _beginning(self) -> Iterator[dict[str, str]]:
        if not self._has_all:
            return
        self._is_at_beginning = True
        # The pages come again, and so do their markers.
        self._markers.clear()
        self._known.update(self._older)
        yield {}


def _id(item: Any) -> str:
    item_id: str = item.id
    return item_id
