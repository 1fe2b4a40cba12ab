# SPDX-License-Identifier: Apache-2.0

"""What is read of servers: nothing is left out in silence."""

import pytest

from osc_compute_images.api import Forbidden
from osc_compute_images.api import HTTPError
from osc_compute_images.api import Image
from osc_compute_images.api import InvalidResponse
from osc_compute_images.api import ListingInterrupted
from osc_compute_images.api import Server
from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from tests.unit.conftest import sent

DETAIL = f'{nova.ENDPOINT}/servers/detail'
ALL = 'GET /v2.1/servers/detail?all_tenants=1'


@pytest.fixture
def fleet(http):
    """Serve seven servers; the cell of the last one can be down."""
    servers = [server(f's{n}', f'server-{n}', image='a') for n in range(7)]
    return Fleet([], servers).serve(http)


def versions(http):
    return [
        r.headers.get('OpenStack-API-Version')
        for r in http.request_history
        if r.url.startswith(nova.HOST)
    ]


def test_servers_of_all_projects_are_listed(api, http, fleet):
    first = Server('s0', 'server-0', 'ACTIVE', 'a', nova.PROJECT)
    assert api.servers().servers[0] == first
    # A parameter of paging would hide the cells that are down.
    assert sent(http) == [ALL]
    assert versions(http) == ['compute 2.69']


@pytest.mark.parametrize('version', ['2.69', 'older', 'ignored'])
@pytest.mark.parametrize('max_page', [1000, 3])
@pytest.mark.parametrize('is_admin', [True, False])
@pytest.mark.parametrize('is_down', [True, False])
def test_server_of_a_cell_that_is_down_is_a_gap_if_compute_tells(
    api, http, fleet, version, max_page, is_admin, is_down
):
    fleet.highest = (2, 68) if version == 'older' else (2, 104)
    fleet.has_microversions = version != 'ignored'
    fleet.max_page, fleet.is_admin = max_page, is_admin
    fleet.down = {'s6'} if is_down else set()
    shows = version == '2.69'
    # A full page has no room for them.
    lists = shows and max_page > 7
    got = api.servers()
    assert got.all_projects is is_admin
    expected = [*fleet.servers][: 7 if lists or not is_down else 6]
    assert [s.id for s in got.servers] == expected
    unread = [s.id for s in got.servers if s.may_use_any_image]
    assert unread == (['s6'] if lists and is_down else [])
    assert not unread or got.servers[-1].may_need_snapshots
    # Only an administrator may ask which cells are down.
    asks = is_admin and not lists and version != 'older'
    assert ('/os-services' in sent(http)[-1]) is asks
    assert got.shows_down_cells is (shows and (lists or is_admin))
    gaps = [gap.rpartition(': ')[2] for gap in got.gaps]
    named = 's6' if lists else 'cell1-host'
    assert gaps == [named] * (is_down and got.shows_down_cells)
    if shows or not is_down:
        assert api.server('s6').may_use_any_image is is_down
    else:
        with pytest.raises(HTTPError, match='cell'):
            api.server('s6')
    # An older Compute is asked for the microversion once.
    assert (versions(http).count('compute 2.69') == 1) is (version == 'older')


def test_cells_are_not_shown_if_the_services_cannot_be_read(api, http, fleet):
    fleet.max_page = 3
    for answer in (
        {'status_code': 403},
        {'json': {'services': 'none'}},
        # In another microversion.
        {'json': {'services': [{'host': 'x', 'status': 'enabled'}]}},
    ):
        http.get(f'{nova.ENDPOINT}/os-services', **answer)
        got = api.servers()
        assert (got.shows_down_cells, got.gaps) == (False, ())


def test_only_403_is_a_reason_to_list_the_own_project(api, http, fleet):
    fleet.is_admin = False
    with pytest.raises(Forbidden):
        api.servers(all_projects=True)
    assert len(api.servers().servers) == 7
    assert sent(http) == [ALL, ALL, ALL.partition('?')[0]]
    for status in (401, 404):
        http.get(DETAIL, status_code=status)
        with pytest.raises(HTTPError):
            api.servers()
        assert sent(http)[-1] == ALL


