# SPDX-License-Identifier: Apache-2.0

"""The plugin together with other plugins."""

import configparser
import os
from pathlib import Path
import subprocess
import sys

import pytest

from testbed import canned_cloud
from tests.functional.conftest import Result

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

_SETUP = configparser.ConfigParser()
_SETUP.read(_ROOT / 'setup.cfg')
_POINTS = _SETUP['options.entry_points']['openstack.compute.v2']
OURS = {
    line.split(' = ')[0].replace('_', ' ')
    for line in _POINTS.strip().split('\n')
}


class Venv:
    """A venv, and its programs."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith('OS_')},
            'PYTHONWARNINGS': 'ignore',
            **environment,
        }

    def run(self, program: str, *words: str) -> Result:
        """Run a program, which must succeed without output on stderr."""
        result = self.type('', program, *words)
        assert (result.code, result.err) == (0, '')
        return result

    def type(self, typed: str, program: str, *words: str) -> Result:
        """Run a program with this input."""
        done = subprocess.run(
            [self._folder / 'bin' / program, *words],
            # Not in the folder of the sources.
            cwd=self._folder,
            env=self._environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def openstack(self, *words: str) -> Result:
        """Run a command."""
        return self.run('openstack', *words)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Install all plugins in a venv."""
    folder = tmp_path_factory.mktemp('beside') / 'venv'
    uv = Path(sys.executable).with_name('uv')
    for words in (
        ['venv', '--python', sys.executable, folder],
        ['pip', 'install', '--python', folder / 'bin' / 'python',
         *OTHERS, _ROOT],
    ):  # fmt: skip
        subprocess.run([uv, *words, '--quiet'], check=True)
    return folder


@pytest.fixture
def venv(folder, canned):
    """Provide the venv, configured for the canned cloud."""
    return Venv(folder, canned_cloud.environment(canned))


def test_no_duplicate_commands(venv):
    listed = venv.run(
        'python',
        '-c',
        'from importlib.metadata import distributions\n'
        'for d in distributions():\n'
        '    for e in d.entry_points:\n'
        '        if e.group.startswith("openstack."):\n'
        '            print(d.name, e.name.replace("_", " "), sep=":")',
    ).out.splitlines()
    commands = [line.partition(':') for line in listed]
    assert {name for name, _, _ in commands} >= set(OTHERS)
    ours = [(d, c) for d, _, c in commands if c.startswith('compute image')]
    assert sorted(ours) == sorted(('osc-compute-images', c) for c in OURS)


def test_help_of_list(venv):
    assert '--name-pattern' in venv.openstack(
        'help', 'compute', 'image', 'list'
    ).out  # fmt: skip


def test_command_list(venv):
    words = ('-f', 'value', '-c', 'Commands', '--group', 'compute.v2')
    listed = venv.openstack('command', 'list', *words).out
    assert all(name in listed for name in OURS)


def test_completion(venv):
    completion = venv.openstack('complete').out
    verbs = ' '.join(sorted(name.split()[-1] for name in OURS))
    assert f"cmds_compute_image='{verbs}'" in completion
    assert '--name-pattern' in completion


def test_interactive_mode(venv):
    line = 'compute image list -f value -c Name\n'
    names = venv.openstack(*line.split()).out.split()
    assert len(names) == 3
    # The exit code of this mode is always 1.
    result = venv.type(line * 2, 'openstack')
    assert result.err == ''
    assert result.out.split() == names * 2


@pytest.mark.parametrize(
    'command', ['server list --help', 'loadbalancer list --help', '--version']
)
def test_other_commands_import_nothing_heavy(venv, command):
    printed = venv.run(
        'python',
        '-c',
        'import atexit, sys\n'
        'atexit.register(lambda: print("MODULES", *sys.modules))\n'
        'from openstackclient import shell\n'
        'sys.exit(shell.main(sys.argv[1:]))',
        *command.split(),
    ).out
    modules = set(printed.rpartition('MODULES ')[2].split())
    assert 'openstackclient.shell' in modules
    assert 'msgspec' not in modules
    assert not {m for m in modules if m.startswith('osc_compute_images.api')}
