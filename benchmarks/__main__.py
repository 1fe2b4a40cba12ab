# SPDX-License-Identifier: Apache-2.0

"""Measure, and write results.json and the tables.

Everything is measured in one run on this machine, with the same bytes from a
canned server, each time in its own process. Figures of different machines or
days cannot be compared; ratios within one file can.
"""

import argparse
from collections.abc import Callable
import contextlib
import importlib.metadata
import os
import pathlib
import platform
import shutil
import tempfile
from typing import Any

from benchmarks import apis
from benchmarks import changes
from benchmarks import commands
from benchmarks import golang
from benchmarks import measure
from benchmarks import report
from benchmarks import start
from benchmarks import startup

#: Python packages whose versions are reported.
DISTRIBUTIONS = (
    'python-openstackclient',
    'openstacksdk',
    'keystoneauth1',
    'cliff',
    'requests',
    'urllib3',
    'msgspec',
)


class Setting:
    """The settings of a run, and its canned clouds.

    :param args: the command line
    :param stack: stops the canned clouds
    :param gophercloud: path of the program, or None if it cannot be built
    """

    def __init__(
        self,
        args: argparse.Namespace,
        stack: contextlib.ExitStack,
        gophercloud: str | None,
    ) -> None:
        self.quick: bool = args.quick
        self.images: int = args.images
        self.runs: int = args.runs
        self.gophercloud = gophercloud
        self._stack = stack
        self._clouds: dict[tuple[Any, ...], measure.Cloud] = {}

    def cloud(self, images: int, *options: str) -> measure.Cloud:
        """Return a canned cloud, and start it if necessary."""
        key = (images, *options)
        if key not in self._clouds:
            cloud = measure.Cloud(images, *options)
            self._clouds[key] = self._stack.enter_context(cloud)
        return self._clouds[key]


def _commands(at: Setting) -> Any:
    nova = at.cloud(1), at.cloud(at.images)
    some = max(1000, at.images // 10)
    glance = at.cloud(1, '--glance'), at.cloud(some, '--glance')
    return commands.measured(nova, glance, at.runs)


#: The parts of the benchmark, in order.
PARTS: dict[str, Callable[[Setting], Any]] = {
    'api': lambda at: apis.measured(
        at.cloud(at.images), at.runs, at.gophercloud
    ),
    'commands': _commands,
    'requests': lambda _at: commands.requests(),
    'changes': lambda at: changes.measured(100 if at.quick else 1000, at.runs),
    'startup': lambda at: startup.measured(
        at.cloud(1), at.runs, quick=at.quick
    ),
    'start': lambda at: start.measured(
        at.cloud(1), at.cloud(1, '--glance'), at.runs, quick=at.quick
    ),
}


def left_out(at: Setting) -> list[str]:
    """Return the reasons why parts are omitted."""
    reasons = []
    if at.gophercloud is None:
        reasons.append(f'gophercloud: {golang.MISSING}')
    if shutil.which('valgrind') is None:
        reasons.append('instruction counts: they need valgrind')
    elif at.quick:
        reasons.append('instruction counts: they take too long for --quick')
    return reasons


def versions(gophercloud: str | None) -> dict[str, str]:
    """Return the versions of the measured programs."""
    found = {'Python': platform.python_version()}
    for name in DISTRIBUTIONS:
        found[name] = importlib.metadata.version(name)
    if gophercloud is not None:
        found.update(golang.versions())
    return {name: version for name, version in found.items() if version}


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """Measure the selected parts."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        gophercloud = golang.build(
            measure.HERE / 'gophercloud', pathlib.Path(folder) / 'gophercloud'
        )
        at = Setting(args, stack, gophercloud)
        return {
            'images': at.images,
            'runs': at.runs,
            'cpus': os.cpu_count(),
            'versions': versions(gophercloud),
            'left_out': left_out(at),
            **{name: PARTS[name](at) for name in args.parts},
        }


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(prog='./run bench', description=__doc__)
    parser.add_argument(
        '--images', type=int, default=100_000, help='default: %(default)s'
    )
    parser.add_argument(
        '--runs',
        type=int,
        default=3,
        help='number of runs, for the medians (default: %(default)s)',
    )
    parser.add_argument(
        '--quick',
        action='store_true',
        help='one run with few images; write no files',
    )
    parser.add_argument(
        '--part',
        action='append',
        dest='parts',
        choices=PARTS,
        help='measure only this part (repeat option for several); write no '
        'files',
    )
    args = parser.parse_args()
    if args.quick:
        args.images, args.runs = min(args.images, 10_000), 1
    in_parts = args.parts is not None
    if not in_parts:
        args.parts = [*PARTS]
    results = measured(args)
    if not args.quick and not in_parts:
        report.write(results)
    print(report.document(results), end='')


if __name__ == '__main__':
    main()
