# SPDX-License-Identifier: Apache-2.0

"""How many images a list shows, and holds in memory."""

import argparse
from collections.abc import Iterator
import itertools
import sys
from typing import TypeVar

from osc_lib import exceptions
from osc_lib.i18n import _

_Row = TypeVar('_Row')

#: Images that a format gathers before it shows any, unless told otherwise: a
#: server might have more without an end.
MAX_GATHERED = 250_000

#: Formats that show each image as it comes.
STREAMING = ('csv', 'jsonl', 'value')


def bounded(
    rows: Iterator[_Row], parsed_args: argparse.Namespace
) -> Iterator[_Row]:
    """Yield as many rows as are to be shown.

    :raises CommandError: if there are too many to be gathered
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
            _(
                'There are more than %(count)s images, and all have to be '
                'held in memory to be sorted, or shown in this format. Allow '
                'it with --max-items, or use "-f csv" or "-f value"'
            )
            % {'count': f'{MAX_GATHERED:,}'}
        )
    yield from ()
