# SPDX-License-Identifier: Apache-2.0

"""What commands take, in counts that do not depend on the clock."""

from collections.abc import Iterator
import contextlib
import json
import subprocess
import sys

import pytest

from testbed import canned_cloud
from tests.functional.conftest import Shell

PLUGIN = 'osc_compute_images'

#: Runs the command, and then tells on the last line of stderr which modules
#: it has imported, and how much memory it has held at most, in kB. What
#: openstacksdk imports only where it is installed, is not.
TELL = """
import atexit, json, os, re, resource, sys

def tell():
    modules = [name for name, module in sys.modules.items() if module]
    if os.path.exists('/proc/self/status'):
        # The other one counts what the parent held, too.
        status = open('/proc/self/status').read()
        peak = int(re.search(r'VmHWM:\\s*(\\d+)', status)[1])
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak //= 1024 if sys.platform == 'darwin' else 1
    sys.__stderr__.write(json.dumps([modules, peak]))

atexit.register(tell)
for optional in ('influxdb', 'keyring', 'prometheus_client', 'statsd'):
    sys.modules[optional] = None
program = sys.argv.pop(1)
sys.argv[0] = program
if program == 'openstack':
    from openstackclient.shell import main
else:
    from osc_compute_images.shell import main
sys.exit(main(sys.argv[1:]))
"""


def told(
    server: canned_cloud.Server, *words: str, program: str = 'openstack'
) -> tuple[set[str], int, int]:
    """Run a command in a process of its own.

    :returns: the modules that it imports, the memory that it holds at most,
        in kB, and the number of lines that it prints
    """
    done = subprocess.run(
        [sys.executable, '-c', TELL, program, *words],
        env=Shell(canned_cloud.environment(server)).environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=True,
    )
    modules, peak = json.loads(done.stderr)
    return set(modules), peak, done.stdout.count(b'\n')


def cloud_of(
    images: int,
) -> contextlib.AbstractContextManager[canned_cloud.Server]:
    """Run a canned cloud of some images."""
    listed = [canned_cloud.image(number) for number in range(images)]
    return canned_cloud.canned_cloud(canned_cloud.Nova(listed))


@pytest.mark.parametrize(
    ('images', 'words', 'requests'),
    [
        (3, ['list'], 3),
        (2500, ['list', '--long'], 5),
        (3, ['list', '--limit', '2'], 3),
        (3, ['show', canned_cloud.image(1)['id']], 3),
        (3, ['show', canned_cloud.image(1)['name']], 4),
    ],
)
def test_no_command_sends_more_requests_than_it_needs(images, words, requests):
    with cloud_of(images) as server:
        shell = Shell(canned_cloud.environment(server))
        shell('compute', 'image', *words)
        paths = server.paths()
    assert len(paths) <= requests, paths


@pytest.mark.parametrize('words', [['--version'], ['token', 'issue']])
def test_other_commands_import_none_of_what_images_need(canned, words):
    modules, _peak, _lines = told(canned, *words)
    assert 'openstackclient.shell' in modules
    # NOTE: rich comes with cliff's own dependencies.
    assert modules.isdisjoint({'msgspec', f'{PLUGIN}.api'})


def test_a_listing_imports_its_decoder(canned):
    # Else the test above would prove nothing.
    modules, _peak, _lines = told(canned, 'compute', 'image', 'list')
    assert {'msgspec', f'{PLUGIN}.api'} <= modules


@pytest.fixture(scope='module')
def clouds() -> Iterator[dict[int, canned_cloud.Server]]:
    """Provide clouds of one image and of many, which are made only once."""
    with cloud_of(1) as small, cloud_of(30_000) as large:
        yield {1: small, 30_000: large}


@pytest.mark.parametrize('output', ['csv', 'value'])
def test_the_memory_of_a_command_does_not_grow_with_the_list(clouds, output):
    peaks = {}
    for images, server in clouds.items():
        _modules, peaks[images], lines = told(
            server, 'compute', 'image', 'list', '--long', '-f', output
        )
        assert lines - (output == 'csv') == images
    assert peaks[30_000] - peaks[1] < 12_000, peaks


#: What "openstack" imports, and a command on images has no use for.
UNUSED = {
    *('cliff.interactive', 'cmd2', 'dogpile', 'keystoneclient', 'msgpack'),
    *('openstack.block_storage', 'openstack.cloud', 'openstack.compute'),
    *('openstack.connection', 'openstackclient', 'osc_lib.clientmanager'),
    *('osc_lib.shell', 'psutil', 'rich', 'cinderclient', 'novaclient'),
}


def test_openstack_imports_what_compute_image_does_not(canned):
    # Else the test below would prove nothing.
    modules, _peak, _lines = told(canned, 'compute', 'image', 'list')
    assert len(UNUSED & modules) > len(UNUSED) / 2


@pytest.mark.parametrize(
    'words',
    [['list'], ['list', '-f', 'json'], ['show', 'cirros-0.6.2-000001']],
)
def test_compute_image_imports_nothing_that_is_not_used(canned, words):
    modules, peak, lines = told(canned, *words, program='compute-image')
    assert lines > 3
    assert modules.isdisjoint(UNUSED), modules & UNUSED
    unused = {'delete', 'list', 'set', 'show', 'summary', 'unset'} - {*words}
    assert modules.isdisjoint(f'{PLUGIN}.commands.{name}' for name in unused)
    assert peak < 50 * 1024
