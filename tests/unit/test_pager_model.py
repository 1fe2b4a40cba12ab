# SPDX-License-Identifier: Apache-2.0

"""The pager against a model of Nova, while images appear and vanish.

The model answers as Nova does, or as the odder servers do that are known: the
list that it has in memory is what the listing is compared with.
"""

from collections.abc import Callable
from collections.abc import Iterator
import itertools
import json
from typing import Any
from typing import NamedTuple

from hypothesis import settings
from hypothesis.stateful import initialize
from hypothesis.stateful import invariant
from hypothesis.stateful import precondition
from hypothesis.stateful import rule
from hypothesis.stateful import RuleBasedStateMachine
import hypothesis.strategies as st
from keystoneauth1 import adapter
import pytest
import requests_mock

from osc_compute_images.api import _limits
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListingInterrupted
from osc_compute_images.api import ListOpts
from osc_compute_images.api import ServerError
from testbed import nova
from tests.unit.conftest import new_session
from tests.unit.conftest import set_catalog

#: Makes a link to the next page, given the marker and the limit.
Href = Callable[[str, int], str]


def skips(_marker: str, limit: int) -> str:
    """Make a link that leaves images out."""
    return nova.link(nova.image_id(10), limit)


HREFS: list[Href] = [
    skips,
    nova.link,
    lambda marker, _limit: f'http://evil.example.com/?marker={marker}',
    lambda marker, _limit: f'//evil.example.com/images?marker={marker}',
    lambda marker, _limit: f'{nova.ENDPOINT}/images?marker={marker}',
    lambda marker, _limit: f'?marker={marker}',
    lambda marker, _limit: f'http://[half/an/address?marker={marker}',
    lambda _marker, _limit: nova.DETAIL,
    lambda _marker, _limit: f'{nova.DETAIL}?marker=nothing',
]

#: How many images a page has, given the limit asked for and the server's own.
SIZES: dict[str, Callable[[int, int], int]] = {
    'as asked for': lambda limit, _own: limit,
    'all there are': lambda _limit, _own: 1000,
    'a few more': lambda limit, _own: limit + 2,
    'no more than its own limit': min,
}


class Manner(NamedTuple):
    """How a server pages.

    :param own_limit: its ``[api] max_limit``
    :param size: of a page, one of SIZES
    :param links: ``full`` for those of Nova, to full pages only; ``always``,
        after the last page, too; ``never``
    :param href: what they are
    :param overlap: how many images before the marker come again
    :param filters_late: whether some images are taken out of a page after it
        has been cut, so that it is short, or empty in the middle of the list
    """

    own_limit: int = 1000
    size: str = 'as asked for'
    links: str = 'full'
    href: Href = nova.link
    overlap: int = 0
    filters_late: bool = False

    def hides_images(self) -> bool:
        """Tell whether no client could know of all images.

        A short page without a link need not be the last (only to ask once
        more at the end of each listing would tell), or the link from an
        empty page leaves images out. Nova does neither.
        """
        cuts = self.filters_late or self.size == 'no more than its own limit'
        if self.links == 'never':
            return cuts
        return self.filters_late and self.href is skips

    def may_stop_half_way(self) -> bool:
        """Tell whether a listing may end in an error: there seems to be more.

        It has a link from its last page, or from an empty one, or begins
        anew after its last image.
        """
        return self.links == 'always' or self.filters_late or self.overlap > 0


MANNERS = st.just(Manner()) | st.builds(
    Manner,
    st.integers(1, 6),
    st.sampled_from([*SIZES]),
    st.sampled_from(['full', 'always', 'never']),
    st.sampled_from(HREFS),
    st.integers(0, 3),
    st.booleans(),
).filter(lambda manner: not manner.hides_images())


class Memory(NamedTuple):
    """How many IDs a listing remembers, as they are and shortened."""

    recent: int = _limits.MAX_RECENT_IDS
    known: int = _limits.MAX_KNOWN_IDS


MEMORIES = st.sampled_from([Memory(), Memory(3), Memory(3, 5)])

#: How an image vanishes: it is deleted, or it may be seen no more.
WAYS = st.sampled_from(['delete', 'conceal'])


