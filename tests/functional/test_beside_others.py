# SPDX-License-Identifier: Apache-2.0

"""The plugin together with other plugins."""

from importlib import metadata
from pathlib import Path
import sys

import pytest

from testbed import canned_cloud
from tests.functional.shell import fresh
from tests.functional.shell import Shell

_ROOT = Path(__file__).parents[2]

#: The plugins of OpenStackClient's own job "openstackclient-check-plugins",
#: except pankoclient, which has no release, and tripleoclient, which lacks
#: pkg_resources; and some others.
OTHERS = (
    *('aodhclient', 'gnocchiclient', 'osc-placement'),
    *(
        f'python-{name}client'
        for name in (
            *('barbican', 'cloudkitty', 'congress', 'cyborg', 'designate'),
            *('heat', 'ironic', 'ironic-inspector-', 'karbor', 'magnum'),
            *('manila', 'masakari', 'mistral', 'murano', 'neutron'),
            *('octavia', 'qinling', 'rsd', 'sahara', 'searchlight', 'senlin'),
            *('tacker', 'trove', 'vitrage', 'watcher', 'zaqar', 'zun'),
        )
    ),
)

OURS = {
    point.name.replace('_', ' ')
    for point in metadata.distribution('osc-compute-images').entry_points
    if point.group == 'openstack.compute.v2'
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Install all plugins in a venv."""
    folder = tmp_path_factory.mktemp('beside') / 'venv'
    python = folder / 'bin' / 'python'
    for words in (
        ['venv', '--python', sys.executable, folder],
        ['pip', 'install', '--python', python, *OTHERS, _ROOT],
    ):
        uv = [sys.executable, '-m', 'uv', '--quiet']
        result = fresh([*uv, *words], Shell({}).environment, timeout=600)
        assert result.code == 0, result.err
    return folder


@pytest.fixture
def run(folder, canned):
    """Return a function that runs a program, without output on stderr."""
    environment = Shell(canned_cloud.environment(canned)).environment

    def run(program: str, *words: str) -> str:
        # Not in the folder of the sources.
        words = [folder / 'bin' / program, *words]
        result = fresh(words, environment, cwd=folder)
        assert (result.code, result.err) == (0, '')
        return result.out

    return run


_CHECK = """
from importlib.metadata import distributions
for distribution in distributions():
    for point in distribution.entry_points:
        if point.group.startswith("openstack.") and ":" in point.value:
            name = point.name.replace("_", " ")
            print(distribution.name, name, sep=":")
            if distribution.name == "osc-compute-images":
                point.load()
"""


def test_commands_conflict_with_no_other(run):
    """As the job checks: they can be loaded, and all can be called."""
    points = [
        line.partition(':')[::2]
        for line in run('python', '-c', _CHECK).splitlines()
    ]
    assert {name for name, _ in points} >= set(OTHERS)
    commands = [command for _, command in points]
    assert all(commands.count(ours) == 1 for ours in OURS)
    assert set(OURS) == {
        command for name, command in points if name == 'osc-compute-images'
    }
    # A command that begins another one hides it.
    assert not [
        (ours, other)
        for ours in OURS
        for other in commands
        if f'{ours} '.startswith(f'{other} ') != (ours == other)
        or f'{other} '.startswith(f'{ours} ') != (ours == other)
    ]


def test_command_and_completion(run):
    words = ('compute', 'image', 'list', '-f', 'value', '-c', 'Name')
    assert len(run('openstack', *words).split()) == 3
    completion = run('openstack', 'complete')
    verbs = ' '.join(sorted(name.split()[-1] for name in OURS))
    assert f"cmds_compute_image='{verbs}'" in completion
    assert '--name-pattern' in completion


def test_other_commands_import_nothing_heavy(run):
    printed = run(
        'python',
        '-c',
        'import atexit, sys\n'
        'atexit.register(lambda: print("MODULES", *sys.modules))\n'
        'from openstackclient import shell\n'
        'sys.exit(shell.main(sys.argv[1:]))',
        *('loadbalancer', 'list', '--help'),
    )
    modules = set(printed.rpartition('MODULES ')[2].split())
    assert 'openstackclient.shell' in modules
    assert 'msgspec' not in modules
    assert not {m for m in modules if m.startswith('osc_compute_images.api')}
