# SPDX-License-Identifier: Apache-2.0

"""Select the newest images, of all or of each group.

The newest snapshot of each server, and the three newest of one server::

    from osc_compute_images.api import filters
    from osc_compute_images.api.groups import selection

    snapshots = api.list_detail(where=filters.image_type('snapshot'))
    for image in selection.newest(snapshots, group_by='server'):
        print(image.server_id, image.name)

    of_web = api.list_detail(where=filters.server(web.id))
    print(*selection.newest(of_web, 3))

Nova lists the newest images first. While it does, images are yielded page by
page, and the listing stops as soon as it is complete. If the server uses
another order, the whole listing is read first.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import datetime
import heapq
import itertools
from typing import Protocol

from osc_compute_images.api import _errors
from osc_compute_images.api.groups._grouping import Group
from osc_compute_images.api.groups._grouping import group_of
from osc_compute_images.api.groups._grouping import keys_of
from osc_compute_images.api.listing._order import Order
from osc_compute_images.api.listing._paging import ImagePage
from osc_compute_images.api.records._image import Image

__all__ = ['newest', 'newest_of_pages']

_LONG_AGO = datetime.datetime.min.replace(tzinfo=datetime.UTC)


class _Paged(Protocol):
    def pages(self) -> Iterator[ImagePage[Image]]: ...


def newest(
    images: _Paged | Iterable[Image],
    count: int = 1,
    *,
    group_by: Iterable[str] = (),
) -> Iterator[Image]:
    """Yield the most recently created images, newest first.

    Images that were created in the same second keep the order of the list.

    :param images: a :class:`~osc_compute_images.api.Pager`, of which only the
        pages that are needed are requested; or any images
    :param count: number of images, in each group
    :param group_by: keys of groups: ``name``, ``server``, ``type``,
        ``status``, ``property:KEY``. Images without a value are a group, too
    :raises ValueError: for a count below 1 or an unknown key
    :raises InvalidResponse: if the server changes the order after some images
        have been yielded
    """
    pages = getattr(images, 'pages', None)
    parts: Iterable[Sequence[Image]] = (
        [[*images]]  # type: ignore[misc]
        if pages is None
        else (page.images for page in pages())
    )
    return itertools.chain.from_iterable(
        newest_of_pages(parts, count, group_by=group_by)
    )


def newest_of_pages(
    pages: Iterable[Sequence[Image]],
    count: int = 1,
    *,
    group_by: Iterable[str] = (),
) -> Iterator[list[Image]]:
    """Like :func:`newest`, page by page.

    Each page is examined as a whole before its images are yielded. While the
    server keeps the order, only one page is held in memory.
    """
    selected = _Newest(count, keys_of(group_by))
    return itertools.chain(
        _parts(selected, pages),
        # NOTE: lazy: only when the parts are exhausted.
        (selected.rest() for _ in range(1)),
    )


def _parts(
    selected: '_Newest', pages: Iterable[Sequence[Image]]
) -> Iterator[list[Image]]:
    # NOTE: a loop over the pages would hold one during the next request.
    for part in map(selected.add, pages):
        yield part
        if selected.is_complete:
            return


class _Newest:
    """Selects the newest of each group.

    :raises ValueError: for a count below 1 or an unknown key
    """

    def __init__(self, count: int, keys: list[str]) -> None:
        if count < 1:
            raise ValueError(f'count must be 1 or more, not {count}')
        self._count = count
        self._group = group_of(keys)
        self._is_one_group = not keys
        #: The newest of each group, as a heap with the oldest at its root.
        self._kept: dict[Group, list[_Entry]] = {}
        #: Entries to yield if the order holds.
        self._new: list[_Entry] = []
        self._number = 0
        self._order = Order()

    @property
    def is_complete(self) -> bool:
        """Whether no later image can be among the newest."""
        return (
            self._order.is_certain
            and self._is_one_group
            and (self._number >= self._count)
        )

    def add(self, page: Sequence[Image]) -> list[Image]:
        """Add a page; return the images that are certainly selected."""
        for image in page:
            self._add(image)
        if not self._order.is_kept:
            self._new.clear()
        return _take_all(self._new) if self._order.is_certain else []

    def rest(self) -> list[Image]:
        """Return the remaining images, newest first."""
        entries = itertools.chain.from_iterable(self._kept.values())
        return _take_all(sorted(entries, reverse=True))

    def _add(self, image: Image) -> None:
        created = self._order.add(image) or _LONG_AGO
        self._number += 1
        entry = _Entry((created, -self._number), image)
        heap = self._kept.setdefault(self._group(image), [])
        if len(heap) < self._count:
            heapq.heappush(heap, entry)
        elif heap[0] < entry:
            _check(heapq.heappushpop(heap, entry))
        else:
            return
        self._new.append(entry)


class _Entry:
    """An image that may be among the newest, until it is yielded.

    :param age: the sort key: creation time, then position in the list
    """

    __slots__ = ('age', 'image')

    def __init__(
        self, age: tuple[datetime.datetime, int], image: Image
    ) -> None:
        self.age = age
        self.image: Image | None = image

    def __lt__(self, other: '_Entry') -> bool:
        return self.age < other.age

    def take(self) -> Image | None:
        """Return the image at the first call, and then None."""
        image, self.image = self.image, None
        return image


def _take_all(entries: list[_Entry]) -> list[Image]:
    images = [entry.take() for entry in entries]
    entries.clear()
    return [image for image in images if image is not None]


def _check(replaced: _Entry) -> None:
    if replaced.take() is None:
        raise _errors.InvalidResponse(
            'The server listed the newest images first, and then sent a newer '
            'one: cannot select the newest'
        )
