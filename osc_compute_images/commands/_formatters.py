# SPDX-License-Identifier: Apache-2.0

"""A table formatter six times as fast as cliff's, with the same output.

For 100,000 images it saves 1.5 seconds, or 3.6 with ``--long``. Cliff's other
formatters are fast enough.
"""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import io
import itertools
import sys
from typing import Any
from typing import TextIO

from cliff.formatters import table
import prettytable

#: Rows that are also formatted by cliff, and compared.
_SAMPLE = 3


def fast(formatter: Any) -> Any:
    """Return the fast formatter in place of cliff's table formatter."""
    if type(formatter) is table.TableFormatter:
        return _TableFormatter()
    return formatter


class _TableFormatter(table.TableFormatter):
    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        # On a terminal, some releases of cliff fit the table to its width.
        is_fit = (
            int(parsed_args.max_width) > 0
            or parsed_args.fit_width
            or sys.stdout.isatty()
        )
        rows = [*data]
        emit_list = super().emit_list
        if is_fit or not self._agrees(column_names, rows, parsed_args):
            emit_list(column_names, rows, stdout, parsed_args)
            return
        stdout.writelines(self._lines(column_names, rows))

    def _agrees(
        self,
        column_names: Sequence[str],
        rows: Sequence[Sequence[Any]],
        parsed_args: argparse.Namespace,
    ) -> bool:
        """Return whether a sample is formatted as cliff does.

        It is not if a release of cliff has changed its private names.
        """
        sample = rows[:_SAMPLE]
        expected = io.StringIO()
        super().emit_list(column_names, sample, expected, parsed_args)
        try:
            lines = [*self._lines(column_names, sample)]
        except (AttributeError, IndexError, TypeError, ValueError):
            return False
        return ''.join(lines) == expected.getvalue()

    def _lines(
        self, column_names: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> Iterator[str]:
        """Yield the lines of a table.

        Rows of printable ASCII are padded here. The frame and all other rows,
        whose width is not their length, are left to prettytable.
        """
        alignments = [self.ALIGNMENTS.get(type(cell), 'l') for cell in rows[0]]
        texts = [tuple(map(str, table._format_row(row))) for row in rows]
        are_plain = [_is_plain(row) for row in texts]
        plain = [*itertools.compress(texts, are_plain)]
        others = prettytable.PrettyTable(column_names)
        for name, alignment in zip(column_names, alignments, strict=True):
            others.align[name] = alignment
        if plain:
            columns = zip(*plain, strict=True)
            others.add_row(['x' * max(map(len, cells)) for cells in columns])
        for row, is_plain in zip(texts, are_plain, strict=True):
            if not is_plain:
                others.add_row([*row])
        rule, header, _, *body, _ = others.get_string().split('\n')
        yield f'{rule}\n{header}\n{rule}\n'
        padded = ' | '.join(
            f'%{"-" if alignment == "l" else ""}{len(dashes) - 2}s'
            for alignment, dashes in zip(
                alignments, rule.split('+')[1:-1], strict=True
            )
        )
        line = 1 if plain else 0
        for row, is_plain in zip(texts, are_plain, strict=True):
            if is_plain:
                yield f'| {padded} |\n' % row
            else:
                height = 1 + max(cell.count('\n') for cell in row)
                yield '\n'.join([*body[line : line + height], ''])
                line += height
        yield f'{rule}\n'


def _is_plain(row: Iterable[str]) -> bool:
    text = ''.join(row)
    return text.isascii() and text.isprintable()
