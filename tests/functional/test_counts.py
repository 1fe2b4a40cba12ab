# SPDX-License-Identifier: Apache-2.0

"""Requests, imports and memory of commands: counts independent of time."""

from collections.abc import Iterator
import contextlib
import json
import subprocess
import sys

import pytest

from testbed import canned_cloud
from tests.functional.conftest import Shell

PLUGIN = 'osc_compute_images'

#: Runs a command, and then writes its imported modules and its peak memory in
#: kB as the last line of stderr. Optional dependencies of openstacksdk are not
#: imported.
MEASURE = """
import atexit, json, os, re, resource, sys

def report():
    modules = [name for name, module in sys.modules.items() if module]
    if os.path.exists('/proc/self/status'):
        # getrusage would include the memory of the parent.
        status = open('/proc/self/status').read()
        peak = int(re.search(r'VmHWM:\\s*(\\d+)', status)[1])
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak //= 1024 if sys.platform == 'darwin' else 1
    sys.__stderr__.write(json.dumps([modules, peak]))

atexit.register(report)
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


def run_and_measure(
    server: canned_cloud.Server, *words: str, program: str = 'openstack'
) -> tuple[set[str], int, int]:
    """Run a command in its own process.

    :returns: the modules that it imports, its peak memory in kB, and the
        number of lines that it prints
    """
    done = subprocess.run(
        [sys.executable, '-c', MEASURE, program, *words],
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
    """Run a canned cloud with this number of images."""
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
def test_number_of_requests(images, words, requests):
    with cloud_of(images) as server:
        shell = Shell(canned_cloud.environment(server))
        shell('compute', 'image', *words)
        paths = server.paths()
    assert len(paths) <= requests, paths


@pytest.mark.parametrize('words', [['--version'], ['token', 'issue']])
def test_other_commands_do_not_import_the_api(canned, words):
    modules, _peak, _lines = run_and_measure(canned, *words)
    assert 'openstackclient.shell' in modules
    # NOTE: rich comes with cliff's own dependencies.
    assert modules.isdisjoint({'msgspec', f'{PLUGIN}.api'})


def test_list_imports_decoder(canned):
    # Otherwise the test above would prove nothing.
    modules, _peak, _lines = run_and_measure(
        canned, 'compute', 'image', 'list'
    )
    assert {'msgspec', f'{PLUGIN}.api'} <= modules


@pytest.fixture(scope='module')
def clouds() -> Iterator[dict[int, canned_cloud.Server]]:
    """Provide clouds with one image and with many."""
    with cloud_of(1) as small, cloud_of(30_000) as large:
        yield {1: small, 30_000: large}


@pytest.mark.parametrize('output', ['csv', 'value'])
def test_memory_does_not_grow_with_list(clouds, output):
    peaks = {}
    for images, server in clouds.items():
        _modules, peaks[images], lines = run_and_measure(
            server, 'compute', 'image', 'list', '--long', '-f', output
        )
        assert lines - (output == 'csv') == images
    assert peaks[30_000] - peaks[1] < 12_000, peaks


#: Modules that "openstack" imports, and commands on images do not use.
UNUSED = {
    *('cmd2', 'dogpile', 'keystoneclient', 'msgpack', 'openstackclient'),
    *('openstack.block_storage', 'openstack.cloud', 'openstack.compute'),
    *('psutil', 'rich', 'cinderclient', 'novaclient'),
}


def test_openstack_imports_modules_that_compute_image_does_not(canned):
    # Otherwise the test below would prove nothing.
    modules, _peak, _lines = run_and_measure(
        canned, 'compute', 'image', 'list'
    )
    assert len(UNUSED & modules) > len(UNUSED) / 2


@pytest.mark.parametrize(
    'words',
    [['list'], ['list', '-f', 'json'], ['show', 'cirros-0.6.2-000001']],
)
def test_compute_image_imports_no_unused_modules(canned, words):
    modules, peak, lines = run_and_measure(
        canned, *words, program='compute-image'
    )
    assert lines > 3
    assert modules.isdisjoint(UNUSED), modules & UNUSED
    unused = {'delete', 'list', 'set', 'show', 'summary', 'unset'} - {*words}
    assert modules.isdisjoint(f'{PLUGIN}.commands.{name}' for name in unused)
    assert peak < 50 * 1024
