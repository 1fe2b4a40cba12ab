# SPDX-License-Identifier: Apache-2.0

"""The start of a command, which dominates on a small cloud.

Each command lists one image. The floor does that with the standard library
only: it logs in, sends the request, and prints.
"""

from collections.abc import Sequence
import pathlib
import sys
import tempfile

from benchmarks import measure
from benchmarks.startup import instructions

_BIN = pathlib.Path(sys.executable).parent

_FLOOR = """
import json, os, urllib.request
env = os.environ
user = {'name': env['OS_USERNAME'], 'password': env['OS_PASSWORD'],
        'domain': {'name': env['OS_USER_DOMAIN_NAME']}}
scope = {'project': {'name': env['OS_PROJECT_NAME'],
         'domain': {'name': env['OS_PROJECT_DOMAIN_NAME']}}}
auth = {'identity': {'methods': ['password'], 'password': {'user': user}},
        'scope': scope}
request = urllib.request.Request(
    env['OS_AUTH_URL'] + '/auth/tokens',
    data=json.dumps({'auth': auth}).encode(),
    headers={'Content-Type': 'application/json'},
)
with urllib.request.urlopen(request) as answer:
    token = answer.headers['X-Subject-Token']
    catalog = json.load(answer)['token']['catalog']
url = next(e['url'] for s in catalog if s['type'] == 'compute'
           for e in s['endpoints'] if e['interface'] == 'public')
request = urllib.request.Request(
    url + '/images/detail?limit=1', headers={'X-Auth-Token': token}
)
with urllib.request.urlopen(request) as answer:
    for image in json.load(answer)['images']:
        print(image['id'], image['name'], image['status'])
"""

FLOOR = 'floor: the standard library alone'
OURS = 'compute-image list'
CLIENT = 'openstack compute image list'


def commands(words: Sequence[str] = ('--limit', '1')) -> dict[str, list[str]]:
    """Return the command lines, by name."""
    openstack = str(_BIN / 'openstack')
    return {
        FLOOR: [sys.executable, '-c', _FLOOR],
        OURS: [str(_BIN / 'compute-image'), 'list', *words],
        'openstack --version': [openstack, '--version'],
        CLIENT: [openstack, 'compute', 'image', 'list', *words],
        'openstack image list': [openstack, 'image', 'list', *words],
    }


def measured(
    nova: measure.Cloud, glance: measure.Cloud, runs: int, *, quick: bool
) -> dict[str, dict[str, float]]:
    """Measure the start of each command.

    :returns: requests, bytes, CPU seconds, MB and, if valgrind is installed,
        instructions
    """
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as cache:
        for name, command in commands().items():
            cloud = glance if name == 'openstack image list' else nova
            env = {**cloud.env, 'XDG_CACHE_HOME': cache}
            measure.note(f'start: {name}')
            # The first run fills the caches of byte code and entry points.
            measure.run(command, env)
            medians = measure.Medians()
            for _ in range(3 * runs):
                cloud.statistics()
                done = measure.run(command, env)
                figures = cloud.statistics()
                medians.add(
                    name,
                    requests=figures['requests'],
                    bytes=figures['bytes'],
                    cpu=done.cpu,
                    rss=done.rss,
                )
            results[name] = medians.result()[name]
            count = None if quick else instructions(command, env)
            if count is not None:
                results[name]['instructions'] = count
    return results
