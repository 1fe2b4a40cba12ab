# SPDX-License-Identifier: Apache-2.0

"""Live some years, each under a seed, and stop at the first fault."""

import argparse
import collections

from tests.simulate import year


def main():
    parser = argparse.ArgumentParser(prog='simulate', description=__doc__)
    parser.add_argument('years', nargs='?', type=int, default=10)
    parser.add_argument('--seed', type=int, default=0, help='of the first')
    parser.add_argument('--days', type=int, default=year.DAYS, help='of each')
    args = parser.parse_args()
    counts = collections.Counter()
    for seed in range(args.seed, args.seed + args.years):
        counts.update(year.live(seed, args.days))
    print(', '.join(f'{counts[what]} {what}' for what in counts))


main()
