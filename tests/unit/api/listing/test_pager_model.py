# SPDX-License-Identifier: Apache-2.0

"""The pager, with a model of Nova whose images appear and vanish.

The model pages as Nova does, or as other known servers do. The listing is
compared with the model's own list.
"""

from collections.abc import Callable
import itertools
import json
from typing import NamedTuple

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
from tests.unit.project.examples import examples


def skips(_marker, limit):
    """Make a link that skips images."""
    return nova.link(nova.image_id(10), limit)


#: Make a link to the next page, given the marker and the limit.
HREFS = [
    skips,
    nova.link,
    lambda marker, _limit: f'http://evil.example.com/?marker={marker}',
    lambda marker, _limit: f'{nova.ENDPOINT}/images?marker={marker}',
    lambda marker, _limit: f'http://[half/an/address?marker={marker}',
    lambda _marker, _limit: nova.DETAIL,
    lambda _marker, _limit: f'{nova.DETAIL}?marker=nothing',
]

#: The size of a page, given the requested limit and the server's own.
SIZES = {
    'as requested': lambda limit, _own: limit,
    'all': lambda _limit, _own: 1000,
    'larger': lambda limit, _own: limit + 2,
    'up to its own limit': min,
}


class Paging(NamedTuple):
    """How a server pages.

    :param own_limit: its ``[api] max_limit``
    :param size: the size of its pages, a key of SIZES
    :param links: which pages have a next link: ``full`` ones, as in Nova,
        ``always``, even the last one, or ``never``
    :param href: makes the next link
    :param overlap: how many images before the marker are repeated
    :param filters_late: images are filtered after the page was cut, so that it
        may be short or empty in the middle of the list
    """

    own_limit: int = 1000
    size: str = 'as requested'
    links: str = 'full'
    href: Callable[[str, int], str] = nova.link
    overlap: int = 0
    filters_late: bool = False

    def may_hide_images(self):
        """Return whether no client can list all images.

        A short page without a link may not be the last one (only another
        request would show that), or the link of an empty page skips images.
        Nova does neither.
        """
        cuts = self.filters_late or self.size == 'up to its own limit'
        if self.links == 'never':
            return cuts
        return self.filters_late and self.href is skips

    def may_interrupt(self):
        """Return whether a complete listing may end with an error.

        The last page or an empty page has a link, or the list starts over
        after the last image.
        """
        return self.links == 'always' or self.filters_late or self.overlap > 0


PAGINGS = st.just(Paging()) | st.builds(
    Paging,
    st.integers(1, 6),
    st.sampled_from([*SIZES]),
    st.sampled_from(['full', 'always', 'never']),
    st.sampled_from(HREFS),
    st.integers(0, 3),
    st.booleans(),
).filter(lambda paging: not paging.may_hide_images())


#: How an image vanishes: it is deleted, or becomes invisible.
REMOVALS = st.sampled_from(['delete', 'conceal'])


class Server(nova.Server):
    """Nova, or a server with other paging."""

    def __init__(self, count, *, admin, paging):
        super().__init__(nova.images(*range(1, count + 1)), admin=admin)
        self.paging = paging
        #: The next response is an error.
        self.fails = False
        #: Numbers of earlier responses to repeat.
        self.repeats = iter(())
        self.responses = []
        self._concealed = set()

    def behave(self):
        """Page as Nova does from now on, and accept any previous marker."""
        self.paging = Paging(filters_late=self.paging.filters_late)
        self.fails = False
        self.repeats = iter(())
        self._admin = True

    def conceal(self, image_id):
        """Make an image invisible."""
        self.delete(image_id)
        self._concealed.add(image_id)

    def listed(self):
        """Return the IDs that a listing must yield."""
        return [i['id'] for i in self._shown(self.images)]

    def __call__(self, request, context):
        if self.fails:
            self.fails = False
            context.status_code = 500
            return {}
        number = next(self.repeats, None)
        if number is not None:
            return json.loads(self.responses[number])
        body = super().__call__(request, context)
        if context.status_code == 200:
            self.responses.append(json.dumps(body))
        return body

    def _shown(self, images):
        if not self.paging.filters_late:
            return images
        return [i for i in images if not int(i['id'][-1], 16) & 2]

    def _refusal(self, marker):
        if marker in self._concealed:
            return nova.fault(403, 'forbidden', 'image ID not visible')
        return super()._refusal(marker)

    def _page(self, listed, start, limit):
        how = self.paging
        size = SIZES[how.size](limit, how.own_limit)
        # Each page has a new image: otherwise it would be a repeated page.
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

    def _full(self, limit):
        how = self.paging
        if how.filters_late:
            return SIZES[how.size](limit, how.own_limit)
        # NOTE: this is why Nova omits the link above its own limit.
        return min(limit, how.own_limit)


ARGUMENTS = {
    'count': st.integers(0, 16) | st.just(16),
    'limit': st.integers(1, 5),
    'admin': st.booleans(),
    'paging': PAGINGS,
    'faulty': st.booleans(),
    # How many IDs a listing remembers.
    'memory': st.sampled_from([_limits.MAX_KNOWN_IDS, 5]),
}


