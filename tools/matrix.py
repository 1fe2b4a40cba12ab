# SPDX-License-Identifier: Apache-2.0

"""Run the tests with each client, Python and cloud, and tell the outcome.

It prints a table, which is the one in doc/source/compatibility.rst. What is
not found on this machine is not run, and has no row.
"""

import os
import re
import subprocess
import sys
from typing import NamedTuple

#: What of the functional tests is run in each combination.
_FUNCTIONAL = ('tests/functional', '-k', 'list_and_show or life_cycle')


class _Row(NamedTuple):
    env: str
    client: str
    python: str
    cloud: str
    words: tuple[str, ...] = ()


_ROWS = (
    _Row('unit', 'newest', '3.11', 'none'),
    _Row('unit-py312', 'newest', '3.12', 'none'),
    _Row('unit-py313', 'newest', '3.13', 'none'),
    _Row('functional', 'newest', '3.11', 'newest', _FUNCTIONAL),
    _Row('functional-py313', 'newest', '3.13', 'newest', _FUNCTIONAL),
    _Row('functional-oldest', 'newest', '3.11', 'oldest', _FUNCTIONAL),
    _Row('lowest', 'lowest', '3.11', 'newest', _FUNCTIONAL),
    _Row('lowest-py313', 'lowest', '3.13', 'newest', _FUNCTIONAL),
    _Row('lowest-oldest', 'lowest', '3.11', 'oldest', _FUNCTIONAL),
)


def _outcome(row: _Row) -> str | None:
    """Run it; return what came of it, or None if it can't be run here."""
    print(f'{row.env} ...', file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, '-m', 'tox', 'run', '--skip-missing-interpreters',
         'true', '-e', row.env, '--', *row.words],
        env={**os.environ, 'DEVCLOUD_CLOUD': 'matrix'},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )  # fmt: skip
    passed = sum(map(int, re.findall(r'(\d+) passed', done.stdout)))
    if done.returncode == 0:
        return f'{passed} passed'
    if f'{row.env}: SKIP' in done.stdout:
        return None
    failed = sum(map(int, re.findall(r'(\d+) failed', done.stdout)))
    print(done.stdout[-5000:], file=sys.stderr)
    return f'FAILED: {failed} failed, {passed} passed'


def main() -> int:
    """Run all, and print the table."""
    outcomes = {row: _outcome(row) for row in _ROWS}
    rule = '======  ======  ======  ===========================  ========'
    form = '{:6}  {:6}  {:6}  {:27}  {}'
    print(rule)
    print(form.format('Client', 'Python', 'Cloud', 'Tests', 'By tox'))
    print(rule)
    for row, outcome in outcomes.items():
        if outcome is not None:
            print(form.format(*row[1:4], outcome, row.env))
    print(rule)
    return any(o and o.startswith('FAILED') for o in outcomes.values())


if __name__ == '__main__':
    sys.exit(main())
