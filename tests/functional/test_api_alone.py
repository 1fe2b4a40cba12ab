# SPDX-License-Identifier: Apache-2.0

"""The Python API without OpenStackClient, in its own venv."""

import json
import os
import pathlib
import sys

from testbed import canned_cloud
from tests.functional.shell import fresh

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
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    result = fresh([*map(str, words)], environment, cwd=ROOT.parent)
    assert result.code == 0, result.err
    return result.out


def test_list_select_and_delete(tmp_path):
    # As the documentation says.
    uv = (sys.executable, '-m', 'uv', '--quiet')
    run(*uv, 'venv', '--python', sys.executable, tmp_path / 'venv')
    python = tmp_path / 'venv' / 'bin' / 'python'
    here = ('--python', python)
    needed = ('keystoneauth1', 'msgspec', 'regex')
    run(*uv, 'pip', 'install', *here, *needed)
    run(*uv, 'pip', 'check', *here)
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
