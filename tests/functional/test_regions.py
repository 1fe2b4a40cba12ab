# SPDX-License-Identifier: Apache-2.0

"""Commands for several regions: two real ones, and many canned ones."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import csv
import io
import json
import pathlib
import socket
import subprocess
import threading
from typing import Any

import pytest

from testbed import canned_cloud
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from tests.functional.conftest import executable
from tests.functional.conftest import Glance
from tests.functional.conftest import search_path
from tests.functional.conftest import Shell

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')

HEADERS = ['Region', 'ID', 'Name', 'Status']

#: Seconds to wait for an event that must happen.
PATIENCE = 60

# --- the real cloud -------------------------------------------------------


@pytest.fixture(scope='module')
def by_region(configured) -> dict[str, list[dict[str, Any]]]:
    """Provide the rows of each region, listed separately."""
    return {
        region: [
            {'Region': region, **image}
            for image in configured(region_name=region).images()
        ]
        for region in ('RegionOne', 'RegionTwo')
    }


@pytest.fixture(scope='module')
def in_all(by_region) -> list[dict[str, Any]]:
    """Provide the rows of all regions."""
    return by_region['RegionOne'] + by_region['RegionTwo']


def test_all_regions_lists_the_images_of_each(demo, in_all):
    rows = demo.images('--all-regions')
    assert rows == in_all
    assert {next(iter(row)) for row in rows} == {'Region'}


def test_list_one_region(demo, by_region):
    assert demo.images('--region', 'RegionTwo') == by_region['RegionTwo']


def test_named_regions_are_sorted_without_duplicates(demo, in_all):
    regions = ('RegionTwo', 'RegionOne', 'RegionTwo')
    options = [word for region in regions for word in ('--region', region)]
    assert demo.images(*options) == in_all


def test_unknown_region_error_lists_regions(demo):
    line = demo.fails(*LIST, '--region', 'RegionOne', '--region', 'Nowhere')
    assert line == (
        "Region 'Nowhere' has no Compute endpoint; choose from RegionOne, "
        'RegionTwo'
    )


def of_table(text: str) -> list[list[str]]:
    """Return the cells of a table."""
    return [
        [cell.strip() for cell in line.strip('|').split('|')]
        for line in text.splitlines()
        if line.startswith('|')
    ]


def of_yaml(text: str) -> list[list[str]]:
    """Return the values of a list of flat mappings."""
    rows: list[dict[str, str]] = []
    for line in text.splitlines():
        if line.startswith('- '):
            rows.append({})
        key, _, value = line[2:].partition(': ')
        rows[-1][key] = value
    return [[row[header] for header in HEADERS] for row in rows]


@pytest.mark.parametrize(
    ('formatter', 'read', 'headed'),
    [
        ('table', of_table, True),
        ('csv', lambda text: [*csv.reader(io.StringIO(text))], True),
        (
            'json',
            lambda text: [[*row.values()] for row in json.loads(text)],
            False,
        ),
        ('yaml', of_yaml, False),
        (
            'value',
            lambda text: [line.split(' ') for line in text.splitlines()],
            False,
        ),
    ],
)
def test_formatters_print_the_region(demo, in_all, formatter, read, headed):
    expected = [
        [row[header] for header in HEADERS]
        for row in in_all
        if row['Name'] == 'web-1-snapshot'
    ]
    assert [row[0] for row in expected] == ['RegionOne', 'RegionTwo']
    out = demo(
        *(*LIST, '--all-regions', '--name', 'web-1-snapshot'),
        *('-f', formatter),
    ).out
    assert read(out) == ([HEADERS] if headed else []) + expected


@pytest.mark.parametrize('option', ['--limit', '--max-items'])
def test_limits_apply_to_all_regions_together(demo, by_region, in_all, option):
    limit = len(by_region['RegionOne']) + 2
    rows = demo.images('--all-regions', option, str(limit))
    assert rows == in_all[:limit]
    assert rows[-1]['Region'] == 'RegionTwo'


def test_filters_apply_to_every_region(demo, in_all):
    expected = [
        row
        for row in in_all
        if row['Min Disk'] >= 5
        and row['Properties'].get('os_distro') == 'ubuntu'
    ]
    assert {row['Region'] for row in expected} == {'RegionOne', 'RegionTwo'}
    rows = demo.images(
        *('--all-regions', '--min-disk', '>=5'),
        *('--property', 'os_distro=ubuntu'),
    )
    assert rows == expected


@pytest.mark.parametrize(
    ('option', 'value', 'kind'),
    [('--flavor', 'gpu.only-one', 'flavor'), ('--server', 'web-2', 'server')],
)
def test_region_without_flavor_or_server_is_skipped_with_a_note(
    demo, option, value, kind
):
    result = demo.run(*LIST, '--all-regions', option, value, '-f', 'json')
    assert result.code == 0
    assert {row['Region'] for row in result.json()} == {'RegionOne'}
    assert result.err.startswith(
        f'Region RegionTwo is skipped: No {kind} with a name'
    )
    assert result.err.count('\n') == 1


def test_server_name_is_looked_up_in_each_region(cloud, demo):
    servers = {
        region: cloud.facts['servers'][region]['web-1']
        for region in ('RegionOne', 'RegionTwo')
    }
    rows = demo.images('--all-regions', '--server', 'web-1')
    assert {row['Region'] for row in rows} == set(servers)
    for row in rows:
        assert row['Server ID'] == servers[row['Region']]


def test_flavor_of_no_region_is_an_error(demo):
    result = demo.run(*LIST, '--all-regions', '--flavor', 'none')
    assert (result.code, result.out) == (1, '')
    *notes, last = result.err.splitlines()
    assert [note.split(':')[0] for note in notes] == [
        'Region RegionOne is skipped',
        'Region RegionTwo is skipped',
    ]
    assert last == 'Every region failed or was skipped'


def test_show_displays_the_region(demo, by_region):
    listed = next(
        row for row in by_region['RegionTwo'] if row['Name'] == 'only-in-two'
    )
    expected = {k.lower().replace(' ', '_'): v for k, v in listed.items()}
    result = demo(*SHOW, '--all-regions', 'only-in-two', '-f', 'json')
    assert result.json() == expected


@pytest.mark.parametrize('name', ['cirros-0.6.2', 'replicated'])
def test_show_ambiguous_name_lists_regions_and_ids(demo, in_all, name):
    found = [row for row in in_all if row['Name'] == name]
    if name == 'replicated':
        # In the first region, another image has this ID.
        name = found[0]['ID']
        found = [row for row in in_all if row['ID'] == name]
    assert [row['Region'] for row in found] == ['RegionOne', 'RegionTwo']
    line = demo.fails(*SHOW, '--all-regions', name)
    where = ', '.join(f'{row["Region"]} {row["ID"]}' for row in found)
    assert line == (
        f'2 images have the name or ID {name!r}; use --region and the ID of '
        f'one: {where}'
    )


def test_show_in_a_region(demo, by_region):
    listed = by_region['RegionTwo'][0]
    assert listed['Name'] == 'cirros-0.6.2'
    words = ('--region', 'RegionTwo', 'cirros-0.6.2', '-f', 'json')
    shown = demo(*SHOW, *words).json()
    assert (shown['region'], shown['id']) == ('RegionTwo', listed['ID'])


def test_show_missing_image(demo):
    line = demo.fails(*SHOW, '--all-regions', 'none')
    assert line == (
        "No image with a name or ID of 'none' exists in these regions"
    )


def test_endpoint_override_with_all_regions_is_an_error(cloud, configured):
    url = cloud.facts['regions']['RegionOne']['compute_url']
    shell = configured(compute_endpoint_override=url)
    line = shell.fails(*LIST, '--all-regions')
    assert 'overrides the Compute endpoint' in line


@pytest.fixture
def twins(cloud) -> Iterator[dict[str, tuple[Glance, str]]]:
    """Provide two images with the same name, one in each region."""
    found = {}
    for region in ('RegionOne', 'RegionTwo'):
        glance = Glance(cloud, 'demo', region)
        # By default it would be shared, and not be changed.
        image_id = glance.create(name='twin', visibility='private')
        found[region] = glance, image_id
    yield found
    for glance, image_id in found.values():
        glance.delete(image_id)


def pipe(shell: Shell, words: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in a shell."""
    return subprocess.run(
        ['bash', '-c', f'set -o pipefail; {words}'],
        env={**shell.environment, 'PATH': search_path()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )


@pytest.mark.parametrize('column', ['ID', 'Name'])
def test_list_and_delete_in_a_region(demo, twins, column):
    done = pipe(
        demo,
        f'openstack compute image list --region RegionTwo --name twin '
        f'-f value -c {column} | '
        f'xargs openstack compute image delete --region RegionTwo',
    )
    assert (done.returncode, done.stderr) == (0, '')
    one, two = (glance.image(i) for glance, i in twins.values())
    assert (one is None, two is None) == (False, True)


def test_id_of_another_region_is_not_found(demo, twins):
    done = pipe(
        demo,
        'openstack compute image list --region RegionTwo --name twin '
        '-f value -c ID | xargs openstack compute image delete',
    )
    # The exit code of xargs.
    assert done.returncode == 123
    assert 'No image with a name or ID of' in done.stderr
    assert all(glance.image(i) for glance, i in twins.values())


def test_name_in_two_regions_is_not_changed(demo, twins):
    both = ('--region', 'RegionOne', '--region', 'RegionTwo')
    for words in (
        ('set', '--property', 'a=b', 'twin'),
        ('unset', '--property', 'a', 'twin'),
        ('delete', 'twin'),
    ):
        result = demo.run('compute', 'image', *words, *both)
        assert (result.code, result.out) == (1, '')
        assert "2 images have the name or ID 'twin'" in result.err
    for glance, image_id in twins.values():
        assert 'a' not in glance.image(image_id)


def test_properties_are_changed_in_named_region(demo, twins):
    there = ('--region', 'RegionTwo', 'twin')
    demo('compute', 'image', 'set', '--property', 'a=b', *there)
    one, two = (glance.image(i) for glance, i in twins.values())
    assert ('a' in one, two['a']) == (False, 'b')
    demo('compute', 'image', 'unset', '--property', 'a', *there)
    glance, image_id = twins['RegionTwo']
    assert 'a' not in glance.image(image_id)


def test_all_clouds(cloud, demo, in_all):
    everybody = json.loads(
        pathlib.Path(cloud.facts['clouds_yaml']).read_text()
    )
    rows = demo.images('--all-clouds', '--all-regions')
    assert [*rows[0]][:2] == ['Cloud', 'Region']
    assert {row['Cloud'] for row in rows} == {*everybody['clouds']}
    mine = [
        {k: v for k, v in row.items() if k != 'Cloud'}
        for row in rows
        if row['Cloud'] == 'demo'
    ]
    assert mine == in_all


# --- canned clouds --------------------------------------------------------


class Watch:
    """Counts concurrent requests.

    :ivar most: the maximum
    """

    def __init__(self) -> None:
        self.most = 0
        self._now = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Count a request while it is served."""
        with self._changed:
            self._now += 1
            self.most = max(self.most, self._now)
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._now -= 1

    def reaches(self, number: int) -> bool:
        """Wait until there are this many concurrent requests."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self.most >= number, PATIENCE
            )


