# SPDX-License-Identifier: Apache-2.0

"""Select the newest images, of all or of each group.

The newest snapshot of each server::

    from osc_compute_images.api import filters
    from osc_compute_images.api.groups import selection

    snapshots = api.list_detail(where=filters.image_type('snapshot'))
    for image in selection.newest(snapshots, group_by='server'):
        print(image.server_id, image.name)

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
import operator

from osc_compute_images.api import _errors
from osc_compute_images.api.groups import summary
from osc_compute_images.api.listing._options import check_count
from osc_compute_images.api.listing._pager import Pager
from osc_compute_images.api.listing._query import Order
from osc_compute_images.api.records._image import Image

__all__ = ['newest']

_LONG_AGO = datetime.datetime.min.replace(tzinfo=datetime.UTC)

#: The time of creation, and the negative position in the list: unique, and
#: sorts as the images do.
_Age = tuple[datetime.datetime, int]


def newest(
    images: Iterable[Image],
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
    pages: Iterable[Sequence[Image]] = (
        map(operator.attrgetter('images'), images.pages())
        if isinstance(images, Pager)
        else [[*images]]
    )
    selected = Newest(count, group_by)
    return itertools.chain.from_iterable(selected.of_pages(pages))


class Newest:
    """Selects the newest of each group: see :func:`newest`."""

    def __init__(self, count: int, group_by: Iterable[str]) -> None:
        check_count('count', count)
        self._count = count
        self._keys, self._group = summary.grouping(group_by)
        #: The newest of each group, as a heap with the oldest at its root.
        self._heaps: dict[summary.Group, list[_Age]] = {}
        #: Those of them that have not been yielded, in the order of the list.
        self._images: dict[_Age, Image] = {}
        self._number = 0
        self._order = Order()

    def of_pages(
        self, pages: Iterable[Sequence[Image]]
    ) -> Iterator[list[Image]]:
        """Yield the selected images, page by page."""
        # NOTE: a loop over the pages would hold one during the next request.
        for images in map(self._add_page, pages):
            yield images
            is_enough = not self._keys and self._number >= self._count
            if is_enough and self._order.is_certain:
                return
        ages = sorted(self._images, reverse=True)
        yield [self._images.pop(age) for age in ages]

    def _add_page(self, page: Sequence[Image]) -> list[Image]:
        """Add a whole page; return the images certainly selected."""
        for image in page:
            self._number += 1
            age = self._order.add(image) or _LONG_AGO, -self._number
            heap = self._heaps.setdefault(self._group(image), [])
            if len(heap) < self._count:
                heapq.heappush(heap, age)
            elif heap[0] > age:
                continue
            elif self._images.pop(heapq.heappushpop(heap, age), None) is None:
                raise _errors.InvalidResponse(
                    'The server listed the newest images first, and then sent '
                    'a newer one: cannot select the newest'
                )
            self._images[age] = image
        if not self._order.is_certain:
            return []
        images = [*self._images.values()]
        self._images.clear()
        return images
