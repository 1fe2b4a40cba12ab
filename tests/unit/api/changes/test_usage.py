# SPDX-License-Identifier: Apache-2.0

"""Which images are used and protected, compared with a second statement.

The sentences about gaps and about servers are those of the documents, and not
those of the code.
"""

from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.api import GapsFound
from osc_compute_images.api import ImagesError
from osc_compute_images.api import Server
from osc_compute_images.api import ServerList
from osc_compute_images.api import ServerNotFound
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.changes.usage import Usage
from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from testbed.fleet import snapshot
from tests.unit.api.changes.conftest import image
from tests.unit.api.changes.conftest import usage_of
from tests.unit.project.examples import examples

# --- all rules ------------------------------------------------------------

#: A server in one of them is, or may be, stored in its snapshots.
UNSETTLED = [
    *('SHELVED', 'SHELVED_OFFLOADED', 'ERROR', 'UNKNOWN', 'RESCUE', 'RESIZE'),
    *('VERIFY_RESIZE', 'REVERT_RESIZE', 'shelved', ''),
]
SETTLED = ['ACTIVE', 'SHUTOFF', 'PAUSED', 'SUSPENDED', 'active']
SUFFIXES = ('-shelved', '-resize-temp')

IDS = st.sampled_from('abcdeAB')
SERVERS = st.builds(
    Server,
    IDS,
    st.sampled_from(['web', 'db', '']),
    st.sampled_from(UNSETTLED + SETTLED),
    st.none() | IDS,
    task_state=st.sampled_from([None, None, 'shelving', 'image_backup']),
    may_use_any_image=st.sampled_from([False, False, False, True]),
)
IMAGES = st.builds(
    lambda image_id, name, of, needs, volume: image(
        image_id,
        name,
        of,
        metadata={
            **needs,
            'block_device_mapping': [None, {'image_id': volume}],
        },
    ),
    IDS,
    st.sampled_from(
        [None, 'web', *(f'{n}{s}' for n in ('web', 'x') for s in SUFFIXES)]
    ),
    st.none() | IDS,
    st.dictionaries(st.sampled_from(['kernel_id', 'ramdisk_id']), IDS),
    st.none() | IDS,
)


def is_unsettled(server):
    return (
        server.may_use_any_image
        or server.task_state is not None
        or server.status in UNSETTLED
    )


def is_stored(server, image):
    if not is_unsettled(server):
        return False
    if image.server_id is not None:
        return image.server_id.lower() == server.id.lower()
    name = image.name or ''
    if server.name == '':
        return name.endswith(SUFFIXES)
    return name in [server.name + suffix for suffix in SUFFIXES]


def needs(other, image):
    ids = [other.metadata.get(k) for k in ('kernel_id', 'ramdisk_id')]
    ids.append(other.metadata['block_device_mapping'][1]['image_id'])
    return image.id.lower() in [i.lower() for i in ids if i]


@pytest.mark.no_cover
@given(
    st.lists(SERVERS, max_size=4),
    st.lists(IMAGES, unique_by=lambda i: i.id),
    st.sampled_from([(), ('a region',)]),
    st.booleans(),
)
@examples(500)
def test_rules(servers, images, missing, accept_gaps):
    usage = usage_of(servers, images, missing, accept_gaps=accept_gaps)
    for one in images:
        mine = (one.server_id or '').lower()
        is_read = mine in {s.id.lower() for s in servers}
        stored = any(is_stored(s, one) for s in servers)
        taken = one.server_id is not None
        may_be_stored = taken or (one.name or '').endswith(SUFFIXES)
        unread = bool(missing) and may_be_stored and not is_read
        booted = any(
            s.image_id and s.image_id.lower() == one.id.lower()
            for s in servers
        )
        needed = any(needs(i, one) for i in images)
        assert usage.is_used(one) == (booted or stored or needed)
        assert usage.is_used(one) == bool(usage.used_by(one))
        assert usage.is_orphaned(one) == (taken and not is_read and not unread)
        keeps = Protection(usage).reason(one) is not None
        assert keeps == (booted or stored or needed or unread)
        keeps = Protection(usage, include_used=True).reason(one) is not None
        assert keeps == (stored or unread)
    gap = bool(missing) or any(s.may_use_any_image for s in servers)
    assert bool(usage.gaps) == gap
    for make, matches in (
        (usage.unused, lambda one: not usage.is_used(one)),
        (usage.orphaned, usage.is_orphaned),
    ):
        if gap and not accept_gaps:
            with pytest.raises(GapsFound) as raised:
                make()
            assert raised.value.gaps == usage.gaps
        else:
            chosen = [*filter(make().matches, images)]
            assert chosen == [*filter(matches, images)]


# --- single rules ---------------------------------------------------------


def test_statuses_of_servers_that_may_be_stored_in_an_image():
    unsettled = [
        status
        for status in UNSETTLED + SETTLED
        if Server('1', status=status).may_need_snapshots
    ]
    assert unsettled == UNSETTLED


