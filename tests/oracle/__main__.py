# SPDX-License-Identifier: Apache-2.0

"""Compare plans for random fleets with a simple implementation.

``./run oracle 100000`` compares this many fleets; ``--seed`` starts with
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
    deleted = kept = 0
    for seed in range(args.seed, args.seed + args.fleets):
        more_deleted, more_kept = rules.compare(seed)
        deleted += more_deleted
        kept += more_kept
    print(f'{args.fleets} fleets agree: {deleted} images deleted, {kept} kept')


main()
