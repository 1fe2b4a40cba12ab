# SPDX-License-Identifier: Apache-2.0

"""Run the tests with each client, Python and cloud, and write the results.

It writes doc/source/matrix.txt, the table in compatibility.rst. A row says so
if its Python is not installed.
"""

import argparse
import os
from pathlib import Path
import re
import subprocess
import sys
from typing import NamedTuple

_PARALLEL = ('-n', '2', '--dist', 'loadgroup')
_UNIT = (*_PARALLEL, 'tests/unit')

#: The functional tests of each combination.
_FUNCTIONAL = (
    *(*_PARALLEL, 'tests/functional'),
    *('-k', 'list_and_show or life_cycle'),
)
_BOTH = (
    *(*_PARALLEL, 'tests/unit', 'tests/functional'),
    *('-k', 'unit or list_and_show or life_cycle'),
)

_TABLE = Path(__file__).parents[1] / 'doc' / 'source' / 'matrix.txt'

#: The result of a row that could not be run.
_NOT_FOUND = 'Python not installed'


class _Row(NamedTuple):
    env: str
    client: str
    python: str
    cloud: str
    words: tuple[str, ...]


_ROWS = (
    _Row('unit', 'newest', '3.11', 'none', _UNIT),
    _Row('unit-py312', 'newest', '3.12', 'none', _UNIT),
    _Row('unit-py313', 'newest', '3.13', 'none', _UNIT),
    _Row('unit-py314', 'newest', '3.14', 'none', _UNIT),
    _Row('functional', 'newest', '3.11', 'newest', _FUNCTIONAL),
    _Row('functional-py313', 'newest', '3.13', 'newest', _FUNCTIONAL),
    _Row('functional-py314', 'newest', '3.14', 'newest', _FUNCTIONAL),
    _Row('functional-oldest', 'newest', '3.11', 'oldest', _FUNCTIONAL),
    _Row('osc90-py313', '9.0.0', '3.13', 'newest', _BOTH),
    _Row('osc82', '8.2.0', '3.11', 'newest', _BOTH),
    _Row('osc66-py312', '6.6.0', '3.12', 'newest', _BOTH),
    _Row('lowest', '6.0.0', '3.11', 'newest', _BOTH),
    _Row('lowest-oldest', '6.0.0', '3.11', 'oldest', _BOTH),
)


def _environment() -> dict[str, str]:
    """Return the environment of tox, with the Pythons of pyenv."""
    root = Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv'))
    folders = [*map(str, root.glob('versions/*/bin')), os.environ['PATH']]
    return {
        **os.environ,
        'PATH': os.pathsep.join(folders),
        'DEVCLOUD_CLOUD': 'matrix',
    }


def _outcome(row: _Row) -> str:
    """Run the tests of a row; return the result."""
    print(f'{row.env} ...', file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, '-m', 'tox', 'run', '--skip-missing-interpreters',
         'true', '-e', row.env, '--', *row.words],
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )  # fmt: skip
    passed = sum(map(int, re.findall(r'(\d+) passed', done.stdout)))
    if done.returncode == 0:
        return f'{passed} passed'
    if f'{row.env}: SKIP' in done.stdout:
        return _NOT_FOUND
    failed = sum(map(int, re.findall(r'(\d+) failed', done.stdout)))
    print(done.stdout[-5000:], file=sys.stderr)
    return f'FAILED: {failed} failed, {passed} passed'


def _table(outcomes: dict[_Row, str]) -> str:
    form = '{:6}  {:6}  {:6}  {:27}  {}\n'
    rule = form.format(*('=' * width for width in (6, 6, 6, 27, 17)))
    lines = [form.format(*row[1:4], o, row.env) for row, o in outcomes.items()]
    head = form.format('Client', 'Python', 'Cloud', 'Tests', 'By tox')
    return ''.join([rule, head, rule, *lines, rule])


def _known() -> dict[str, str]:
    """Return the results in the table by environment."""
    lines = [
        re.split(r'\s{2,}', line.strip())
        for line in _TABLE.read_text().splitlines()
    ]
    return {cells[-1]: cells[-2] for cells in lines if len(cells) == 5}


def main() -> int:
    """Run the rows, and write the table."""
    parser = argparse.ArgumentParser(prog='./run matrix', description=__doc__)
    parser.add_argument(
        'rows',
        nargs='*',
        metavar='<row>',
        help='run only these rows, named by tox environment, and keep the '
        'other results in the table',
    )
    parser.add_argument(
        '--offline',
        action='store_true',
        help='run only the unit tests, and do not write the table',
    )
    args = parser.parse_args()
    rows: tuple[_Row, ...] = _ROWS
    if args.offline:
        rows = tuple(
            row._replace(cloud='none', words=_UNIT)
            for row in _ROWS
            if row.cloud != 'oldest' and not row.env.startswith('functional')
        )
    known = _known() if args.rows else {}
    unknown = set(args.rows) - {row.env for row in rows}
    if unknown:
        parser.error(f'no such row: {", ".join(sorted(unknown))}')
    outcomes = {
        row: known[row.env]
        if row.env in known and row.env not in args.rows
        else _outcome(row)
        for row in rows
    }
    table = _table(outcomes)
    print(table, end='')
    if not args.offline:
        _TABLE.write_text(table)
    return any(o.startswith('FAILED') for o in outcomes.values())


if __name__ == '__main__':
    sys.exit(main())
