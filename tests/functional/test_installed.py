# SPDX-License-Identifier: Apache-2.0

"""The plugin among others, and the Python API alone, each in a venv."""

from importlib import metadata
import json
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


@pytest.fixture(scope='module')
def beside(tmp_path_factory):
    """Install all plugins; return the folder of the programs."""
    folder = tmp_path_factory.mktemp('beside') / 'venv'
    return made_venv(folder, *OTHERS, _ROOT)


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


def test_commands_conflict_with_no_other(beside):
    """As the job checks: they can be loaded, and all can be called."""
    printed = run({}, beside / 'python', '-c', _CHECK, cwd=beside)
    points = [line.partition(':')[::2] for line in printed.splitlines()]
    assert {name for name, _ in points} >= set(OTHERS)
    commands = [command for _, command in points]
    assert all(commands.count(ours) == 1 for ours in OURS)
    assert {
        command for name, command in points if name == 'osc-compute-images'
    } == OURS
    # A command that begins another one hides it.
    assert not [
        (ours, other)
        for ours in OURS
        for other in {*commands} - {ours}
        if f'{ours} '.startswith(f'{other} ')
        or f'{other} '.startswith(f'{ours} ')
    ]


def test_command(beside, canned):
    words = ('compute', 'image', 'list', '-f', 'value', '-c', 'Name')
    environment = canned_cloud.environment(canned)
    listed = run(environment, beside / 'openstack', *words, cwd=beside)
    assert len(listed.split()) == 3


# --- the API without OpenStackClient --------------------------------------

_PROGRAM = """
import json
import sys

from keystoneauth1 import adapter, loading, session
from osc_compute_images.api import ImageNotFound, ImagesAPI, filters

settings = json.loads(sys.argv[1])
auth = loading.get_plugin_loader('password').load_from_options(**settings)
api = ImagesAPI(
    adapter.Adapter(session.Session(auth), service_type='compute')
)
(chosen,) = api.list_detail(where=filters.name_regex('2$'))
api.delete(chosen)
try:
    api.get(chosen)
except ImageNotFound:
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
    deleted = [path for path in canned.paths() if 'DELETE' in path]
    assert deleted == [f'DELETE /v2.1/images/{image_id}']
    unwanted = {'osc_lib', 'cliff', 'openstack', 'openstackclient'}
    assert unwanted.isdisjoint(modules)
