# SPDX-License-Identifier: Apache-2.0

"""The join of images and servers, compared with a second implementation."""

import uuid

from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.api import Image
from osc_compute_images.api import Server
from osc_compute_images.api import ServerRef
from osc_compute_images.api.usage import Usage
from tests.unit.examples import examples


def image(image_id, name=None, server=None, **metadata):
    return Image(
        id=image_id,
        name=name,
        server=None if server is None else ServerRef(server),
        metadata=metadata,
    )


def used(servers, images, **options):
    usage = Usage(servers, images, **options)
    return {
        i.id: [user.id for user in usage.used_by(i)]
        for i in images
        if usage.is_used(i)
    }


def test_image_of_server_is_used():
    images = [image('a'), image('b')]
    servers = [Server('1', image_id='a'), Server('2', image_id='gone')]
    assert used(servers, images) == {'a': ['1']}


def test_base_image_ref_is_not_use():
    assert used([], [image('a'), image('b', base_image_ref='a')]) == {}


@pytest.mark.parametrize('status', ['SHELVED', 'SHELVED_OFFLOADED'])
def test_shelved_server_uses_its_snapshot(status):
    images = [
        image('home', 'web-shelved', '1'),
        image('older', 'web-backup', '1'),
        image('other', 'web-shelved', '2'),
        image('base', 'cirros'),
    ]
    servers = [Server('1', 'web', status, 'base'), Server('2', 'web')]
    assert used(servers, images) == {'home': ['1'], 'base': ['1']}
    usage = Usage(servers, images)
    assert usage.shelved_in(images[0]) == (servers[0],)
    assert usage.booted_from(images[0]) == ()
    assert usage.unknown.shelved_anywhere == ()


def test_server_being_shelved_uses_its_snapshot():
    shelving = Server(
        '1', 'web', 'ACTIVE', 'base', task_state='shelving_image_uploading'
    )
    images = [image('home', 'web-shelved', '1')]
    assert used([shelving], images) == {'home': ['1']}
    snapshotting = Server('1', 'web', 'ACTIVE', 'b', task_state='image_backup')
    assert used([snapshotting], images) == {}


def test_renamed_shelved_server_uses_all_its_snapshots():
    images = [
        image('x', 'old-name-shelved', '1'),
        image('y', 'nightly', '1'),
        image('z', 'nightly', '2'),
    ]
    servers = [Server('1', 'new-name', 'SHELVED', 'base')]
    assert used(servers, images) == {'x': ['1'], 'y': ['1']}
    assert Usage(servers, images).unknown.shelved_anywhere == tuple(servers)


def test_snapshot_without_server_is_found_by_name():
    # "set --no-property" removes what links it to the server.
    images = [image('x', 'web-shelved'), image('y', 'nightly', '1')]
    servers = [Server('1', 'web', 'SHELVED', 'base')]
    assert used(servers, images) == {'x': ['1']}


def test_volume_backed_server_uses_no_image():
    images = [image('x', 'web-shelved', '1')]
    servers = [Server('1', 'web', 'SHELVED')]
    usage = Usage(servers, images, all_projects=True)
    assert not usage.is_used(images[0])
    assert usage.unknown.on_volumes == tuple(servers)
    assert usage.unknown.shelved_anywhere == ()
    assert not usage.unknown.other_projects
    assert Usage([], []).unknown.other_projects


def test_kernels_and_ramdisks_are_used_by_images():
    images = [
        image('k'),
        image('r'),
        image('m', 'machine', kernel_id='K', ramdisk_id='r'),
        image('n', kernel_id='', ramdisk_id=None),
        image('l', kernel_id=['k']),
    ]
    assert used([], images) == {'k': ['m'], 'r': ['m']}
    usage = Usage([], images)
    assert [u.name for u in usage.used_by(images[0])] == ['machine']
    assert [i.id for i in usage.needed_by(images[1])] == ['m']


