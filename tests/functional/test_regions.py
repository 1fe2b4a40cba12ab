# SPDX-License-Identifier: Apache-2.0

"""Commands for several regions: two real ones, and canned ones."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import json
import pathlib
import socket
import subprocess
import threading
from typing import Any

import pytest

from testbed import canned_cloud
from testbed.canned_cloud import after_the_first_page
from testbed.canned_cloud import always
from testbed.canned_cloud import fault
from tests.functional.conftest import executable
from tests.functional.conftest import Glance
from tests.functional.conftest import search_path
from tests.functional.conftest import Shell
from tests.functional.terminal import PATIENCE

IMAGE = ('compute', 'image')
LIST = (*IMAGE, 'list')
SHOW = (*IMAGE, 'show')

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


def test_regions_are_listed_one_after_another(cloud, demo, by_region):
    one, two = by_region.values()
    assert demo.images('--all-regions') == one + two
    assert demo.images('--region', 'RegionTwo') == two
    most = str(len(one) + 2)
    assert demo.images('--all-regions', '--limit', most) == one + two[:2]
    rows = demo.images('--all-clouds', '--all-regions')
    users = json.loads(pathlib.Path(cloud.facts['clouds_yaml']).read_text())
    assert {row['Cloud'] for row in rows} == {*users['clouds']}
    mine = [row for row in rows if row.pop('Cloud') == 'demo']
    assert mine == one + two


def test_server_and_flavor_are_looked_up_in_each_region(cloud, demo):
    servers = {
        region: cloud.facts['servers'][region]['web-1']
        for region in ('RegionOne', 'RegionTwo')
    }
    rows = demo.images('--all-regions', '--server', 'web-1')
    assert {row['Region']: row['Server ID'] for row in rows} == servers
    words = ('--all-regions', '--flavor', 'gpu.only-one', '-f', 'json')
    result = demo.run(*LIST, *words)
    assert result.code == 0
    assert {row['Region'] for row in result.json()} == {'RegionOne'}
    assert result.err.startswith('Region RegionTwo is skipped: No flavor')


def test_image_is_shown_wherever_it_is(demo, by_region):
    one, two = by_region.values()
    rows = {row['Name']: row for row in two}
    there = rows['only-in-two']
    shown = demo(*SHOW, '--all-regions', 'only-in-two', '-f', 'json').json()
    assert (shown['region'], shown['id']) == ('RegionTwo', there['ID'])
    # Another image of the first region has this ID.
    same = rows['replicated']['ID']
    assert same in [row['ID'] for row in one]
    line = demo.fails(*SHOW, '--all-regions', same)
    assert line.endswith(f'one: RegionOne {same}, RegionTwo {same}')


def test_endpoint_override_with_all_regions_is_an_error(cloud, configured):
    url = cloud.facts['regions']['RegionOne']['compute_url']
    shell = configured(compute_endpoint_override=url)
    line = shell.fails(*LIST, '--all-regions')
    assert 'overrides the Compute endpoint' in line


@pytest.fixture
def twins(cloud) -> Iterator[list[Callable[[], dict[str, Any] | None]]]:
    """Provide two images named ``twin``, one in each region."""
    with contextlib.ExitStack() as stack:
        found = []
        for region in ('RegionOne', 'RegionTwo'):
            glance = Glance(cloud, 'demo', region)
            # By default it would be shared, and not be changed.
            image_id = glance.create(name='twin', visibility='private')
            stack.callback(glance.delete, image_id)
            found.append(lambda g=glance, i=image_id: g.image(i))
        yield found


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


def test_listed_image_is_deleted_in_its_region_only(demo, twins):
    listed = (
        'openstack compute image list --region RegionTwo --name twin '
        '-f value -c ID | xargs openstack compute image delete'
    )
    elsewhere = pipe(demo, listed)
    # The exit code of xargs.
    assert elsewhere.returncode == 123
    assert 'No image with a name or ID of' in elsewhere.stderr
    assert all(image() for image in twins)
    there = pipe(demo, f'{listed} --region RegionTwo')
    assert (there.returncode, there.stderr) == (0, '')
    one, two = twins
    assert (one() is None, two() is None) == (False, True)


def test_properties_are_changed_in_named_region_only(demo, twins):
    both = ('--region', 'RegionOne', '--region', 'RegionTwo', 'twin')
    change = ('--property', 'a=b')
    result = demo.run(*IMAGE, 'set', *change, *both)
    assert result.code == 1
    assert "2 images have the name or ID 'twin'" in result.err
    one, two = twins
    demo(*IMAGE, 'set', *change, *both[2:])
    assert ('a' in one(), two()['a']) == (False, 'b')
    demo(*IMAGE, 'unset', '--property', 'a', *both[2:])
    assert 'a' not in two()


# --- canned clouds --------------------------------------------------------


@contextlib.contextmanager
def regions_of(**handlers: canned_cloud.Handler) -> Iterator[Shell]:
    """Provide the shell of a cloud with these regions, and a dead one."""
    with contextlib.ExitStack() as stack:
        # The port is bound, but nothing listens.
        closed = stack.enter_context(socket.socket())
        closed.bind(('127.0.0.1', 0))
        urls = {'dead': f'http://127.0.0.1:{closed.getsockname()[1]}/v2.1'}
        for name, handler in handlers.items():
            server = stack.enter_context(canned_cloud.Server(handler))
            urls[name] = f'{server.url}/v2.1'
        keystone = stack.enter_context(
            canned_cloud.Server(canned_cloud.keystone(urls))
        )
        yield Shell(canned_cloud.environment(keystone))


def nova_of(images: range) -> canned_cloud.Nova:
    """Return a Nova with these images."""
    return canned_cloud.Nova([canned_cloud.image(n) for n in images])


NAMES = ('--all-regions', '-f', 'value', '-c', 'Region', '-c', 'Name')


def test_failing_regions_do_not_affect_others():
    boom = always(
        fault(500, 'computeFault', 'boom'), where=after_the_first_page
    )
    failing = canned_cloud.first_of(boom, nova_of(range(1500)))
    with regions_of(a=failing, z=nova_of(range(1500, 1502))) as shell:
        listed = shell.run(*LIST, *NAMES)
        name = canned_cloud.image(1501)['name']
        shown = shell.run(*SHOW, '--all-regions', name, '-f', 'json')
    # Three regions share what a page may have.
    assert listed.out.splitlines() == [
        f'{"a" if n < 1500 else "z"} {canned_cloud.image(n)["name"]}'
        for n in (*range(1000 // 3), 1500, 1501)
    ]
    assert [line.split(':')[0] for line in listed.errors()] == [
        'Region a',
        'Region dead',
    ]
    assert shown.json()['region'] == 'z'
    assert shown.errors()[-1].startswith('Region dead: ')
    assert (listed.code, shown.code) == (1, 1)


def test_all_regions_unreachable_is_an_error():
    with regions_of() as shell:
        result = shell.run(*LIST, *NAMES)
    assert (result.code, result.out) == (1, '')
    first, last = result.errors()
    assert first.startswith('Region dead: ')
    assert last == 'Every region failed or was skipped'


@pytest.mark.parametrize('form', ['value', 'csv'])
def test_first_region_is_printed_while_another_hangs(form):
    printed = threading.Event()

    def hang(_request: canned_cloud.Request) -> None:
        assert printed.wait(PATIENCE)

    hanging = canned_cloud.first_of(hang, nova_of(range(2, 3)))
    with regions_of(a=nova_of(range(2)), b=hanging) as shell:
        words = (*LIST, '--region', 'a', '--region', 'b', '-f', form)
        with subprocess.Popen(
            [executable(), *words, '-c', 'Name'],
            env=shell.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            lines = [process.stdout.readline() for _ in range(2)]
            if form == 'csv':
                lines = [lines[1], process.stdout.readline()]
            printed.set()
            lines += process.stdout.readlines()
    assert process.returncode == 0
    assert [line.strip('"\n') for line in lines] == [
        canned_cloud.image(n)['name'] for n in range(3)
    ]