class Server(nova.Server):
    """Nova, or a server that pages in another manner.

    :ivar fails: whether it answers the next request with an error
    :ivar repeats: numbers of those of its answers that it gives again
    """

    def __init__(
        self, listed: list[dict[str, Any]], *, admin: bool, manner: Manner
    ) -> None:
        super().__init__(listed, admin=admin)
        self.manner = manner
        self.fails = False
        self.repeats: Iterator[int] = iter(())
        self.answers: list[str] = []
        self._concealed: set[str] = set()

    def cure(self) -> None:
        """Page as Nova does from now on, after any marker there has been."""
        late = self.manner.filters_late
        self.manner = Manner(filters_late=late)
        self.fails = False
        self.repeats = iter(())
        self._admin = True

    def conceal(self, image_id: str) -> None:
        """Let an image be seen no more."""
        self.delete(image_id)
        self._concealed.add(image_id)

    def listed(self) -> list[str]:
        """Return the IDs of all that a listing has to show."""
        return [i['id'] for i in self._shown(self.images)]

    def __call__(self, request: Any, context: Any) -> Any:
        if self.fails:
            self.fails = False
            answer = nova.fault(500, 'computeFault', 'Unexpected API Error.')
            context.status_code = answer['status_code']
            return answer['json']
        number = next(self.repeats, None)
        if number is not None:
            return json.loads(self.answers[number])
        body = super().__call__(request, context)
        if context.status_code == 200:
            self.answers.append(json.dumps(body))
        return body

    def _shown(self, images: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not self.manner.filters_late:
            return images
        return [i for i in images if not int(i['id'][-1], 16) & 2]

    def _refusal(self, marker: str | None) -> dict[str, Any]:
        if marker in self._concealed:
            return nova.fault(403, 'forbidden', 'image ID not visible')
        return super()._refusal(marker)

    def _page(self, start: int, limit: int) -> dict[str, Any]:
        how = self.manner
        size = SIZES[how.size](limit, how.own_limit)
        # It always gets on: a page that does not is one that repeats.
        start = max(start - min(how.overlap, size - 1), 0)
        looked_at = self.images[start : start + size]
        linked = {
            'full': len(looked_at) == self._full(limit),
            'always': True,
            'never': False,
        }[how.links]
        marker = looked_at[-1]['id'] if looked_at else ''
        return nova.page(
            self._shown(looked_at), how.href(marker, limit) if linked else None
        )

    def _full(self, limit: int) -> int:
        how = self.manner
        if how.filters_late:
            return SIZES[how.size](limit, how.own_limit)
        # NOTE: which is why Nova has no link above its own limit.
        return min(limit, how.own_limit)


BEGINNINGS = {
    'count': st.integers(0, 16) | st.just(16),
    'limit': st.integers(1, 5),
    'admin': st.booleans(),
    'manner': MANNERS,
    'faulty': st.booleans(),
    'memory': MEMORIES,
}


class Listing(RuleBasedStateMachine):
    """Images appear, vanish and are listed, page by page."""

    @initialize(**BEGINNINGS)
    def begin(self, count, limit, admin, manner, faulty, memory):
        if faulty or manner.overlap:
            # What comes again must be known to have come.
            memory = Memory()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(_limits, 'MAX_RECENT_IDS', memory.recent)
        self.patch.setattr(_limits, 'MAX_KNOWN_IDS', memory.known)
        self.mocker = requests_mock.Mocker()
        self.mocker.start()
        set_catalog(self.mocker, {'RegionOne': nova.ENDPOINT})
        self.api = ImagesAPI(
            adapter.Adapter(new_session(), service_type='compute')
        )
        self.limit = limit
        self.server = Server(
            nova.images(*range(1, count + 1)), admin=admin, manner=manner
        )
        self.mocker.get(nova.DETAIL, json=self.server)
        self.pages = self.api.list_detail(ListOpts(limit=limit)).pages()
        self.listed = []
        #: What was there before the first page, and still is, in its order.
        self.stayed = self.server.listed()
        self.newest = 0x1000
        self.faulty = faulty
        self.excused = manner.may_stop_half_way() or memory.known < 100
        self.begun = self.ended = False

    @precondition(lambda self: self.ended)
    @rule(**BEGINNINGS)
    def begin_another(self, **how):
        self.teardown()
        self.begin(**how)

    @precondition(lambda self: not self.ended)
    @rule(count=st.integers(1, 3) | st.just(100))
    def list_pages(self, count):
        for _ in range(count):
            if not self.ended:
                self.list_a_page()
        assert self.ended or count < 100

    def list_a_page(self):
        if not self.begun:
            self.begun = True
            self.stayed = self.server.listed()
        try:
            page = next(self.pages)
        except StopIteration:
            self.ended = True
            self.expect_complete(self.listed)
        except ServerError:
            # It is another error only where something has come.
            assert not self.listed
            self.ended = True
        except ListingInterrupted as e:
            self.ended = True
            self.go_on(e)
        else:
            self.listed += [image.id for image in page.images]

    def go_on(self, e):
        """Go on from where a listing was interrupted, on a healthy server."""
        assert e.obtained == len(self.listed)
        last = self.listed[-1] if self.listed else None
        # There is no marker where the last image was refused as one.
        here = {image['id'] for image in self.server.images}
        assert e.marker == last or (e.marker is None and last not in here)
        assert self.excused
        odd = self.server.manner.may_stop_half_way()
        self.server.cure()
        opts = ListOpts(limit=self.limit, marker=e.marker)
        rest = [image.id for image in self.api.list_detail(opts)]
        # An odd server may have gone back, to newer images.
        new = [i for i in rest if i not in self.listed]
        assert odd or e.marker is None or new == rest
        self.expect_complete(self.listed + new)

    def expect_complete(self, listed):
        stayed = {*self.stayed}
        assert [i for i in listed if i in stayed] == self.stayed

    @precondition(lambda self: not self.ended)
    @rule(count=st.integers(1, 3))
    def create(self, count):
        for _ in range(count):
            self.newest += 1
            self.server.add(nova.image(self.newest))

    @precondition(lambda self: self.server.images and not self.ended)
    @rule(number=st.integers(0, 30), way=WAYS)
    def some_image_vanishes(self, number, way):
        images = self.server.images
        self.remove(images[number % len(images)]['id'], way)

    @precondition(lambda self: self.listed and not self.ended)
    @rule(way=WAYS)
    def all_that_was_listed_vanishes(self, way):
        here = {image['id'] for image in self.server.images}
        for gone in here.intersection(self.listed):
            self.remove(gone, way)

    @precondition(lambda self: not self.ended)
    @rule(way=WAYS, spare=st.integers(0, 3))
    def each_page_vanishes_once_it_was_listed(self, way, spare):
        while not self.ended:
            count = len(self.listed)
            self.list_a_page()
            here = {image['id'] for image in self.server.images}
            for number, gone in enumerate(self.listed[count:]):
                if gone in here and number != spare:
                    self.remove(gone, way)

    @precondition(lambda self: self.listed and not self.ended)
    @rule(count=st.integers(1, 5), way=WAYS)
    def the_last_that_were_listed_vanish(self, count, way):
        here = {image['id'] for image in self.server.images}
        for gone in [i for i in self.listed if i in here][-count:]:
            self.remove(gone, way)

    def remove(self, image_id, way):
        getattr(self.server, way)(image_id)
        if image_id in self.stayed:
            self.stayed.remove(image_id)

    @precondition(lambda self: self.faulty and not self.ended)
    @rule()
    def the_next_request_fails(self):
        self.server.fails = self.excused = True

    @precondition(
        lambda self: self.faulty and self.server.answers and not self.ended
    )
    @rule(number=st.integers(0, 30), for_ever=st.booleans())
    def earlier_answers_come_again(self, number, for_ever):
        count = len(self.server.answers)
        number %= count
        self.server.repeats = (
            itertools.cycle(range(number, count))
            if for_ever
            else iter((number,))
        )
        self.excused = True

    @invariant()
    def no_image_comes_twice(self):
        assert len(self.listed) == len(set(self.listed))

    @invariant()
    def only_the_endpoint_has_the_token(self):
        for request in self.mocker.request_history:
            where = request.url.partition('?')[0]
            if where != f'{nova.KEYSTONE}/v3/auth/tokens':
                assert where == nova.DETAIL
                assert request.headers['X-Auth-Token'] == nova.TOKEN

    def teardown(self):
        if hasattr(self, 'mocker'):
            self.mocker.stop()
            self.patch.undo()


TestListing = Listing.TestCase
TestListing.settings = settings(
    max_examples=400, stateful_step_count=10, deadline=None, derandomize=True
)
