# SPDX-License-Identifier: Apache-2.0

"""The plugin among others, in a venv."""

from pathlib import Path
import sys

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


def test_commands_conflict_with_no_other(canned, tmp_path):
    """As the job checks: they can be loaded, and all can be called."""
    environment = Shell(canned_cloud.environment(canned)).environment

    def run(*words):
        result = fresh(words, environment, timeout=600, cwd=tmp_path)
        assert (result.code, result.err) == (0, '')
        return result.out

    uv = (sys.executable, '-m', 'uv', '--quiet')
    programs = tmp_path / 'venv' / 'bin'
    python = programs / 'python'
    run(*uv, 'venv', '--python', sys.executable, programs.parent)
    run(*uv, 'pip', 'install', '--python', python, *OTHERS, _ROOT)
    printed = run(python, '-c', _CHECK)
    points = [line.partition(':')[::2] for line in printed.splitlines()]
    assert {name for name, _ in points} >= {*OTHERS, 'osc-compute-images'}
    ours = {name for at, name in points if at == 'osc-compute-images'}
    commands = [command for _, command in points]
    assert all(commands.count(command) == 1 for command in ours)
    # A command that begins another one hides it.
    assert not [
        (one, other)
        for one in ours
        for other in {*commands} - {one}
        if f'{one} '.startswith(f'{other} ')
        or f'{other} '.startswith(f'{one} ')
    ]
    words = ('compute', 'image', 'list', '-f', 'value', '-c', 'Name')
    listed = run(programs / 'openstack', *words)
    assert len(listed.split()) == 3
