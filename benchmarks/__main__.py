# SPDX-License-Identifier: Apache-2.0

"""Measure, and write results.json and the tables.

Everything is measured in one run on this machine, with the same bytes from a
canned server, each time in its own process. Figures of different machines or
days cannot be compared; ratios within one file can.
"""

import argparse
from importlib import metadata
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


def measured(args: argparse.Namespace) -> dict[str, Any]:
    versions = {'Python': platform.python_version()}
    versions |= {name: metadata.version(name) for name in DISTRIBUTIONS}
    left_out = []
    with tempfile.TemporaryDirectory(dir=measure.HERE) as name:
        folder = Path(name)
        parts.make_pair(folder)
        gophercloud = golang.build(measure.HERE / 'gophercloud', folder)
        made = {
            'api': parts.api(args.images, gophercloud),
            'commands': parts.commands(args.images),
            'start': parts.start(folder),
            'changes': parts.changes(100 if args.quick else 1000),
        }
        results = {
            name: made[name].measured(args.runs, quick=args.quick)
            for name in args.parts
        }
    if gophercloud is None:
        left_out.append(f'gophercloud: {golang.MISSING}')
    else:
        versions |= golang.versions()
    if args.quick or shutil.which('valgrind') is None:
        left_out.append('instruction counts: they take long, with valgrind')
    return {
        'runs': args.runs,
        'cpus': os.cpu_count(),
        'versions': versions,
        'left_out': left_out,
        'parts': results,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog='./run bench', description=__doc__)
    parser.add_argument(
        '--images', type=int, default=100_000, help='default: %(default)s'
    )
    parser.add_argument(
        '--runs', type=int, default=3, help='of each (default: %(default)s)'
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
    writes = not args.quick and args.parts is None
    args.parts = args.parts or NAMES
    results = measured(args)
    if writes:
        report.write(results)
    print(report.document(results), end='')


if __name__ == '__main__':
    main()
