# SPDX-License-Identifier: Apache-2.0

"""Imports and memory of commands: counts independent of time."""

import json
import sys

import pytest

from testbed import canned_cloud
from tests.functional.shell import fresh
from tests.functional.shell import Shell

PLUGIN = 'osc_compute_images'

#: Runs a command, and then writes its imported modules and its peak memory in
#: kB as the last line of stderr. Optional dependencies of openstacksdk are not
#: imported.
MEASURE = """
import atexit, json, re, sys

def report():
    modules = [name for name, module in sys.modules.items() if module]
    # getrusage would include the memory of the parent.
    status = open('/proc/self/status').read()
    peak = int(re.search(r'VmHWM:\\s*(\\d+)', status)[1])
    sys.__stderr__.write(json.dumps([modules, peak]))

atexit.register(report)
for optional in ('influxdb', 'keyring', 'prometheus_client', 'statsd'):
    sys.modules[optional] = None
sys.argv[0] = 'compute-image'
from osc_compute_images.shell import main
sys.exit(main(sys.argv[1:]))
"""


#: Modules that "openstack" imports, and commands on images do not use.
UNUSED = {
    *('cmd2', 'dogpile', 'keystoneclient', 'msgpack', 'openstackclient'),
    *('openstack.block_storage', 'openstack.cloud', 'openstack.compute'),
    *('psutil', 'rich', 'cinderclient', 'novaclient'),
}


def run_and_measure(
    server: canned_cloud.Server, *words: str
) -> tuple[set[str], int, int]:
    """Run a command in its own process.

    :returns: the modules that it imports, its peak memory in kB, and the
        number of lines that it prints
    """
    result = fresh(
        [sys.executable, '-c', MEASURE, *words],
        Shell(canned_cloud.environment(server)).environment,
    )
    assert result.code == 0
    modules, peak = json.loads(result.err)
    return set(modules), peak, result.out.count('\n')


def test_memory_does_not_grow_with_list():
    peaks = []
    for count in (1, 20_000):
        nova = canned_cloud.Nova(map(canned_cloud.image, range(count)))
        with canned_cloud.canned_cloud(nova) as server:
            words = ('list', '--long', '-f', 'csv')
            _modules, peak, lines = run_and_measure(server, *words)
        assert lines == count + 1
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 12_000, peaks


@pytest.mark.parametrize(
    'words',
    [['list', '-f', 'json'], ['show', 'cirros-0.6.2-000001']],
)
def test_compute_image_imports_no_unused_modules(canned, words):
    modules, peak, lines = run_and_measure(canned, *words)
    assert lines > 3
    assert modules.isdisjoint(UNUSED), modules & UNUSED
    unused = {'delete', 'list', 'set', 'show', 'summary', 'unset'} - {*words}
    assert modules.isdisjoint(f'{PLUGIN}.commands.{name}' for name in unused)
    assert peak < 50 * 1024