def test_ids_are_compared_ignoring_case():
    images = [image('AB', 'web-shelved', '1')]
    servers = [Server('1', 'web', 'SHELVED', 'ab')]
    assert used(servers, images) == {'AB': ['1']}


def test_snapshot_of_deleted_server_is_orphaned():
    images = [image('a', server='1'), image('b', server='2'), image('c')]
    usage = Usage([Server('1', 'web')], images)
    assert [i.id for i in images if usage.is_orphaned(i)] == ['b']
    assert [i.id for i in images if usage.orphaned().matches(i)] == ['b']
    assert usage.server_of(images[0]).name == 'web'
    assert usage.server_of(images[1]) is None
    assert usage.server_of(images[2]) is None


def test_usage_filters():
    images = [image('a'), image('b'), image('c', kernel_id='b')]
    usage = Usage([Server('1', image_id='a')], images)
    assert [i.id for i in images if usage.unused().matches(i)] == ['c']
    in_use = usage.in_use_by('1')
    assert [i.id for i in images if in_use.matches(i)] == ['a']
    assert not usage.unused().query


def test_usage_accepts_iterators():
    images = [image('x', 'web-shelved', '1'), image('m', kernel_id='x')]
    usage = Usage([Server('1', 'web', 'SHELVED', 'b')], iter(images))
    assert len(usage.used_by(images[0])) == 2


IDS = st.sampled_from('abcde')
NAMES = st.sampled_from(['web', 'db', 'web-shelved', 'db-shelved', None])
FLEETS = st.tuples(
    st.lists(
        st.builds(
            Server,
            IDS,
            st.sampled_from(['web', 'db']),
            st.sampled_from(['ACTIVE', 'SHELVED', 'SHELVED_OFFLOADED']),
            st.none() | IDS,
        ),
        unique_by=lambda s: s.id,
        max_size=4,
    ),
    st.lists(
        st.builds(
            lambda image_id, name, server, kernel: image(
                image_id,
                name,
                server,
                **({} if kernel is None else {'kernel_id': kernel}),
            ),
            IDS,
            NAMES,
            st.none() | IDS,
            st.none() | IDS,
        ),
        unique_by=lambda i: i.id,
    ),
)


@pytest.mark.no_cover
@given(FLEETS)
@examples(500)
def test_usage_agrees_with_second_implementation(fleet):
    servers, images = fleet
    usage = Usage(servers, images)
    for one in images:
        booted = any(s.image_id == one.id for s in servers)
        needed = any(i.metadata.get('kernel_id') == one.id for i in images)
        home = False
        for s in servers:
            if s.status == 'ACTIVE' or s.image_id is None:
                continue
            name = f'{s.name}-shelved'
            mine = [i for i in images if i.server_id == s.id]
            lost = [i for i in images if not i.server and i.name == name]
            exact = [i for i in mine + lost if i.name == name]
            home = home or one in (exact or mine)
        assert usage.is_used(one) == (booted or needed or home)
        assert usage.is_used(one) == bool(usage.used_by(one))
        assert usage.is_used(one) != usage.unused().matches(one)


DETAIL = 'http://nova.example.com:8774/v2.1/servers/detail'


def entry(number, **fields):
    server_id = str(uuid.UUID(int=number))
    return {
        'id': server_id,
        'name': f'server-{number}',
        'status': 'ACTIVE',
        'tenant_id': 'p',
        'image': {'id': 'a', 'links': []},
        'OS-EXT-STS:task_state': None,
        **fields,
    }


def paged(entries, size, forbidden=False):
    """Return a handler that pages as Nova does, with this maximum size."""

    def answer(request, context):
        query = request.qs
        if forbidden and 'all_tenants' in query:
            context.status_code = 403
            return {'forbidden': {'code': 403, 'message': 'No.'}}
        ids = [e['id'] for e in entries]
        start = 0
        if 'marker' in query:
            if query['marker'][0] not in ids:
                context.status_code = 400
                return {'badRequest': {'code': 400, 'message': 'marker'}}
            start = ids.index(query['marker'][0]) + 1
        page = entries[start : start + size]
        body = {'servers': page}
        if len(page) == size:
            body['servers_links'] = [{'rel': 'next', 'href': DETAIL}]
        return body

    return answer