class Region(canned_cloud.Server):
    """The Compute service of a region, in its own server.

    :param images: the numbers of its images
    :param before: a handler that is called first
    :ivar watch: counts concurrent requests
    """

    def __init__(
        self,
        images: range,
        before: canned_cloud.Handler = lambda request: None,
    ) -> None:
        self.watch = Watch()
        nova = canned_cloud.Nova([canned_cloud.image(n) for n in images])

        def handler(request: Request) -> Response | None:
            with self.watch.serving():
                return before(request) or nova(request)

        super().__init__(handler)


class Unreachable:
    """A server that refuses connections."""

    def __init__(self) -> None:
        # The port is bound, but nothing listens.
        self._socket = socket.socket()
        self._socket.bind(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self._socket.getsockname()[1]}'
        self.close = self._socket.close


class Regions:
    """A Keystone with several regions.

    :param regions: the servers of the regions, by name
    :param paths: paths of Compute that differ from ``/v2.1``, by region
    """

    def __init__(
        self,
        regions: Mapping[str, canned_cloud.Server | Unreachable],
        paths: dict[str, str] | None = None,
    ) -> None:
        self.regions = regions
        self.keystone = canned_cloud.Server(
            canned_cloud.keystone(
                {
                    name: region.url + (paths or {}).get(name, '/v2.1')
                    for name, region in regions.items()
                }
            )
        )
        self.shell = Shell(canned_cloud.environment(self.keystone))

    def names(self) -> list[list[str]]:
        """Return region and name of all images; there must be no error."""
        return self.read(self.shell(*LIST, *NAMES).out)

    @staticmethod
    def read(out: str) -> list[list[str]]:
        """Return region and name of each row."""
        return [line.split(' ') for line in out.splitlines()]


