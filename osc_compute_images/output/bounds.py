# SPDX-License-Identifier: Apache-2.0

"""Limits to the images that a command holds in memory."""

import argparse

#: Images held in memory by formats that do not stream, unless --max-items or
#: --limit is given.
MAX_GATHERED = 250_000

#: Formats that print each image as it arrives.
STREAMING = ('csv', 'jsonl', 'value')


def most_gathered(parsed_args: argparse.Namespace) -> int | None:
    """Return how many images a list may hold in memory; None: any number."""
    is_streamed = (
        parsed_args.formatter in STREAMING and not parsed_args.sort_columns
    )
    is_limited = parsed_args.max_items or parsed_args.limit
    return None if is_streamed or is_limited else MAX_GATHERED
