# SPDX-License-Identifier: Apache-2.0

"""The Python API without OpenStackClient, in its own venv."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from testbed import canned_cloud

ROOT = pathlib.Path(__file__).parents[2]

PROGRAM = """\
import json
import sys

from keystoneauth1 import adapter
from keystoneauth1 import session
from keystoneauth1.identity import v3

from osc_compute_images.api import filters
from osc_compute_images.api import ImageNotFound
from osc_compute_images.api import ImagesAPI

auth = v3.Password(
    auth_url=sys.argv[1],
    username='demo',
    password=sys.argv[2],
    project_name='demo',
    user_domain_name='Default',
    project_domain_name='Default',
)
api = ImagesAPI(
    adapter.Adapter(session.Session(auth), service_type='compute')
)
listed = [image.id for image in api.list_detail({'limit': 2})]
(chosen,) = api.list_detail(
    where=filters.name_regex('[02]$') & ~filters.name(sys.argv[3])
)
api.delete(chosen)
api.delete(chosen, ignore_missing=True)
try:
    api.get(chosen)
except ImageNotFound as e:
    error = str(e)
modules = {name.partition('.')[0] for name in sys.modules}
print(json.dumps([listed, chosen.to_dict(), error, sorted(modules)]))
"""


def run(*words: str | pathlib.Path) -> str:
    done = subprocess.run(
        [*map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=ROOT.parent,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def python(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Make the venv as the documentation says."""
    uv = (sys.executable, '-m', 'uv', '--quiet')
    venv = tmp_path_factory.mktemp('alone') / 'venv'
    run(*uv, 'venv', '--python', sys.executable, venv)
    python = venv / 'bin' / 'python'
    install = (*uv, 'pip', 'install', '--python', python)
    run(*install, 'keystoneauth1', 'msgspec', 'regex')
    run(*uv, 'pip', 'check', '--python', python)
    installed = run(*uv, 'pip', 'list', '--python', python)
    assert 'keystoneauth1' in installed
    assert 'osc-lib' not in installed
    return python


def test_list_select_and_delete(python):
    images = [canned_cloud.image(number) for number in range(3)]
    ids = [image['id'] for image in images]
    with canned_cloud.canned_cloud(canned_cloud.Nova([*images])) as server:
        out = run(
            *(python, '-c', PROGRAM, f'{server.url}/v3'),
            *(canned_cloud.PASSWORD, images[0]['name']),
        )
    listed, chosen, error, modules = json.loads(out)
    assert listed == ids
    assert (chosen['id'], chosen['name']) == (ids[2], images[2]['name'])
    assert error.startswith('Image not found.')
    assert not {'osc_lib', 'cliff', 'openstack', 'openstackclient'} & {
        *modules
    }
    deleted = [r.path for r in server.requests if r.method == 'DELETE']
    assert deleted == [f'/v2.1/images/{ids[2]}'] * 2
