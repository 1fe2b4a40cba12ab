# SPDX-License-Identifier: Apache-2.0

"""A page of a collection of Compute: images, flavors or servers."""

import operator
from typing import Any
from typing import Generic
from typing import TypeVar
import urllib.parse

from osc_compute_images.api import _limits

#: Something with an ID, which may be empty.
_Item = TypeVar('_Item', bound=Any)

_ID_OF = operator.attrgetter('id')


class ImagePage(Generic[_Item]):
    """A page of a listing."""

    #: The images of the page that match, in the server's order, without
    #: duplicates of earlier pages. There may be none, also on a page that is
    #: not the last.
    images: list[_Item]

    # NOTE: links are those of the response, and entries is their number in
    # the response, with malformed ones.
    def __init__(self, images: list[_Item], links: Any, entries: int) -> None:
        self.images = images
        #: Number of entries of the response that are not images.
        self.unreadable = entries - len(images)
        self._entries = entries
        self._ids = [*filter(None, map(_ID_OF, images))]
        self._next_url = _next_url(links) if links else None
        self._marker = self._ids[-1] if self._ids else _marker(self._next_url)
        #: The requested number of images.
        self._limit = 1

    def __repr__(self) -> str:
        last = ', the last' if self.is_last() else ''
        return f'<ImagePage with {len(self.images)} images{last}>'

    def is_empty(self) -> bool:
        """Return whether the page has no images."""
        return not self.images

    def is_last(self) -> bool:
        """Return whether this is the last page.

        It is shorter than requested, and has no link to a next page.
        """
        return self._next_url is None and self._entries < self._limit

    def next_page_url(self) -> str | None:
        """Return the server's link to the next page, or None.

        For information only: a :class:`Pager` never follows it. Nova omits it
        if the limit is above its maximum, and builds it from the Host header
        of the request, which may differ from the endpoint.
        """
        return self._next_url

    def next_marker(self) -> str | None:
        """Return the marker of the next page, or None.

        It is None for the last page, or if the server sends a link without a
        marker after a page without IDs.
        """
        return None if self.is_last() else self._marker


def _next_url(links: Any) -> str | None:
    for link in links if isinstance(links, list) else ():
        match link:
            case {'rel': 'next', 'href': str(url)} if url:
                return url
    return None


def _marker(url: str | None) -> str | None:
    try:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(url or '').query)
    except ValueError:
        return None
    marker = query.get('marker', [''])[-1]
    return marker if 0 < len(marker) <= _limits.MAX_ID_LENGTH else None
