# SPDX-License-Identifier: Apache-2.0

"""Run random commands in random clouds, and check what they delete.

``./run tox run -qe oracle -- 100000`` runs this many; ``--seed`` starts with
another one.
"""

import argparse
import sys

from tests.oracle import check


def main() -> None:
    """Check, and stop at the first fault."""
    parser = argparse.ArgumentParser(prog='oracle', description=__doc__)
    parser.add_argument('runs', nargs='?', type=int, default=10_000)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    deleted = left = 0
    for seed in range(args.seed, args.seed + args.runs):
        try:
            more_deleted, more_left = check.check(seed)
        except Exception:
            again = f'./run tox run -qe oracle -- 1 --seed {seed}'
            print(f'Seed {seed} fails; run it again: {again}', file=sys.stderr)
            raise
        deleted += more_deleted
        left += more_left
    print(f'{args.runs} runs: {deleted} images deleted, {left} left')


main()
