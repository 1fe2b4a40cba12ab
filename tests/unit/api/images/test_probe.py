# SPDX-License-Identifier: Apache-2.0

"""Filters that a server is seen to apply; test_algebra compares the rows."""

import datetime
import re

import pytest

from osc_compute_images.api import BadRequest
from osc_compute_images.api import filters
from testbed import nova
from tests.unit.conftest import sent

START = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)


def time(minutes):
    later = START + datetime.timedelta(minutes=minutes)
    return later.isoformat().replace('+00:00', 'Z')


def cloud(http, count, *, filters=True):
    """Serve images that were created minute by minute."""
    made = nova.Nova(
        [
            nova.image(n, created=time(n), **{'OS-EXT-IMG-SIZE:size': n % 7})
            for n in range(count)
        ]
    )
    made.filters = filters
    http.get(
        re.compile(re.escape(nova.DETAIL)),
        text=nova.mocked(nova.ENDPOINT, made.answer),
    )


def test_old_images_of_a_big_cloud(api, http):
    """Two pages and the probe, however many images there are."""
    cloud(http, 2500)
    found = [*api.list_detail(where=filters.created_before(time(50)))]
    assert len(found) == 50
    first, probe, second = sent(http)
    assert 'created_at' not in first
    assert 'property-created_at=lt%3Ano-such-time' in probe
    assert 'property-created_at=lt%3A2025-01-01T00%3A50%3A02Z' in second
    assert len([*api.list_detail(where=filters.created_before(time(9)))]) == 9
    assert len(sent(http)) == 3 + 2
    found = [*api.list_detail(where=filters.size(more_than=5))]
    assert {image.size for image in found} == {6}
    assert len(sent(http)) == 3 + 2 + 3
    # A parameter of the user is sent as it is, for each page.
    opts = {'property-created_at': 'lt:2025-01-01T00:10:00Z', 'limit': 5}
    where = filters.created_before(time(5))
    assert len([*api.list_detail(opts, where=where)]) == 5
    assert len(sent(http)) == 3 + 2 + 3 + 3
    with pytest.raises(BadRequest):
        [*api.list_detail({'property-size_min': 'x'})]


@pytest.mark.parametrize('status', [200, 403, 500])
def test_server_without_the_filter(api, http, slept, status):
    """It falls back without a word, and the rows are the same."""
    cloud(http, 2500, filters=False)
    if status != 200:
        probe = f'{nova.DETAIL}?property-created_at=lt:no-such-time'
        http.get(probe, status_code=status)
    found = [*api.list_detail(where=filters.created_before(time(50)))]
    assert len(found) == 50
    assert len([r for r in sent(http) if 'no-such' not in r]) == 3
