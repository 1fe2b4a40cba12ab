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
from osc_compute_images.api.changes.usage import Unknown
from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from testbed.fleet import snapshot
from tests.unit.api.changes.conftest import image
from tests.unit.api.changes.conftest import usage_of
from tests.unit.project.examples import examples

#: A server in one of them is, or may be, stored in its snapshots.
UNSETTLED = [
    *('SHELVED', 'SHELVED_OFFLOADED', 'ERROR', 'UNKNOWN', 'RESCUE', 'RESIZE'),
    *('VERIFY_RESIZE', 'REVERT_RESIZE', 'shelved', ''),
]
SETTLED = ['ACTIVE', 'SHUTOFF', 'PAUSED', 'SUSPENDED', 'active']
SUFFIXES = ('-shelved', '-resize-temp')

IDS = st.sampled_from('abcdeAB')
#: Values that are no IDs.
ODD = [None, '', ['a'], 7]
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
    image,
    IDS,
    st.sampled_from(
        [None, 'web', *(f'{n}{s}' for n in ('web', 'x') for s in SUFFIXES)]
    ),
    st.none() | IDS,
    metadata=st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(
                *(('kernel_id', 'ramdisk_id'), IDS | st.sampled_from(ODD))
            ),
            'base_image_ref': IDS,
            'block_device_mapping': st.sampled_from(['a', {}, 7])
            | IDS.map(lambda i: [None, 7, {'image_id': i}, {}]),
        },
    ),
)


def is_stored(server, image):
    if not (
        server.may_use_any_image
        or server.task_state is not None
        or server.status in UNSETTLED
    ):
        return False
    if image.server_id is not None:
        return image.server_id.lower() == server.id.lower()
    name = image.name or ''
    if server.name == '':
        return name.endswith(SUFFIXES)
    return name in [server.name + suffix for suffix in SUFFIXES]


def is_same(image_id, image):
    return image_id is not None and image_id.lower() == image.id.lower()


def needs(other, image):
    ids = [other.metadata.get(k) for k in ('kernel_id', 'ramdisk_id')]
    volumes = other.metadata.get('block_device_mapping')
    if isinstance(volumes, list):
        ids.append(volumes[2]['image_id'])
    return any(is_same(i, image) for i in ids if isinstance(i, str))


@pytest.mark.no_cover
@given(
    st.lists(SERVERS, max_size=4),
    st.lists(IMAGES, unique_by=lambda i: i.id),
    st.sampled_from([(), ('a region',)]),
    st.booleans(),
    st.booleans(),
)
@examples(500)
def test_rules(servers, images, missing, is_all, accept_gaps):
    # They are iterated once; other servers were read before.
    before = usage_of(servers[2:], iter(images), accept_gaps=accept_gaps)
    listed = ServerList(tuple(servers), is_all, missing, not is_all)
    usage = before.with_servers(listed)
    for one in images:
        mine = (one.server_id or '').lower()
        is_read = mine in {s.id.lower() for s in servers}
        stored = any(is_stored(s, one) for s in servers)
        taken = one.server_id is not None
        may_be_stored = taken or (one.name or '').endswith(SUFFIXES)
        unread = bool(missing) and may_be_stored and not is_read
        booted = [s for s in servers if is_same(s.image_id, one)]
        used = bool(booted or stored or any(needs(i, one) for i in images))
        assert usage.is_used(one) == bool(usage.used_by(one)) == used
        assert usage.is_orphaned(one) == (taken and not is_read and not unread)
        for include_used, is_kept in ((False, used), (True, stored)):
            protection = Protection(before, include_used=include_used)
            reason = protection.with_servers(listed).reason(one)
            assert (reason is not None) == (is_kept or unread)
    gap = bool(missing) or any(s.may_use_any_image for s in servers)
    assert bool(usage.gaps) == gap
    without = [s for s in servers if not s.image_id]
    on_volumes = (*(s for s in without if not s.may_use_any_image),)
    by_default = before.unknown
    assert (by_default.other_projects, by_default.down_cells) == (True, False)
    assert usage.unknown == Unknown(not is_all, on_volumes, is_all)
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


