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
    ('found', 'kind', 'message'),
    [
        ({'json': servers()}, images.ServerNotFound, 'use its ID'),
        (nova.fault(403, 'x', 'No.'), images.ServerNotFound, 'use its ID'),
        ({'json': servers(*'12')}, images.AmbiguousName, '1, 2'),
    ],
)
def test_find_server_id_errors(api, http, found, kind, message):
    http.get(SERVERS, [{'json': servers()}, found])
    with pytest.raises(kind, match=message):
        api.find_server_id('web')


FLAVORS = f'{nova.ENDPOINT}/flavors'
TINY = {'id': '1', 'name': 'm1.tiny', 'ram': 512, 'disk': 1, 'vcpus': 1}


@pytest.mark.parametrize('name', ['m1.tiny', 'detail', '', '..', 'a/b'])
def test_find_flavor(api, http, name):
    http.get(f'{FLAVORS}/1', json={'flavor': TINY})
    assert api.find_flavor('1') == Flavor('1', 'm1.tiny', 512, 1)
    http.get(re.compile(f'{FLAVORS}/(m1.tiny|a%2Fb)'), status_code=404)
    first = [{**TINY, 'id': f'{n}', 'name': 'x'} for n in range(1000)]
    last = [{**TINY, 'id': 'tiny', 'name': name}]
    pages = [{'json': {'flavors': page}} for page in (first, last)]
    http.get(f'{FLAVORS}/detail', pages)
    assert api.find_flavor(name).id == 'tiny'
    query = http.last_request.qs
    assert (query['marker'], query['is_public']) == (['999'], ['none'])


INVALID = '^The server sent an invalid flavor: '
EXPECTED = f'{INVALID}Expected'


@pytest.mark.parametrize(
    ('flavors', 'kind', 'message'),
    [
        ([], images.FlavorNotFound, 'm1.tiny'),
        ([TINY, {**TINY, 'id': '2'}], images.AmbiguousName, '1, 2'),
        ([{}], images.InvalidResponse, f'{INVALID}Object missing .*`id`'),
        ([{**TINY, 'ram': 'x' * 5000}], images.InvalidResponse, EXPECTED),
        ([{**TINY, 'disk': None}], images.InvalidResponse, EXPECTED),
        ([1], images.InvalidResponse, EXPECTED),
    ],
)
def test_find_flavor_errors(api, http, flavors, kind, message):
    http.get(f'{FLAVORS}/m1.tiny', status_code=404)
    http.get(f'{FLAVORS}/detail', json={'flavors': flavors})
    with pytest.raises(kind, match=message):
        api.find_flavor('m1.tiny')