def test_later_failure_is_a_failure(api, http, fleet):
    fleet.max_page = 3

    def demote(_method, _path):
        fleet.is_admin = len(fleet.requests) < 2

    fleet.before = demote
    with pytest.raises(ListingInterrupted, match=r'No\.'):
        api.servers()
    assert all('all_tenants' in request for request in sent(http))


def test_number_of_servers_is_limited(api, fleet, monkeypatch):
    monkeypatch.setattr('osc_compute_images.api._limits.MAX_SERVERS', 5)
    fleet.max_page = 3
    with pytest.raises(Exception, match='more than 5 servers'):
        api.servers()


def test_server_on_two_pages_counts_with_both_records(api, http, fleet):
    first = [server('s', image='a'), server('t')]
    page = nova.page(first, DETAIL, 'servers')
    last = {'servers': [server('s', image='b')]}
    http.get(DETAIL, [{'json': page}, {'json': last}])
    listed = [(s.id, s.image_id) for s in api.servers().servers]
    assert listed == [('s', 'a'), ('t', None), ('s', 'b')]


def test_record_without_server_is_a_gap(api, fleet):
    ids = ({'id': value} for value in (None, '', True))
    for record in (None, 7, 'text', [], {}, *ids):
        fleet.servers = {'x': record, 's': server('s')}
        got = api.servers()
        assert [s.id for s in got.servers] == ['s']
        assert got.gaps == ('1 servers are invalid in the list',)


@pytest.mark.parametrize(
    ('fields', 'image_id', 'is_gap'),
    [
        ({'image': {'id': 'a', 'links': []}}, 'a', False),
        # Only an empty text means that it was booted from a volume.
        ({'image': ''}, None, False),
        *(
            ({'image': image}, None, True)
            for image in (None, {}, {'id': None}, {'id': ''}, ['a'], 'a', 0)
        ),
        ({'image': {'id': 'a'}, 'status': 'unknown'}, 'a', True),
    ],
)
def test_server_whose_image_is_unknown_is_a_gap(
    api, fleet, fields, image_id, is_gap
):
    fleet.servers = {'s': server('s') | fields}
    got = api.servers()
    assert got.servers[0].image_id == image_id
    assert got.servers[0].may_use_any_image is bool(got.gaps) is is_gap
    # Without the field, too.
    fleet.servers = {f'x{n}': {'id': f'x{n}'} for n in range(11)}
    (gap,) = api.servers().gaps
    assert gap.endswith('x8, x9, ...')


def test_kernel_and_ramdisk_of_a_server_are_used(api, fleet):
    names = [f'OS-EXT-SRV-ATTR:{kind}_id' for kind in ('kernel', 'ramdisk')]
    fleet.servers = {
        's': server('s', image='a') | dict(zip(names, 'Kr', strict=True)),
        't': server('t', image='b') | dict.fromkeys(names, ''),
    }
    usage = api.usage([])
    for image_id, users in (('k', ['s']), ('r', ['s']), ('b', ['t'])):
        used_by = usage.used_by(Image(id=image_id))
        assert [user.id for user in used_by] == users
    assert not usage.is_used(Image(id=''))


def test_text_of_a_record_is_optional(api, fleet):
    for status in (None, 7, True, [], {'status': 'ACTIVE'}):
        odd = {'name': 7, 'status': status, 'tenant_id': ''}
        fleet.servers = {'s': server('s') | odd}
        (record,) = api.servers().servers
        assert record == Server('s', '7')
        assert record.may_need_snapshots
        assert record.state == 'in an unknown status'


def test_server_whose_name_is_no_text_may_have_any(api, fleet):
    for name in (None, [], {}, True):
        fleet.servers = {
            's': server('s') | {'name': name, 'status': 'SHELVED'}
        }
        usage = api.usage([])
        assert usage.stored_in(Image(id='i', name='web-shelved'))


def test_server_by_id(api, http, fleet):
    assert api.server('s3').name == 'server-3'
    assert api.server('other') is None
    before = sent(http)
    # They would address other resources.
    assert [api.server(i) for i in ('', '.', '..', 'detail')] == [None] * 4
    assert sent(http) == before


def test_another_server_is_an_error(api, http):
    for record in ({'id': 'other'}, {}, None):
        http.get(f'{nova.ENDPOINT}/servers/s', json={'server': record})
        with pytest.raises(InvalidResponse):
            api.server('s')
