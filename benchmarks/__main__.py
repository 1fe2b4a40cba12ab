# SPDX-License-Identifier: Apache-2.0

"""Measure, and write results.json and the tables.

Everything is measured in one run on this machine, with the same bytes from a
canned server, each time in its own process. Figures of different machines or
days cannot be compared; ratios within one file can.
"""

import argparse
from collections.abc import Callable
import importlib.metadata
import os
from pathlib import Path
import platform
import shutil
import tempfile
from typing import Any

from benchmarks import golang
from benchmarks import measure
from benchmarks import parts
from benchmarks import report

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

NAMES = ('api', 'commands', 'start', 'changes')


def left_out(gophercloud: Path | None, *, quick: bool) -> list[str]:
    """Return the reasons why something is omitted."""
    reasons = []
    if gophercloud is None:
        reasons.append(f'gophercloud: {golang.MISSING}')
    if quick:
        reasons.append('instruction counts: they take too long for --quick')
    elif shutil.which('valgrind') is None:
        reasons.append('instruction counts: they need valgrind')
    return reasons


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """Measure the selected parts."""
    with tempfile.TemporaryDirectory(dir=measure.HERE) as folder:
        parts.make_pair(Path(folder))
        source = measure.HERE / 'gophercloud'
        gophercloud = golang.build(source, Path(folder))
        made: dict[str, Callable[[], parts.Part]] = {
            'api': lambda: parts.api(args.images, gophercloud),
            'commands': lambda: parts.commands(args.images),
            'start': lambda: parts.start(Path(folder)),
            'changes': lambda: parts.changes(100 if args.quick else 1000),
        }
        results = {}
        for name in args.parts:
            part = made[name]()
            rows = measure.measure(part.subjects, args.runs, quick=args.quick)
            results[name] = {**part._asdict(), 'rows': rows}
            del results[name]['subjects']
    versions = {'Python': platform.python_version()}
    for name in DISTRIBUTIONS:
        versions[name] = importlib.metadata.version(name)
    if gophercloud is not None:
        versions |= golang.versions()
    return {
        'runs': args.runs,
        'cpus': os.cpu_count(),
        'versions': versions,
        'left_out': left_out(gophercloud, quick=args.quick),
        'parts': results,
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
        choices=NAMES,
        help='measure only this part (repeat option for several); write no '
        'files',
    )
    args = parser.parse_args()
    if args.quick:
        args.images, args.runs = min(args.images, 10_000), 1
    in_parts = args.parts is not None
    if not in_parts:
        args.parts = [*NAMES]
    results = measured(args)
    if not args.quick and not in_parts:
        report.write(results)
    print(report.document(results), end='')


if __name__ == '__main__':
    main()
