# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Measure everything, and write it to results.json.

All is measured on this machine in one go, on the same bytes from a canned
server, each run in a process of its own. Figures of different machines, or of
different days, do not compare; the ratios within one file do.
"""

import argparse
from collections.abc import Callable
from collections.abc import Mapping
import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import sys
import tempfile
from typing import Any

import golang
import measure
import report
import startup

RESULTS = measure.HERE / 'results.json'
LISTS = tuple(
    (f'{name}{long}', ['-f', name, *long.split()])
    for name in ('csv', 'value', 'json', 'table')
    for long in ('', ' --long')
)
LIST = [measure.OPENSTACK, 'compute', 'image', 'list']


def note(text: str) -> None:
    """Say on stderr what is done now."""
    print(text, file=sys.stderr, flush=True)


class Medians:
    """Collects runs, and makes medians of them."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[str, list[float]]] = {}

    def add(self, name: str, **figures: float) -> None:
        """Add a run of something."""
        of_name = self._runs.setdefault(name, {})
        for figure, value in figures.items():
            of_name.setdefault(figure, []).append(value)

    def result(self) -> dict[str, dict[str, float]]:
        """Return the medians, by name and figure."""
        return {
            name: {f: measure.median(values) for f, values in figures.items()}
            for name, figures in self._runs.items()
        }


def _api_run(
    medians: Medians, name: str, cloud: measure.Cloud, command: list[str]
) -> None:
    cloud.told()
    done = measure.run(command, cloud.env, keep=True)
    told = cloud.told()
    own = json.loads(done.output)
    if own['images'] != cloud.images:
        raise RuntimeError(f'{name} lists {own["images"]} images')
    medians.add(
        name,
        images=cloud.images,
        wall=own['wall'],
        cpu=own['cpu'],
        rss=done.rss,
        requests=told['requests'],
        server_cpu=told['cpu'],
    )


def apis(
    cloud: measure.Cloud, small: measure.Cloud, runs: int, go: str | None
) -> dict[str, Any]:
    """Measure what lists images for a program.

    :param small: for what is too slow for the other cloud
    """
    subjects = str(measure.HERE / 'subjects.py')
    todo: dict[str, tuple[measure.Cloud, list[str]]] = {
        name: (cloud, [sys.executable, subjects, name])
        for name in ('transfer', 'floor', 'list_detail', 'requests')
    }
    if go is not None:
        for way in ('EachPage', 'AllPages'):
            todo[f'gophercloud {way}'] = (cloud, [go, way])
    todo['openstacksdk'] = (
        small,
        [sys.executable, subjects, 'openstacksdk'],
    )
    medians = Medians()
    for number in range(runs):
        for name, (where, command) in todo.items():
            note(f'run {number + 1}: {name}')
            _api_run(medians, name, where, command)
    return medians.result()


def commands(
    cloud: measure.Cloud,
    one: measure.Cloud,
    glance: tuple[measure.Cloud, measure.Cloud],
    runs: int,
) -> dict[str, Any]:
    """Measure the commands that list, and the one that does nothing.

    :param glance: clouds of some images and of one
    """
    medians = Medians()
    peers = [measure.OPENSTACK, 'image', 'list', '-f', 'csv']
    for number in range(runs):
        note(f'run {number + 1}: openstack --version')
        done = measure.run([measure.OPENSTACK, '--version'], cloud.env)
        medians.add('--version', cpu=done.cpu, wall=done.wall, rss=done.rss)
        for name, options in LISTS:
            note(f'run {number + 1}: compute image list -f {name}')
            done = measure.run([*LIST, *options], cloud.env)
            single = measure.run([*LIST, *options], one.env)
            medians.add(
                name,
                images=cloud.images,
                cpu=done.cpu,
                wall=done.wall,
                rss=done.rss,
                cpu_of_one=single.cpu,
                rss_of_one=single.rss,
            )
        for name, options in (('csv', []), ('csv --long', ['--long'])):
            note(f'run {number + 1}: image list -f {name}')
            done, single = (
                measure.run([*peers, *options], where.env) for where in glance
            )
            medians.add(
                f'image list {name}',
                images=glance[0].images,
                cpu=done.cpu,
                wall=done.wall,
                rss=done.rss,
                cpu_of_one=single.cpu,
                rss_of_one=single.rss,
            )
        first = [*LIST, '-f', 'csv']
        medians.add(
            'first row of csv',
            wall=measure.time_to_line(first, cloud.env, 2),
            wall_of_one=measure.time_to_line(first, one.env, 2),
        )
    return medians.result()