NAMES = ('--all-regions', '-f', 'value', '-c', 'Region', '-c', 'Name')


@pytest.fixture
def cloud_of() -> Iterator[Callable[..., Regions]]:
    """Return a function that makes a cloud, which is closed after the test."""
    with contextlib.ExitStack() as ends:

        def make(*args: Any) -> Regions:
            regions = Regions(*args)
            for server in (regions.keystone, *regions.regions.values()):
                ends.callback(server.close)
            return regions

        yield make


def row(region: str, number: int) -> list[str]:
    """Return the row of :meth:`Regions.names` for an image."""
    return [region, canned_cloud.image(number)['name']]


def test_unreachable_region_does_not_affect_others(cloud_of):
    cloud = cloud_of(
        {'a': Region(range(2)), 'b': Unreachable(), 'c': Region(range(2, 4))}
    )
    result = cloud.shell.run(*LIST, *NAMES)
    assert result.code == 1
    assert cloud.read(result.out) == [
        row('a', 0),
        row('a', 1),
        row('c', 2),
        row('c', 3),
    ]
    (line,) = result.errors()
    assert line.startswith('Region b: ')


def test_region_that_fails_while_listing_does_not_affect_others(cloud_of):
    def fail(request: Request) -> Response | None:
        if 'marker' in request.query:
            return canned_cloud.fault(500, 'computeFault', 'Out of order')
        return None

    cloud = cloud_of(
        {'a': Region(range(1500), fail), 'b': Region(range(1500, 1502))}
    )
    result = cloud.shell.run(*LIST, *NAMES)
    assert result.code == 1
    assert cloud.read(result.out) == [
        *(row('a', number) for number in range(500)),
        row('b', 1500),
        row('b', 1501),
    ]
    assert result.err.startswith('Region a: ')
    assert 'Out of order' in result.err
    assert result.err.count('\n') == 1


