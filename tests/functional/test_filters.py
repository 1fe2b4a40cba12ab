# SPDX-License-Identifier: Apache-2.0

"""Filters, where the real Nova and Glance filter, too.

What each filter selects is tested offline. Here a list with a filter is
compared with a selection among all images: what is sent to Nova must not lose
an image. For ``--flavor``, Nova itself decides.
"""

from collections.abc import Iterator
import datetime
import itertools
import os
from typing import Any

from hypothesis import given
from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from osc_compute_images.api import filters
from osc_compute_images.api import Image
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from osc_compute_images.api.filters import Filter
from testbed import nova_filters
from tests.functional.real import as_shown
from tests.functional.real import Cloud
from tests.functional.real import Glance
from tests.functional.real import Images
from tests.functional.servers import Compute
from tests.functional.shell import Shell

#: How many combinations of filters are generated.
EXAMPLES = int(os.environ.get('DEVCLOUD_EXAMPLES', '50'))

LIST = ('compute', 'image', 'list')
IDS = (*LIST, '-f', 'value', '-c', 'ID')

GB = 1024**3

NOBODY = '00000000-0000-4000-8000-000000000000'

#: Images in addition to those of a new cloud, for more cases.
FURTHER: tuple[dict[str, Any], ...] = (
    # Keys that begin with letters of "property-", which Nova strips.
    {'name': 'letters', 'pxe': 'on', 'root': 'sda', 'os_x': '1', 'tpm': '2'},
    {'name': 'letters-2', 'yum': 'on', '-k': 'v', 'property-x': '1'},
    # The same keys without these letters.
    {'name': 'without', 's_distro': 'ubuntu', 'xe': 'on', 'k': 'v', 'x': '1'},
    # Values that Glance interprets as operators.
    {'name': 'operators', 'hw_disk_bus': 'in:virtio,scsi', 'hw_rng': 'eq:x'},
    {'name': 'more', 'architecture': 'in:x86_64,i686', 'vm_mode': 'neq:a'},
    # Keys and values that contain "=" or spaces.
    {'name': 'equals', 'build': 'a=b', 'k': '=', 'Key Space': ' v '},
    {'name': 'text', 'ключ': 'значение', 'a,b': "it's", 'hw_serial': ''},
    # Types that have a meaning here.
    {'name': 'base', 'image_type': 'base', 'hw_disk_bus': 'VIRTIO'},
    {'name': 'server', 'image_type': 'server', 'architecture': 'X86_64'},
    {'name': 'all', 'image_type': 'all', 'min_ram': 512, 'min_disk': 5},
    # Values that Nova decodes, or that look like it.
    {'name': 'empty', 'mappings': '[]', 'block_device_mapping': '[]'},
    {'name': 'numbers', 'mappings': '[1, true, null]', 'build': '1.0'},
    {'name': 'range', 'hw_cpu_max': '4', 'hw_cpu_min': '2', 'size_min': '1'},
)


@pytest.fixture(scope='module')
def further(cloud: Cloud) -> Iterator[None]:
    """Let the cloud have these images, too."""
    with Images(cloud, 'demo') as images:
        for fields in FURTHER:
            images(**fields)
        yield


@pytest.fixture(scope='module')
def images_api(cloud: Cloud) -> ImagesAPI:
    """Provide the API of the ordinary user."""
    return ImagesAPI(cloud.connection('demo').compute)


@pytest.fixture(scope='module')
def everything(images_api: ImagesAPI, further: None) -> list[Image]:
    """Provide all images, the newest first."""
    return list(images_api.list_detail())


def names(images: list[Image]) -> Iterator[Filter]:
    for name in (
        *{image.name for image in images if image.name is not None},
        *('in:golden', 'in:golden,x', 'neq:x', 'eq:', ':', 'eq:golden'),
        *('gold', 'GOLDEN', 'golden ', 'None', 'null', '%', '\\', 'g*'),
        *('m' * 256, 'ubuntu', '\U0001f427', 'a\nb', '--', 'name=golden'),
    ):
        yield filters.name(name)


def properties(images: list[Image]) -> Iterator[Filter]:
    pairs = {
        (key, str(value))
        for image in images
        for key, value in image.metadata.items()
    }
    pairs |= {
        *(('os_distro', 'ubunt'), ('os_distro', 'UBUNTU')),
        *(('os_distro', 'in:ubuntu,debian'), ('os_distro', 'eq:ubuntu')),
        *(('hw_disk_bus', 'in:virtio'), ('hw_disk_bus', 'in:virtio,ide')),
        *(('hw_disk_bus', 'eq:virtio'), ('hw_disk_bus', ' virtio')),
        *(('architecture', ''), ('architecture', 'x' * 300)),
        *(('s_distro', 'debian'), ('hw_rng', 'x'), ('os_distro', '')),
        # Fields of images, which are not properties.
        *(('name', 'golden'), ('status', 'active'), ('size', '4096')),
        *(('visibility', 'public'), ('min_disk', '5'), ('id', NOBODY)),
        *(('size_min', '0'), ('limit', '1'), ('sort', 'name:asc')),
        *(('marker', NOBODY), ('created_at', 'gt:2020-01-01T00:00:00Z')),
        *(('tag', 'x'), ('owner', 'x'), ('protected', 'True')),
    }
    for key, value in sorted(pairs):
        yield filters.property_is(key, value)


