# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Listing page by page."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import operator
from typing import Any
import urllib.parse

from osc_compute_images.api import _decode
from osc_compute_images.api import _errors
from osc_compute_images.api._image import Image
from osc_compute_images.api._options import ListOptsBuilder
from osc_compute_images.api._options import MAX_PAGE_SIZE

_ID = operator.attrgetter('id')


class ImagePage:
    """One page of a listing.

    :param body: the decoded answer
    :param limit: how many images were asked for
    :param known: IDs of images to leave out, as the page before had them
    """

    def __init__(
        self,
        body: _decode.PageBody,
        limit: int,
        known: frozenset[str] = frozenset(),
    ) -> None:
        self.images: list[Image] = body.images
        self._next_page_url = next(
            (
                link.href
                for link in body.images_links or ()
                if link.rel == 'next' and link.href
            ),
            None,
        )
        self._next_marker = self._find_next_marker(limit)
        if not known.isdisjoint(map(_ID, self.images)):
            self.images = [i for i in self.images if i.id not in known]

    def is_empty(self) -> bool:
        """Tell whether there is no image on this page."""
        return not self.images

    def next_page_url(self) -> str | None:
        """Return the server's own link to the next page, or None.

        For information: Nova leaves it out where the limit is above its own,
        and makes it from the request's Host header, so that its host and
        scheme need not be those of the endpoint. A :class:`Pager` never
        sends anything there.
        """
        return self._next_page_url

    def next_marker(self) -> str | None:
        """Return the marker that the next page begins after.

        None says that this page is the last: it is shorter than was asked
        for, and has no link to another one.
        """
        return self._next_marker

    def _find_next_marker(self, limit: int) -> str | None:
        url = self._next_page_url
        if url is None and len(self.images) < limit:
            return None
        for image in reversed(self.images):
            if image.id:
                return image.id
        return _marker_of(url) if url else None


def _marker_of(url: str) -> str | None:
    try:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    except ValueError:
        return None
    return query.get('marker', [None])[-1]


class Pager:
    """A listing: iterate over it for its images, one after the other.

    Nothing is requested before the first image is asked for, and each page
    only when the one before it has been used up. Every iteration is a
    listing of its own, from the beginning.

    A listing is complete or it ends in an error. Images that appear while it
    runs are left out (Nova lists the newest first), and no image comes twice.

    :param fetch: sends the request for a page, given its query parameters,
        and returns the body
    :param opts: what to list
    """

    def __init__(
        self,
        fetch: Callable[[Mapping[str, Any]], bytes],
        opts: ListOptsBuilder | None = None,
    ) -> None:
        self._fetch = fetch
        self._opts = opts

    def __iter__(self) -> Iterator[Image]:
        for page in self.pages():
            yield from page.images

    def pages(self) -> Iterator[ImagePage]:
        """Yield page after page.

        :raises ListingInterrupted: if the listing can't be completed, after
            at least one page has come
        :raises ImagesError: if not even the first page comes
        """
        query: dict[str, Any] = {}
        if self._opts is not None:
            query.update(self._opts.to_image_list_query())
        limit = min(int(query.get('limit', MAX_PAGE_SIZE)), MAX_PAGE_SIZE)
        query['limit'] = limit
        began_after = query.get('marker')
        used = set() if began_after is None else {began_after}
        obtained = 0
        last = began_after
        page = ImagePage(_decode.decode_page(self._fetch(query)), limit)
        while True:
            yield page
            obtained += len(page.images)
            marker = page.next_marker()
            reason = None
            cause = None
            if page.images:
                last = page.images[-1].id or last
            if marker is None:
                if page.next_page_url() is None:
                    return
                reason = 'The server says that there is more, but not where'
            else:
                ids = list(filter(None, map(_ID, page.images)))
                try:
                    body = self._fetch_after(marker, ids, began_after, query)
                    page = ImagePage(body, limit, frozenset(ids))
                except _errors.ImagesError as e:
                    reason, cause = e.message, e
                else:
                    began_after = marker
                    used.add(marker)
                    if page.next_marker() in used:
                        reason = 'The server repeats a page that it has sent'
            if reason:
                raise _errors.ListingInterrupted(
                    f'{reason}; the listing stopped after {obtained} images, '
                    f'the last of them {last}',
                    marker=last,
                    obtained=obtained,
                    status=cause.status if cause else None,
                    request_id=cause.request_id if cause else None,
                ) from cause

    def _fetch_after(
        self,
        marker: str,
        ids: list[str],
        began_after: str | None,
        query: Mapping[str, Any],
    ) -> _decode.PageBody:
        """Fetch the page after a marker, or after one before it.

        The image of the marker may have been deleted meanwhile. Then Nova
        refuses the marker (to all but administrators), and one that was
        listed before it has to do: what comes twice is left out.
        """
        refusal: _errors.HTTPError | None = None
        step = 1
        while True:
            try:
                body = self._fetch({**query, 'marker': marker})
                return _decode.decode_page(body)
            except (_errors.BadRequest, _errors.Forbidden) as e:
                refusal = refusal or e
            step *= 2
            if step <= len(ids):
                marker = ids[-step]
            elif began_after and marker != began_after:
                marker = began_after
            else:
                raise refusal