def test_all_regions_unreachable_is_an_error(cloud_of):
    result = cloud_of({'a': Unreachable(), 'b': Unreachable()}).shell.run(
        *LIST, *NAMES
    )
    assert (result.code, result.out) == (1, '')
    first, second, last = result.errors()
    assert first.startswith('Region a: ')
    assert second.startswith('Region b: ')
    assert last == 'Every region failed or was skipped'


def test_show_with_unreachable_region(cloud_of):
    cloud = cloud_of({'a': Unreachable(), 'b': Region(range(1))})
    name = canned_cloud.image(0)['name']
    result = cloud.shell.run(*SHOW, '--all-regions', name, '-f', 'json')
    assert result.code == 1
    assert result.json()['region'] == 'b'
    (line,) = result.errors()
    assert line.startswith('Region a: ')


def test_eight_regions_are_queried_in_parallel(cloud_of):
    # The first pages are sent only when all regions were requested, so no
    # region can have been waited for.
    together = threading.Barrier(8, timeout=PATIENCE)

    def meet(request: Request) -> None:
        if 'marker' not in request.query:
            together.wait()

    cloud = cloud_of(
        {
            f'r{n}': Region(range(2500 * n, 2500 * (n + 1)), meet)
            for n in range(8)
        }
    )
    assert cloud.names() == [
        row(f'r{number // 2500}', number) for number in range(2500 * 8)
    ]
    for region in cloud.regions.values():
        assert region.watch.most == 1
    asked = cloud.keystone.paths()
    assert asked.count('POST /v3/auth/tokens') == 1


def test_at_most_sixteen_regions_in_parallel(cloud_of):
    watch = Watch()

    def linger(request: Request) -> None:
        with watch.serving():
            assert watch.reaches(16)

    cloud = cloud_of(
        {f'r{n:02}': Region(range(n, n + 1), linger) for n in range(20)}
    )
    assert cloud.names() == [row(f'r{n:02}', n) for n in range(20)]
    assert watch.most == 16


def test_regions_of_one_server_are_queried_in_parallel(cloud_of):
    together = threading.Barrier(4, timeout=PATIENCE)
    pages = {f'/{name}/v2.1': range(n, n + 1) for n, name in enumerate('abcd')}
    novas = [
        canned_cloud.Nova([canned_cloud.image(n) for n in images], path)
        for path, images in pages.items()
    ]
    answer = canned_cloud.first_of(*novas)

    def meet(request: Request) -> Response | None:
        together.wait()
        return answer(request)

    region = Region(range(0), meet)
    cloud = cloud_of(
        dict.fromkeys('abcd', region),
        {name: f'/{name}/v2.1' for name in 'abcd'},
    )
    assert cloud.names() == [row(name, n) for n, name in enumerate('abcd')]
    assert len(region.requests) == 4


@pytest.mark.parametrize('formatter', ['value', 'csv'])
def test_first_region_is_printed_while_another_hangs(cloud_of, formatter):
    printed = threading.Event()
    in_time = []

    def get_stuck(request: Request) -> None:
        in_time.append(printed.wait(PATIENCE))

    cloud = cloud_of(
        {'a': Region(range(2)), 'b': Region(range(2, 3), get_stuck)}
    )
    words = (*LIST, '--all-regions', '-f', formatter, '-c', 'Name')
    with subprocess.Popen(
        [executable(), *words],
        env=cloud.shell.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        headers = [process.stdout.readline()] if formatter == 'csv' else []
        first = [process.stdout.readline() for _ in range(2)]
        printed.set()
        rest = process.stdout.read()
    assert process.returncode == 0
    assert in_time == [True]
    assert len(headers) == (formatter == 'csv')
    for number, line in enumerate([*first, rest]):
        assert line.strip('"\n') == canned_cloud.image(number)['name']
