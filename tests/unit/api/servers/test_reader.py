# SPDX-License-Identifier: Apache-2.0

"""What is read of servers: nothing is left out in silence."""

import pytest

from osc_compute_images.api import Forbidden
from osc_compute_images.api import HTTPError
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
    got = api.servers()
    assert [s.id for s in got.servers] == [*fleet.servers]
    first = Server('s0', 'server-0', 'ACTIVE', 'a', nova.PROJECT)
    assert got.servers[0] == first
    assert (got.all_projects, got.shows_down_cells) == (True, True)
    assert got.gaps == ()
    # A parameter of paging would hide the cells that are down.
    assert sent(http) == [ALL]
    assert versions(http) == ['compute 2.69']


def test_server_of_a_cell_that_is_down_may_use_any_image(api, fleet):
    fleet.down = {'s6'}
    got = api.servers()
    assert [s.id for s in got.servers if s.may_use_any_image] == ['s6']
    assert got.servers[-1].may_need_snapshots
    (gap,) = got.gaps
    assert gap.endswith('as for a cell that is down: s6')
    assert api.server('s6').may_use_any_image


@pytest.mark.parametrize('is_admin', [True, False])
@pytest.mark.parametrize('down', [{'s6'}, set()])
def test_full_page_has_no_room_for_cells_that_are_down(
    api, http, fleet, is_admin, down
):
    fleet.max_page, fleet.is_admin, fleet.down = 3, is_admin, down
    got = api.servers()
    assert len(got.servers) == 7 - len(down)
    # Only an administrator may ask which cells are down.
    assert got.shows_down_cells is is_admin
    assert any('cell1-host' in gap for gap in got.gaps) is (
        is_admin and bool(down)
    )
    assert sum('/os-services' in r for r in sent(http)) == is_admin


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


def test_older_compute_is_asked_for_the_microversion_once(api, http, fleet):
    fleet.highest = (2, 68)
    fleet.down = {'s6'}
    assert api.server('s0').id == 's0'
    got = api.servers()
    assert [s.id for s in got.servers] == [f's{n}' for n in range(6)]
    assert not got.shows_down_cells
    with pytest.raises(HTTPError, match='cell'):
        api.server('s6')
    assert versions(http).count('compute 2.69') == 1


def test_compute_that_ignores_the_microversion_does_not_show_cells(api, fleet):
    fleet.has_microversions = False
    fleet.down = {'s6'}
    got = api.servers()
    assert (len(got.servers), got.shows_down_cells, got.gaps) == (6, False, ())
    # Nor do its services show them.
    fleet.max_page = 3
    assert not api.servers().shows_down_cells


# --- projects -------------------------------------------------------------


def test_servers_of_the_own_project_are_listed_if_all_are_forbidden(
    api, http, fleet
):
    fleet.is_admin = False
    with pytest.raises(Forbidden):
        api.servers(all_projects=True)
    got = api.servers()
    assert (len(got.servers), got.all_projects) == (7, False)
    assert sent(http) == [ALL, ALL, ALL.partition('?')[0]]


def test_later_failure_is_a_failure(api, http, fleet):
    fleet.max_page = 3

    def demote(_method, _path):
        fleet.is_admin = len(fleet.requests) < 2

    fleet.before = demote
    with pytest.raises(ListingInterrupted, match=r'No\.'):
        api.servers()
    assert all('all_tenants' in request for request in sent(http))


def test_only_403_is_a_reason_to_list_the_own_project(api, http):
    for status in (401, 404):
        http.get(DETAIL, status_code=status)
        with pytest.raises(HTTPError):
            api.servers()
    assert {*sent(http)} == {ALL}


# --- pages ----------------------------------------------------------------


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


# --- records --------------------------------------------------------------


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


def test_text_of_a_record_is_optional(api, fleet):
    odd = {'name': 7, 'status': None, 'tenant_id': ''}
    fleet.servers = {'s': server('s') | odd}
    (record,) = api.servers().servers
    assert record == Server('s', '7')
    assert record.may_need_snapshots
    assert record.state == 'in an unknown status'


# --- one server -----------------------------------------------------------


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
