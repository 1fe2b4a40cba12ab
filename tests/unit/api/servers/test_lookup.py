# SPDX-License-Identifier: Apache-2.0

"""Servers and flavors are found by ID, name or URL."""

import re

import pytest

from osc_compute_images import api as images
from osc_compute_images.api import Flavor
from testbed import nova
from tests.unit.conftest import sent

ID = nova.image_id(1)
CAPITALS = ID.upper()
HEX = ID.replace('-', '')

# --- servers --------------------------------------------------------------

SERVERS = f'{nova.ENDPOINT}/servers'


def servers(*ids, name='web'):
    return {'servers': [{'id': i, 'name': name} for i in ids] + ['odd']}


FULL = servers(*map(str, range(999)), name='x')


@pytest.mark.parametrize(
    ('given', 'pages', 'found', 'count'),
    [
        (ID, [], ID, 0),
        (f'http://x/{ID}/', [], ID, 0),
        # Ones that were deleted; Nova makes UUIDs in lower case.
        ('125', [servers()], '125', 3),
        (HEX, [servers()], HEX, 3),
        (CAPITALS, [], ID, 2),
        # A name may look like an ID, and some databases ignore case.
        ('125', [servers('1', name='125')], '1', 2),
        ('w.b', [servers('2', name='W.B'), servers('1', name='w.b')], '1', 2),
        # An administrator finds servers of any project and page.
        ('web', [servers(), FULL, servers('last')], 'last', 3),
    ],
)
def test_find_server_id(api, http, given, pages, found, count):
    for answer in ({'status_code': 404}, {'json': {}}):
        http.reset_mock()
        http.get(re.compile(f'{SERVERS}/'), **answer)
        http.get(SERVERS, [{'json': page} for page in pages])
        assert api.find_server_id(given) == found
        assert len(sent(http)) == count
    query = http.last_request.qs if pages else {}
    if given == 'w.b':
        assert query['name'] == [r'^w\.b$']
    if given == 'web':
        assert (query['all_tenants'], query['marker']) == (['1'], ['998'])


@pytest.mark.parametrize('given', ['125', HEX, CAPITALS])
def test_find_server_id_accepts_any_form_of_id(api, http, given):
    # Some databases ignore case.
    server = {'id': given.lower(), 'name': 'x'}
    http.get(f'{SERVERS}/{given}', json={'server': server})
    assert api.find_server_id(given) == given.lower()
    assert len(sent(http)) == 1


@pytest.mark.parametrize(
    ('pages', 'kind', 'message'),
    [
        ([servers()] * 2, images.ServerNotFound, 'use its ID'),
        ([servers(), None], images.ServerNotFound, 'use its ID'),
        ([servers(*'12')], images.AmbiguousName, '1, 2'),
        ([{}], images.InvalidResponse, 'servers'),
        ([FULL], images.ListingInterrupted, 'repeats a page of servers'),
    ],
)
def test_find_server_id_errors(api, http, pages, kind, message):
    refusal = nova.fault(403, 'forbidden', 'No.')
    http.get(SERVERS, [refusal if p is None else {'json': p} for p in pages])
    with pytest.raises(kind, match=message):
        api.find_server_id('web')


# --- flavors --------------------------------------------------------------

FLAVORS = f'{nova.ENDPOINT}/flavors'
TINY = {'id': '1', 'name': 'm1.tiny', 'ram': 512, 'disk': 1, 'vcpus': 1}


def numbered(start):
    """Return the flavors of a full page."""
    return [
        {**TINY, 'id': f'{n}', 'name': 'x'} for n in range(start, start + 1000)
    ]


@pytest.mark.parametrize('name', ['m1.tiny', 'detail', '', '..', 'a/b'])
def test_find_flavor(api, http, name):
    http.get(f'{FLAVORS}/1', json={'flavor': TINY})
    assert api.find_flavor('1') == Flavor('1', 'm1.tiny', 512, 1)
    http.get(re.compile(f'{FLAVORS}/(m1.tiny|a%2Fb)'), status_code=404)
    last = [{**TINY, 'id': 'tiny', 'name': name}]
    pages = [{'json': {'flavors': page}} for page in (numbered(0), last)]
    http.get(f'{FLAVORS}/detail', pages)
    assert api.find_flavor(name).id == 'tiny'
    assert http.last_request.qs['marker'] == ['999']


@pytest.mark.parametrize(
    ('pages', 'kind', 'message'),
    [
        ([[]], images.FlavorNotFound, 'm1.tiny'),
        ([[TINY, {**TINY, 'id': '2'}]], images.AmbiguousName, '1, 2'),
        *(
            ([[wrong]], images.InvalidResponse, 'sent an invalid flavor: Exp')
            for wrong in (
                *({**TINY, 'ram': 'x' * 5000}, {**TINY, 'disk': None}, 1),
            )
        ),
        ([[{}]], images.InvalidResponse, r'field `id` - at `\$\[0\]`$'),
        # A cycle.
        ([*map(numbered, (0, 1000, 0))], images.ListingInterrupted, 'repeats'),
    ],
)
def test_find_flavor_errors(api, http, pages, kind, message):
    http.get(f'{FLAVORS}/m1.tiny', status_code=404)
    answers = [{'json': {'flavors': page}} for page in pages]
    http.get(f'{FLAVORS}/detail', answers)
    with pytest.raises(kind, match=message):
        api.find_flavor('m1.tiny')
    assert http.call_count == len(pages) + 2
