# SPDX-License-Identifier: Apache-2.0

"""The plugin among others, and the Python API alone, each in a venv."""

import json
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


def run(environment, *words, **more):
    """Run a program, without output on stderr; return its output."""
    environment = Shell(environment).environment
    result = fresh(words, environment, timeout=600, **more)
    assert (result.code, result.err) == (0, '')
    return result.out


def made_venv(folder, *wanted):
    """Install into a venv; return the folder of its programs."""
    uv = (sys.executable, '-m', 'uv', '--quiet')
    python = folder / 'bin' / 'python'
    run({}, *uv, 'venv', '--python', sys.executable, folder)
    run({}, *uv, 'pip', 'install', '--python', python, *wanted)
    return folder / 'bin'


# --- beside other plugins -------------------------------------------------

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
    programs = made_venv(tmp_path / 'venv', *OTHERS, _ROOT)
    python = programs / 'python'
    printed = run({}, python, '-c', _CHECK, cwd=tmp_path)
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
    environment = canned_cloud.environment(canned)
    listed = run(environment, programs / 'openstack', *words, cwd=tmp_path)
    assert len(listed.split()) == 3


# --- the API without OpenStackClient --------------------------------------

_PROGRAM = """
import json
import sys

from keystoneauth1 import adapter, loading, session
from osc_compute_images.api import ImagesAPI, filters

settings = json.loads(sys.argv[1])
auth = loading.get_plugin_loader('password').load_from_options(**settings)
api = ImagesAPI(
    adapter.Adapter(session.Session(auth), service_type='compute')
)
(chosen,) = api.list_detail(where=filters.name_regex('2$'))
print(chosen.id, *{name.partition('.')[0] for name in sys.modules})
"""


def test_api_alone(canned, tmp_path):
    # As the documentation says.
    needed = ('keystoneauth1', 'msgspec', 'regex')
    programs = made_venv(tmp_path / 'venv', *needed)
    settings = {
        name.removeprefix('OS_').lower(): value
        for name, value in canned_cloud.environment(canned).items()
    }
    for other in ('region_name', 'identity_api_version'):
        del settings[other]
    image_id, *modules = run(
        {'PYTHONPATH': str(_ROOT)},
        *(programs / 'python', '-c', _PROGRAM, json.dumps(settings)),
        cwd=tmp_path,
    ).split()
    assert image_id == canned_cloud.image(2)['id']
    unwanted = {'osc_lib', 'cliff', 'openstack', 'openstackclient'}
    assert unwanted.isdisjoint(modules)