class Listing(RuleBasedStateMachine):
    """Images appear and vanish while they are listed."""

    @initialize(**ARGUMENTS)
    def start(self, count, limit, admin, paging, faulty, memory):
        if paging.overlap:
            # It reaches back far if the images between were deleted.
            memory = _limits.MAX_KNOWN_IDS
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(_limits, 'MAX_KNOWN_IDS', memory)
        self.mocker = requests_mock.Mocker()
        self.mocker.start()
        set_catalog(self.mocker, {'RegionOne': nova.ENDPOINT})
        compute = adapter.Adapter(new_session(), service_type='compute')
        self.api = ImagesAPI(compute)
        self.limit = limit
        self.server = Server(count, admin=admin, paging=paging)
        self.mocker.get(nova.DETAIL, json=self.server)
        self.pages = self.api.list_detail(ListOpts(limit=limit)).pages()
        self.listed = []
        #: Images that exist since before the first page, in their order.
        self.stayed = self.server.listed()
        self.newest = 0x1000
        self.faulty = faulty
        self.excused = paging.may_interrupt() or memory < 100
        self.started = self.ended = False

    @precondition(lambda self: self.ended)
    @rule(**ARGUMENTS)
    def start_another(self, **how):
        self.teardown()
        self.start(**how)

    @precondition(lambda self: not self.ended)
    @rule(count=st.integers(1, 3) | st.just(100))
    def list_pages(self, count):
        for _ in range(count):
            if not self.ended:
                self.list_page()
        assert self.ended or count < 100

    def list_page(self):
        if not self.started:
            self.started = True
            self.stayed = self.server.listed()
        try:
            page = next(self.pages)
        except StopIteration:
            self.ended = True
            self.expect_complete(self.listed)
        except ServerError:
            # After the first page it would be ListingInterrupted.
            assert not self.listed
            self.ended = True
        except ListingInterrupted as e:
            self.ended = True
            self.resume(e)
        else:
            self.listed += [image.id for image in page.images]

    def resume(self, e):
        """Resume an interrupted listing, with a server that behaves."""
        assert e.obtained == len(self.listed)
        last = self.listed[-1] if self.listed else None
        # There is no marker if the server rejected the last image as one.
        here = {image['id'] for image in self.server.images}
        assert e.marker == last or (e.marker is None and last not in here)
        assert self.excused
        is_allowed = self.server.paging.may_interrupt()
        self.server.behave()
        # A client that forgets cannot resume among so many deletions.
        self.patch.setattr(_limits, 'MAX_KNOWN_IDS', 1000)
        opts = ListOpts(limit=self.limit, marker=e.marker)
        rest = [image.id for image in self.api.list_detail(opts)]
        # An odd server may have started over, with newer images.
        new = [i for i in rest if i not in self.listed]
        assert is_allowed or e.marker is None or new == rest
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
    @rule(number=st.integers(0, 30), removal=REMOVALS)
    def remove_image(self, number, removal):
        images = self.server.images
        self.remove(images[number % len(images)]['id'], removal)

    @precondition(lambda self: not self.ended)
    @rule(removal=REMOVALS, spare=st.integers(0, 3))
    def remove_each_page_after_listing(self, removal, spare):
        while not self.ended:
            count = len(self.listed)
            self.list_page()
            here = {image['id'] for image in self.server.images}
            for number, image_id in enumerate(self.listed[count:]):
                if image_id in here and number != spare:
                    self.remove(image_id, removal)

    @precondition(lambda self: self.listed and not self.ended)
    @rule(count=st.integers(1, 5) | st.just(100), removal=REMOVALS)
    def remove_last_listed_images(self, count, removal):
        here = {image['id'] for image in self.server.images}
        for image_id in [i for i in self.listed if i in here][-count:]:
            self.remove(image_id, removal)

    def remove(self, image_id, removal):
        getattr(self.server, removal)(image_id)
        if image_id in self.stayed:
            self.stayed.remove(image_id)

    @precondition(lambda self: self.faulty and not self.ended)
    @rule()
    def fail_next_request(self):
        self.server.fails = self.excused = True

    @precondition(
        lambda self: self.faulty and self.server.responses and not self.ended
    )
    @rule(number=st.integers(0, 30), forever=st.booleans())
    def repeat_earlier_responses(self, number, forever):
        count = len(self.server.responses)
        number %= count
        again = range(number, count) if forever else (number,)
        self.server.repeats = (
            itertools.cycle(again) if forever else iter(again)
        )
        self.excused = True

    @invariant()
    def no_duplicates(self):
        assert len(self.listed) == len(set(self.listed))

    @invariant()
    def token_is_sent_to_endpoint_only(self):
        for request in self.mocker.request_history:
            where = request.url.partition('?')[0]
            if where != f'{nova.KEYSTONE}/v3/auth/tokens':
                assert where == nova.DETAIL
                assert request.headers['X-Auth-Token'] == nova.TOKEN

    def teardown(self):
        if hasattr(self, 'mocker'):
            self.mocker.stop()
            self.patch.undo()


TestListing = pytest.mark.no_cover(Listing.TestCase)
TestListing.settings = examples(400, stateful_step_count=10)
