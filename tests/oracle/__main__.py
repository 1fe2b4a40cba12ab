# SPDX-License-Identifier: Apache-2.0

"""Run random commands in random clouds, and check what they delete.

``./run tox run -qe oracle -- 100000`` runs this many; ``--seed`` starts with
another one.
"""

import argparse
import collections

from tests.oracle import check


def main():
    parser = argparse.ArgumentParser(prog='oracle', description=__doc__)
    parser.add_argument('runs', nargs='?', type=int, default=10_000)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    counts = collections.Counter()
    for seed in range(args.seed, args.seed + args.runs):
        counts.update(check.check(seed))
    print(', '.join(f'{counts[what]} {what}' for what in counts))


main()