def memory(
    clouds: list[measure.Cloud], runs: int
) -> dict[str, dict[str, float]]:
    """Measure the most memory, by the number of images."""
    subjects = str(measure.HERE / 'subjects.py')
    todo = {
        'list_detail': [sys.executable, subjects, 'list_detail'],
        **{n: [*LIST, *options] for n, options in LISTS if '--long' in n},
    }
    results: dict[str, dict[str, float]] = {}
    for name, command in todo.items():
        for cloud in clouds:
            if cloud.images > 100_000 and name[:5] in ('json ', 'table'):
                continue
            note(f'memory: {name}, {cloud.images} images')
            rss = [measure.run(command, cloud.env).rss for _ in range(runs)]
            results.setdefault(name, {})[str(cloud.images)] = measure.median(
                rss
            )
    return results


def requests(one: measure.Cloud, small: measure.Cloud) -> dict[str, int]:
    """Count the requests of commands, authentication among them."""
    image = ['0c0ffee0-0000-0000-0000-000000000000', 'cirros-0.6.2-000000']
    todo: dict[str, tuple[measure.Cloud, list[str]]] = {
        'list of 1 image': (one, ['list']),
        f'list of {small.images:,} images': (small, ['list']),
        'show <ID>': (small, ['show', image[0]]),
        'show <name>': (small, ['show', image[1]]),
    }
    results: dict[str, int] = {}
    for name, (cloud, words) in todo.items():
        cloud.told()
        measure.run([measure.OPENSTACK, 'compute', 'image', *words], cloud.env)
        results[name] = cloud.told()['requests']
    return results


def versions(go: str | None) -> dict[str, str]:
    """Return the versions of what was measured."""
    found = {'Python': platform.python_version()}
    for name in (
        'python-openstackclient',
        'openstacksdk',
        'keystoneauth1',
        'cliff',
        'requests',
        'urllib3',
        'msgspec',
    ):
        found[name] = importlib.metadata.version(name)
    if go is not None:
        found.update(golang.versions())
    return {name: version for name, version in found.items() if version}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', type=int, default=100_000)
    parser.add_argument('--runs', type=int, default=3)
    parser.add_argument(
        '--quick',
        action='store_true',
        help='one run, of fewer images, without instruction counts',
    )
    parser.add_argument(
        '--full',
        action='store_true',
        help='the memory of 1,000,000 images, too',
    )
    args = parser.parse_args()
    if args.quick:
        args.images, args.runs = min(args.images, 10_000), 1
    few = max(1000, args.images // 10)
    left_out: list[str] = []
    with (
        tempfile.TemporaryDirectory() as temporary,
        measure.Cloud(args.images) as cloud,
        measure.Cloud(few) as small,
        measure.Cloud(1) as one,
        measure.Cloud(few, '--glance') as glance,
        measure.Cloud(1, '--glance') as glance_one,
    ):
        go = golang.build(
            measure.HERE / 'gophercloud',
            pathlib.Path(temporary) / 'gophercloud',
        )
        if go is None:
            left_out.append(f'gophercloud: {golang.MISSING}')
        clouds = [one, cloud]
        found: Mapping[str, Callable[[], Any]] = {
            'api': lambda: apis(cloud, small, args.runs, go),
            'commands': lambda: commands(
                cloud, one, (glance, glance_one), args.runs
            ),
            'memory': lambda: memory(clouds, 1),
            'requests': lambda: requests(one, small),
            'startup': lambda: startup.measured(
                one, args.runs, quick=args.quick
            ),
        }
        results: dict[str, Any] = {
            'images': args.images,
            'runs': args.runs,
            'cpus': os.cpu_count(),
            'versions': versions(go),
        }
        for name, measured in found.items():
            results[name] = measured()
        if args.full:
            with measure.Cloud(1_000_000) as million:
                for name, rss in memory([million], 1).items():
                    results['memory'][name].update(rss)
    if shutil.which('valgrind') is None or args.quick:
        left_out.append('instruction counts: they need valgrind, and time')
    results['left_out'] = left_out
    RESULTS.write_text(json.dumps(results, indent=2) + '\n', 'utf-8')
    report.main()


if __name__ == '__main__':
    main()