def times(images: list[Image], field: str) -> Iterator[str]:
    """Yield times around that of an image, in several zones."""
    middle = getattr(images[len(images) // 2], field)
    exact = datetime.datetime.fromisoformat(middle)
    for hours, second in itertools.product((0, 5.5, -8), (-1, 0, 1e-6, 1)):
        zone = datetime.timezone(datetime.timedelta(hours=hours))
        moved = exact + datetime.timedelta(seconds=second)
        yield moved.astimezone(zone).isoformat()
    yield from (middle[:10], '2000-01-01', '2999-01-01')


def numbers(images: list[Image], field: str) -> Iterator[Filter]:
    make = getattr(filters, field)
    existing = {getattr(image, field) for image in images}
    for number in existing | {7, 2**31, 10**20}:
        yield make(exactly=number)
        yield make(at_least=number)


#: The filters for which Nova filters, and the one that ends a list early.
SENT = (
    *('name', 'status', 'type', 'server', 'changes-since', 'created-after'),
    *('min-disk', 'min-ram', 'property', 'flavor'),
)


@pytest.fixture(scope='module')
def values(
    cloud: Cloud, images_api: ImagesAPI, everything: list[Image]
) -> dict[str, list[Filter]]:
    """Provide filters with many values, by what they compare."""
    servers = {image.server.id for image in everything if image.server}
    return {
        'name': [*names(everything)],
        'status': [
            filters.status(*words)
            for words in (*((s,) for s in filters.STATUSES), ('Saving',))
        ],
        'type': [
            filters.image_type(word)
            for word in (
                *('snapshot', 'backup', 'in:foo', 'base', 'server', 'all'),
                *('SNAPSHOT', 'snap', 'image', 'volume', 'eq:snapshot'),
                *('in:snapshot,backup', 'neq:backup'),
            )
        ],
        'server': [filters.server(each) for each in (*servers, NOBODY)],
        'changes-since': [
            filters.changes_since(t) for t in times(everything, 'updated')
        ],
        'created-after': [
            filters.created_after(t) for t in times(everything, 'created')
        ],
        'min-disk': [*numbers(everything, 'min_disk')],
        'min-ram': [*numbers(everything, 'min_ram')],
        'property': [*properties(everything)],
        'flavor': [
            filters.boots_on(images_api.find_flavor(flavor['id']))
            for flavor in Compute(cloud, 'demo').flavors()
        ],
    }


def mismatch(
    images_api: ImagesAPI,
    images: list[Image],
    where: Filter,
    opts: ListOpts | None = None,
    max_items: int | None = None,
) -> str | None:
    """Return how a list differs from a selection, or None."""
    listed = images_api.list_detail(opts, where=where, max_items=max_items)
    got = [image.id for image in listed]
    start = 0
    if opts is not None and opts.marker:
        start = [image.id for image in images].index(opts.marker) + 1
    wanted = [i.id for i in images[start:] if where.matches(i)][:max_items]
    if got == wanted:
        return None
    return f'{where!r}, {opts}: {got} instead of {wanted}'


@pytest.mark.parametrize('kind', SENT)
def test_nova_does_not_hide_what_a_filter_selects(
    images_api, everything, values, kind
):
    found = [mismatch(images_api, everything, one) for one in values[kind]]
    assert not [difference for difference in found if difference]
    # The values select some images, but not all.
    assert any(
        0 < sum(map(one.matches, everything)) < len(everything)
        for one in values[kind]
    )


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=st.data())
def test_nor_what_several_filters_select(images_api, everything, values, data):
    sought = data.draw(st.sampled_from(everything), 'an image to be found')
    where = filters.EVERYTHING
    for kind in data.draw(
        st.lists(st.sampled_from((*SENT, 'property')), max_size=5), 'filters'
    ):
        # Independent values would rarely select anything.
        fitting = [one for one in values[kind] if one.matches(sought)]
        if not fitting or data.draw(st.integers(0, 9), 'not by chance') == 0:
            fitting = values[kind]
        where &= data.draw(st.sampled_from(fitting), kind)
    number = st.none() | st.integers(1, len(everything) + 1)
    marker = data.draw(st.none() | st.sampled_from(everything), 'marker')
    opts = ListOpts(
        limit=data.draw(number, 'limit'), marker=marker and marker.id
    )
    most = data.draw(number, 'most')
    assert mismatch(images_api, everything, where, opts, most) is None


#: Parameters of Nova that do not select what their names say.
QUERIES = (
    *({'name': name} for name in ('golden', 'in:golden,gold', 'eq:in:foo')),
    *({'name': name} for name in ('in:foo', '', 'GOLDEN')),
    *({'status': word} for word in ('Active', 'SAVING', 'ERROR', 'UNKNOWN')),
    *({'status': word} for word in ('queued', 'in:queued,saving')),
    *({'type': word} for word in ('snapshot', 'base', 'BASE', 'ALL')),
    *({'minDisk': '5'}, {'minRam': '512'}, {'minDisk': 'abc'}),
    {'server': f'http://nova/v2.1/servers/{NOBODY}'},
    {'changes-since': '2000-01-01T00:00:00Z', 'status': 'active'},
    *({'property-os_distro': 'ubuntu'}, {'property-pxe': 'on'}),
    *({'property-hw_disk_bus': 'virtio'}, {'property-architecture': ''}),
)


def test_fake_cloud_filters_as_nova(cloud, glance, further):
    compute = cloud.connection('demo').compute

    def answer(**query: str) -> Any:
        params = {'limit': '1000', **query}
        return compute.get('/images/detail', params=params, microversion=None)

    def listed(**query: str) -> list[dict[str, Any]]:
        images: list[dict[str, Any]] = answer(**query).json()['images']
        return images

    statuses = {image['id']: image['status'] for image in glance.images()}
    everything = listed()
    times = sorted(image['created'] for image in everything)
    sizes = sorted(image['OS-EXT-IMG-SIZE:size'] for image in everything)
    middle = len(everything) // 2
    of_glance = (
        {'property-created_at': f'lt:{times[middle]}'},
        {'property-created_at': f'lt:{times[0]}'},
        {'property-size_min': '1'},
        {'property-size_min': f'{sizes[-1]}'},
        {'property-size_min': f'{sizes[-1] + 1}'},
    )
    for query in (*QUERIES, *of_glance):
        assert [image['name'] for image in listed(**query)] == [
            image['name']
            for image in everything
            if nova_filters.keeps(
                {**image, nova_filters.STATUS: statuses[image['id']]}, query
            )
        ], query
    for query in (
        {'property-created_at': 'lt:no-such-time'},
        {'property-size_min': 'no-such-size'},
        {'property-visibility': 'no-such-visibility'},
    ):
        assert answer(**query).status_code == 400
        assert nova_filters.problem(query)


# -- flavors, compared with Nova -------------------------------------------


def kind_of(image: dict[str, Any], flavor: dict[str, Any]) -> tuple[Any, ...]:
    """Return everything that matters for booting a server of a flavor."""

    def compared(value: int, limit: int) -> tuple[bool, bool]:
        return value > limit, value == limit

    return (
        image['Status'],
        compared(image['Min RAM'], flavor['ram']),
        compared(image['Min Disk'], flavor['disk']),
        compared(image['Size'], flavor['disk'] * GB),
        bool(image['Size']),
        'block_device_mapping' in image['Properties'],
    )


@pytest.mark.parametrize(
    ('user', 'name'),
    [
        ('demo', 'm1.tiny'),
        ('demo', 'm1.small'),
        ('demo', 'm1.large'),
        # Nova lets only an administrator boot an image that is not on a
        # volume on a flavor without a disk.
        ('admin', 'v1.volume'),
    ],
)
def test_flavor_agrees_with_nova(cloud, request, user, name):
    shell: Shell = request.getfixturevalue(user)
    images = [as_shown(i) for i in Glance(cloud, user).images()]
    listed = shell(*IDS, '--flavor', name).out.split()
    compute = Compute(cloud, user)
    (flavor,) = (f for f in compute.flavors() if f['name'] == name)
    # One image of each kind is enough.
    kinds = {kind_of(image, flavor): image for image in images}
    wrong, servers = [], []
    for image in kinds.values():
        server_id, reason = compute.boot(image['ID'], flavor['id'])
        if server_id:
            servers.append(server_id)
        if bool(server_id) != (image['ID'] in listed):
            wrong.append((image['Name'], reason))
    compute.delete(*servers)
    assert not wrong


# -- servers ---------------------------------------------------------------


def test_administrator_finds_server_of_any_project(admin):
    # It is in the project of the ordinary user.
    listed = admin(*LIST, '--server', 'web-2', '-f', 'json').json()
    assert {i['Name'] for i in listed} == {'web-2-snapshot', 'nightly'}
