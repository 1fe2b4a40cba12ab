# SPDX-License-Identifier: Apache-2.0

"""Limits to the images that a list shows, and holds in memory."""

import argparse
from collections.abc import Iterator
import itertools
import sys
from typing import TypeVar

from osc_lib import exceptions

_Row = TypeVar('_Row')

#: Images held in memory by formats that do not stream, unless --max-items or
#: --limit is given.
MAX_GATHERED = 250_000

#: Formats that print each image as it arrives.
STREAMING = ('csv', 'jsonl', 'value')


def limit_rows(
    rows: Iterator[_Row], parsed_args: argparse.Namespace
) -> Iterator[_Row]:
    """Yield the rows to show.

    :raises CommandError: if there are too many to hold in memory
    """
    limit = parsed_args.max_items or parsed_args.limit
    if limit is not None:
        return itertools.islice(rows, min(limit, sys.maxsize))
    is_sorted = bool(getattr(parsed_args, 'sort_columns', None))
    if parsed_args.formatter in STREAMING and not is_sorted:
        return rows
    return itertools.chain(
        itertools.islice(rows, MAX_GATHERED), _refuse_more(rows)
    )


def _refuse_more(rows: Iterator[_Row]) -> Iterator[_Row]:
    for _row in rows:
        raise exceptions.CommandError(
            f'There are more than {MAX_GATHERED:,} images, too many to hold '
            f'in memory for this format or for sorting: raise the limit with '
            f'--max-items, or use "-f csv" or "-f value"'
        )
    yield from ()
