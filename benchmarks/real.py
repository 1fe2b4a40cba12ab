# SPDX-License-Identifier: Apache-2.0

"""A real Nova: page sizes and prefetching.

It uses the cloud of ``tools/devcloud`` on loopback, with some thousands of
images, and the variables ``DEVCLOUD_STATE``, ``DEVCLOUD_CLOUD`` and
``DEVCLOUD_KEEP`` of the functional tests.
"""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any
from typing import Self

from benchmarks import apis
from benchmarks import measure

REGION = 'RegionOne'

#: Page sizes that the client requests from Nova, and values of Nova's
#: ``page_size``, the page size that Nova requests from Glance.
PAGES = tuple(
    (limit, page_size)
    for limit in (100, 200, 500, 1000)
    for page_size in (None, 200, 500, 1000)
    if page_size is None or page_size <= limit
)

COMMANDS = (
    ('compute', 'image', 'list', '-f', 'value'),
    ('image', 'list', '-f', 'value'),
)

_DEVCLOUD = [
    sys.executable,
    str(measure.HERE.parent / 'tools' / 'devcloud'),
    f'--cloud={os.environ.get("DEVCLOUD_CLOUD", "bench")}',
]
_KEEP = bool(os.environ.get('DEVCLOUD_KEEP'))


class RealCloud:
    """A context manager that runs the cloud.

    :param images: number of images to add
    :ivar env: the OS_* variables of its administrator
    """

    def __init__(self, images: int) -> None:
        self._images = images
        self.env: dict[str, str] = {}
        self._pids: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._do('up', *([] if _KEEP else ['--fresh']))
        status = self._status()
        missing = self._images - status['regions'][REGION]['seeded']
        if missing > 0:
            self._do('seed', str(missing))
        user = status['users']['admin']
        self.env = {
            'OS_AUTH_URL': status['keystone_url'],
            'OS_USERNAME': 'admin',
            'OS_PASSWORD': user['password'],
            'OS_PROJECT_NAME': user['project'],
            'OS_USER_DOMAIN_NAME': 'Default',
            'OS_PROJECT_DOMAIN_NAME': 'Default',
            'OS_REGION_NAME': REGION,
            'OS_IDENTITY_API_VERSION': '3',
        }
        self._pids = {
            name: status['pids'][f'{name}-{REGION}']
            for name in ('nova', 'glance')
        }
        return self

    def __exit__(self, *exc: object) -> None:
        if not _KEEP:
            self._do('down')

    def spent(self) -> dict[str, float]:
        """Return the CPU seconds of Nova and Glance; on Linux only."""
        spent = {}
        for name, pid in self._pids.items():
            stat = pathlib.Path(f'/proc/{pid}/stat')
            if stat.exists():
                fields = stat.read_text('ascii').rpartition(')')[2].split()
                ticks = int(fields[11]) + int(fields[12])
                spent[name] = ticks / os.sysconf('SC_CLK_TCK')
        return spent

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self._do('status', '--json'))
        return status

    def _do(self, *words: str) -> str:
        done = subprocess.run(
            [*_DEVCLOUD, *words], stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout


def measured(images: int, runs: int) -> dict[str, Any]:
    """Measure lists of all images of a real cloud."""
    with RealCloud(images) as cloud:
        # The first requests to the services are slower.
        _done, own = measure.subject('list_detail', cloud.env)
        return {
            'images': own['images'],
            'runs': runs,
            'pages': _pages(cloud, runs),
            'ahead': apis.ahead(cloud.env, runs),
            'commands': _commands(cloud, runs),
        }


def _pages(cloud: RealCloud, runs: int) -> list[dict[str, Any]]:
    medians = measure.Medians()
    for number in range(runs):
        for limit, page_size in PAGES:
            name = f'{limit}, page_size {page_size}'
            measure.note(f'run {number + 1}: real cloud, limit {name}')
            query = {'limit': limit}
            if page_size is not None:
                query['page_size'] = page_size
            before = cloud.spent()
            _done, own = measure.subject('list_detail', cloud.env, **query)
            after = cloud.spent()
            cpu = {f'{n}_cpu': after[n] - before[n] for n in after}
            medians.add(name, wall=own['wall'], cpu=own['cpu'], **cpu)
    figures = medians.result().values()
    return [
        {'limit': limit, 'page_size': page_size, **each}
        for (limit, page_size), each in zip(PAGES, figures, strict=True)
    ]


def _commands(cloud: RealCloud, runs: int) -> dict[str, dict[str, float]]:
    medians = measure.Medians()
    for number in range(runs):
        for words in COMMANDS:
            name = ' '.join(words)
            measure.note(f'run {number + 1}: real cloud, {name}')
            done = measure.run([measure.OPENSTACK, *words], cloud.env)
            medians.add(name, wall=done.wall, cpu=done.cpu)
    return medians.result()