def test_kernels_ramdisks_and_images_of_volumes_are_used():
    images = [
        *(image('k'), image('r'), image('v')),
        image('m', metadata={'kernel_id': 'K', 'ramdisk_id': 'r'}),
        image('n', metadata={'kernel_id': '', 'ramdisk_id': None}),
        image('l', metadata={'kernel_id': ['k']}),
        image('t', metadata={'block_device_mapping': 'text'}),
        image('s', metadata={'block_device_mapping': [7, {'image_id': 'V'}]}),
        image('b', metadata={'base_image_ref': 's'}),
    ]
    # They are iterated once.
    usage = usage_of([], iter(images))
    used = {i.id: [user.id for user in usage.used_by(i)] for i in images}
    assert {image_id: by for image_id, by in used.items() if by} == {
        'k': ['m'],
        'r': ['m'],
        'v': ['s'],
    }


@pytest.mark.parametrize(
    ('server_id', 'error', 'accepted'),
    [
        ('a', None, None),
        ('A', None, None),
        ('unread', GapsFound, None),
        ('missing', GapsFound, ServerNotFound),
        ('volume', ImagesError, ImagesError),
        ('shelved', None, None),
    ],
)
def test_server_whose_images_are_unknown_is_an_error(
    server_id, error, accepted
):
    servers = [
        Server('a', image_id='x', status='ACTIVE'),
        Server('unread', may_use_any_image=True, status='UNKNOWN'),
        Server('volume', status='ACTIVE'),
        Server('shelved', status='SHELVED'),
    ]
    for accept_gaps, wanted in ((False, error), (True, accepted)):
        usage = usage_of(servers, accept_gaps=accept_gaps)
        if wanted is None:
            where = usage.in_use_by(server_id)
            found = [i for i in 'xy' if where.matches(image(i))]
            assert found == (['x'] if server_id in 'aA' else [])
            continue
        with pytest.raises(wanted) as raised:
            usage.in_use_by(server_id)
        assert type(raised.value) is wanted


def test_unknown_uses_that_are_no_gaps():
    servers = (
        Server('1', status='ACTIVE'),
        Server('2', image_id='a'),
        Server('3', may_use_any_image=True),
    )
    unknown = Usage(ServerList(servers, shows_down_cells=False), ()).unknown
    assert unknown.on_volumes == servers[:1]
    assert unknown.other_projects
    assert unknown.down_cells
    unknown = Usage(ServerList((), all_projects=True), ()).unknown
    assert (unknown.other_projects, unknown.down_cells) == (False, False)


def test_protection_with_other_servers_keeps_its_options():
    images = [image('a'), image('k'), image('m', metadata={'kernel_id': 'k'})]
    usage = usage_of([], images, ('a region',), accept_gaps=True)
    servers = ServerList((Server('1', 'web', image_id='a'),), missing=('x',))
    then = Protection(usage).with_servers(servers)
    assert [then.reason(i) for i in images] == [
        'server web was booted from it',
        'image m needs it',
        None,
    ]
    then.usage.check_gaps()
    then = Protection(usage, include_used=True).with_servers(servers)
    assert [then.reason(i) for i in images] == [None] * 3


NEEDING = [
    image(image_id, name, metadata={'kernel_id': 'x'})
    for image_id, name in (('m', 'machine'), ('n', None))
]


STORED = 'may be stored in it'


@pytest.mark.parametrize(
    ('servers', 'images', 'reason'),
    [
        (
            [Server('1', 'web', 'SHELVED'), Server('1', 'web', 'ERROR')],
            *([], f'server web, which is SHELVED, {STORED}'),
        ),
        (
            [Server('1', status='ACTIVE', task_state='shelving')],
            *([], f'server 1, which is shelving, {STORED}'),
        ),
        (
            [Server('1', 'web', 'ACTIVE', may_use_any_image=True)],
            *([], f'server web, which is not completely listed, {STORED}'),
        ),
        (
            [Server('1', 'web', 'SHELVED', may_use_any_image=True)],
            *([], f'server web, which is SHELVED, {STORED}'),
        ),
        (
            [Server('2', 'a', 'ACTIVE', 'x'), Server('3', '', 'ACTIVE', 'X')],
            *([], 'servers a and 1 more were booted from it'),
        ),
        ([Server('3', '', 'ACTIVE', 'x')], [], 'server 3 was booted from it'),
        ([], NEEDING, 'images machine and 1 more need it'),
    ],
)
def test_reasons(servers, images, reason):
    of_one = image('x', 'any', '1')
    assert Protection(usage_of(servers, images)).reason(of_one) == reason
    unread = Protection(usage_of([], missing=('a region',))).reason(of_one)
    assert unread == 'its server may be one that could not be read'


# --- over HTTP ------------------------------------------------------------


def test_usage_lists_images_and_servers(api, http):
    home = snapshot(1, 's', name='web-shelved')
    kernel = nova.image(2)
    machine = nova.image(3, metadata={'kernel_id': kernel['id']})
    web = server('s', 'web', status='SHELVED_OFFLOADED')
    fleet = Fleet([home, kernel, machine], [web]).serve(http)
    usage = api.usage()
    # Images first: one that a server is booted from meanwhile is used.
    assert fleet.requests == ['GET /images/detail', 'GET /servers/detail']
    images = [*api.list_detail()]
    assert [i.name for i in images if not usage.is_used(i)] == ['cirros-3']
    fleet.requests.clear()
    again = api.usage(images)
    assert [i.name for i in images if not again.is_used(i)] == ['cirros-3']
    assert fleet.requests == ['GET /servers/detail']
    fleet.down = {'s'}
    with pytest.raises(GapsFound):
        api.usage(images).unused()
    api.usage(images, accept_gaps=True).unused()