def test_images_that_a_server_uses():
    servers = [
        Server('a', image_id='x', status='ACTIVE'),
        Server('unread', may_use_any_image=True, status='UNKNOWN'),
        Server('volume', status='ACTIVE'),
        Server('shelved', status='SHELVED'),
        Server('kernel', status='ACTIVE', kernel_ids=('y',)),
    ]
    strict, lax = (usage_of(servers, accept_gaps=a) for a in (False, True))
    for usage in strict, lax:
        used = {'A': ['x'], 'shelved': [], 'kernel': ['y']}
        for server_id, found in used.items():
            matches = usage.in_use_by(server_id).matches
            assert [i for i in 'xy' if matches(image(i))] == found
        with pytest.raises(ImagesError, match='from a volume'):
            usage.in_use_by('volume')
    for server_id in ('unread', 'missing'):
        with pytest.raises(GapsFound):
            strict.in_use_by(server_id)
    with pytest.raises(ServerNotFound):
        lax.in_use_by('missing')
    assert not lax.in_use_by('unread').matches(image('x'))


def web(status='ACTIVE', **fields):
    return Server('1', 'web', status, **fields)


NEEDING = [image('m', 'machine', metadata={'kernel_id': 'x'})]
#: The servers and the images that use an image, by the reason to keep it.
REASONS = {
    'server web, which is SHELVED': ([web('SHELVED'), web('RESIZE')], ()),
    'server web, which is ERROR': ([web('ERROR', may_use_any_image=True)], ()),
    'server web, which is shelving': ([web(task_state='shelving')], ()),
    'server web, which is not completely listed': (
        *([web(may_use_any_image=True)], ()),
    ),
    'servers a and 1 more were booted from it': (
        *([Server('2', 'a', 'ACTIVE', 'x'), web(image_id='X')], ()),
    ),
    'server 3 was booted from it': ([Server('3', '', 'ACTIVE', 'x')], ()),
    'image machine needs it': ([], NEEDING),
    'images machine and 1 more need it': (
        *([], [*NEEDING, image('n', metadata={'ramdisk_id': 'x'})]),
    ),
}


@pytest.mark.parametrize('reason', REASONS)
def test_reasons(reason):
    servers, images = REASONS[reason]
    of_one = image('x', 'any', '1')
    protection = Protection(usage_of([], images, ('a region',)))
    unread = 'its server may be one that could not be read'
    assert protection.reason(of_one) == unread
    protection = protection.with_servers(ServerList(tuple(servers)))
    stored = ', may be stored in it' if 'which' in reason else ''
    assert protection.reason(of_one) == reason + stored


def test_usage_lists_images_and_servers(api, http):
    volumes = [{'image_id': nova.image_id(2)}]
    machine = nova.image(3, metadata={'block_device_mapping': volumes})
    images = [snapshot(1, 's'), nova.image(2), machine]
    shelved = server('s', 'web', status='SHELVED_OFFLOADED')
    fleet = Fleet(images, [shelved]).serve(http)
    images = [*api.list_detail()]
    fleet.requests.clear()
    usages = [api.usage(), api.usage(images)]
    # Images first: one that a server is booted from meanwhile is used.
    assert fleet.requests == [
        f'GET /{kind}/detail' for kind in ('images', 'servers', 'servers')
    ]
    for each in usages:
        unused = [i.name for i in images if not each.is_used(i)]
        assert unused == ['cirros-3']
    # Entries that are no images may need any.
    http.get(nova.DETAIL, json=nova.page([nova.image(1), None, 'x']))
    [gap] = api.usage(api.list_detail()).gaps
    assert api.usage().gaps == (gap,)
    assert gap.endswith(': one without an ID, one without an ID')
    api.usage(accept_gaps=True).unused()