def test_servers_reads_all_pages_of_all_projects(api, http):
    entries = [entry(n) for n in range(1, 8)]
    http.get(DETAIL, json=paged(entries, 3))
    listed = api.servers()
    assert [s.id for s in listed.servers] == [e['id'] for e in entries]
    assert listed.all_projects
    assert listed.servers[0] == Server(
        entries[0]['id'], 'server-1', 'ACTIVE', 'a', 'p'
    )


def test_servers_falls_back_to_own_project(api, http):
    http.get(DETAIL, json=paged([entry(1), entry(2, image='')], 9, True))
    listed = api.servers()
    assert [s.image_id for s in listed.servers] == ['a', None]
    assert not listed.all_projects
    assert 'all_tenants' not in http.last_request.qs


def test_servers_continues_after_deleted_marker(api, http):
    entries = [entry(n) for n in range(1, 8)]
    answer = paged(entries, 4)
    left = [e for e in entries if e is not entries[3]]
    later = paged(left, 4)
    calls = []

    def answers(request, context):
        calls.append(request)
        return (answer if len(calls) == 1 else later)(request, context)

    http.get(DETAIL, json=answers)
    assert [s.id for s in api.servers().servers] == [e['id'] for e in entries]


def test_repeated_page_of_servers_is_an_error(api, http):
    page = {
        'servers': [entry(1), entry(2)],
        'servers_links': [{'rel': 'next', 'href': DETAIL}],
    }
    http.get(DETAIL, json=page)
    with pytest.raises(Exception, match='repeats a page'):
        api.servers()


def test_number_of_servers_is_limited(api, http, monkeypatch):
    monkeypatch.setattr('osc_compute_images.api._limits.MAX_SERVERS', 50)
    numbers = iter(range(1, 10**6))

    def more(_request, _context):
        return {
            'servers': [entry(next(numbers)) for _ in range(9)],
            'servers_links': [{'rel': 'next', 'href': DETAIL}],
        }

    http.get(DETAIL, json=more)
    with pytest.raises(Exception, match='more than 50 servers'):
        api.servers()


def test_malformed_servers_are_tolerated(api, http):
    malformed = [
        None,
        {},
        {'id': None},
        entry(1, name=None, status=None, image=None, tenant_id=None),
        entry(2, name=7, image=['a']),
        entry(2),
        entry(3, **{'OS-EXT-STS:task_state': 'shelving', 'status': 'active'}),
    ]
    http.get(DETAIL, json={'servers': malformed})
    listed = api.servers().servers
    assert [(s.name, s.status, s.image_id) for s in listed] == [
        ('', '', None),
        ('7', 'ACTIVE', None),
        ('server-3', 'ACTIVE', 'a'),
    ]
    assert listed[-1].is_shelved


def test_usage_of_all_images(api, http):
    from testbed import nova

    home = nova.image(1, name='web-shelved', server={'id': 's'})
    kernel = nova.image(2)
    machine = nova.image(3, metadata={'kernel_id': kernel['id']})
    http.get(nova.DETAIL, json=nova.page([home, kernel, machine]))
    web = entry(1, id='s', name='web', status='SHELVED_OFFLOADED')
    http.get(DETAIL, json={'servers': [web]})
    usage = api.usage()
    unused = [i.name for i in api.list_detail() if not usage.is_used(i)]
    assert unused == ['cirros-3']
    images = [*api.list_detail()]
    http.get(nova.DETAIL, status_code=500)
    again = api.usage(images)
    assert [i.name for i in images if not again.is_used(i)] == unused
    assert not usage.unknown.other_projects
