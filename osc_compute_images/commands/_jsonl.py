# SPDX-License-Identifier: Apache-2.0

"""JSON Lines as a format of every ``openstack ... list``: ``-f jsonl``.

Each row is one JSON object in a line of its own, written as soon as it is
there: see https://jsonlines.org/.
"""

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
import importlib.metadata
import json
from typing import Any
from typing import TextIO

from cliff import columns
from cliff.formatters import base


# NOTE: every list command of the shell loads this module: it imports nothing
# that cliff's own formatters do not.
class JSONLinesFormatter(base.ListFormatter):
    """One JSON object a line."""

    def add_argument_group(self, parser: argparse.ArgumentParser) -> None:
        """Add no option: there is nothing to set."""

    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        """Write each row as it comes."""
        theirs = _of_cliff()
        if theirs is not None:
            theirs.emit_list(column_names, data, stdout, parsed_args)
            return
        for row in data:
            cells = {
                name: cell.machine_readable()
                if isinstance(cell, columns.FormattableColumn)
                else cell
                for name, cell in zip(column_names, row, strict=True)
            }
            stdout.write(json.dumps(cells) + '\n')


def _of_cliff() -> base.ListFormatter | None:
    """Return the formatter of this name that cliff has, if it gained one.

    Two entry points of one name would compete; both lead to cliff's then.
    """
    [*entry_points] = importlib.metadata.distribution(
        'cliff'
    ).entry_points.select(group='cliff.formatter.list', name='jsonl')
    if not entry_points:
        return None
    formatter: base.ListFormatter = entry_points[0].load()()
    return formatter
