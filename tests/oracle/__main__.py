# SPDX-License-Identifier: Apache-2.0

"""Compare plans for random fleets with a slow and obvious implementation.

``./run oracle 100000`` does it for so many fleets; ``--seed`` begins with
another one.
"""

import argparse

from tests.oracle import rules


def main() -> None:
    """Compare, and stop at the first difference."""
    parser = argparse.ArgumentParser(prog='./run oracle', description=__doc__)
    parser.add_argument('fleets', nargs='?', type=int, default=100_000)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    changed = kept = 0
    for seed in range(args.seed, args.seed + args.fleets):
        went, stayed = rules.compare(seed)
        changed += went
        kept += stayed
    print(f'{args.fleets} fleets: {changed} images go, {kept} stay; as said')


main()
