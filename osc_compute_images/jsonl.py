# SPDX-License-Identifier: Apache-2.0

"""JSON Lines as a format of every ``openstack ... list``: ``-f jsonl``.

Each row is one JSON object on its own line, written as it arrives: see
https://jsonlines.org/.
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


# NOTE: every list command of the shell loads this module. It imports only what
# cliff's own formatters import.
class JSONLinesFormatter(base.ListFormatter):
    """One JSON object per line."""

    def add_argument_group(self, parser: argparse.ArgumentParser) -> None:
        """Add no options."""

    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        """Write each row as it arrives."""
        # NOTE: either of the two entry points may be loaded; both use that of
        # cliff, if its release has one.
        for theirs in importlib.metadata.distribution(
            'cliff'
        ).entry_points.select(group='cliff.formatter.list', name='jsonl'):
            formatter: base.ListFormatter = theirs.load()()
            formatter.emit_list(column_names, data, stdout, parsed_args)
            return
        for row in data:
            # NOTE: as in cliff's other formatters, surplus cells are left out.
            cells = {
                name: cell.machine_readable()
                if isinstance(cell, columns.FormattableColumn)
                else cell
                for name, cell in zip(column_names, row, strict=False)
            }
            stdout.write(json.dumps(cells) + '\n')
