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
#: it has imported, and how much memory it has held at most, in kB.
TELL = """
import atexit, json, re, sys

def tell():
    modules = [*sys.modules]
    status = open('/proc/self/status').read()
    peak = int(re.search(r'VmHWM:\\s*(\\d+)', status)[1])
    sys.__stderr__.write(json.dumps([modules, peak]))

atexit.register(tell)
from openstackclient.shell import main
sys.exit(main(sys.argv[1:]))
"""


def told(
    server: canned_cloud.Server, *words: str
) -> tuple[set[str], int, int]:
    """Run a command in a process of its own.

    :returns: the modules that it imports, the memory that it holds at most,
        in kB, and the number of lines that it prints
    """
    done = subprocess.run(
        [sys.executable, '-c', TELL, *words],
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
