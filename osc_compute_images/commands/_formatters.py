# SPDX-License-Identifier: Apache-2.0

"""Cliff's formatters of lists, at a fraction of their cost.

What they print is the same to the byte. On a list of a hundred thousand
images it makes a difference of seconds.
"""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import itertools
import json
import sys
from typing import Any
from typing import TextIO

from cliff import columns
from cliff.formatters import json_format
from cliff.formatters import table
import msgspec
import prettytable

_BATCH = 1000


def quick(formatter: Any) -> Any:
    """Return a quick formatter for one of cliff's own, or the same."""
    return _QUICK.get(type(formatter), formatter)


class _JSONFormatter(json_format.JSONFormatter):
    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        between, end = (', ', '') if parsed_args.noindent else (',', '\n')
        rows = iter(data)
        texts = []
        # In batches, as the text takes less memory than what it is made of.
        while batch := [*itertools.islice(rows, _BATCH)]:
            items = [
                dict(zip(column_names, map(_machine, row), strict=True))
                for row in batch
            ]
            write = json.dumps if parsed_args.noindent else _indented
            texts.append(write(items)[1 : -1 - len(end)])
        before = '['
        for text in texts:
            stdout.write(before + text)
            before = between
        stdout.write(f'{end}]\n' if texts else '[]\n')


def _indented(items: list[Any]) -> str:
    try:
        # NOTE: to indent, the standard library leaves C for Python.
        return msgspec.json.format(json.dumps(items), indent=2)
    except (msgspec.DecodeError, RecursionError):
        # What is no JSON (NaN), or too deep.
        return json.dumps(items, indent=2)


def _machine(cell: Any) -> Any:
    if isinstance(cell, columns.FormattableColumn):
        return cell.machine_readable()
    return cell


class _TableFormatter(table.TableFormatter):
    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        # On a terminal some releases of cliff fit the table to its width.
        is_fit = (
            int(parsed_args.max_width) > 0
            or parsed_args.fit_width
            or sys.stdout.isatty()
        )
        rows = [*data]
        if is_fit or not rows:
            super().emit_list(column_names, rows, stdout, parsed_args)
            return
        alignments = [self.ALIGNMENTS.get(type(cell), 'l') for cell in rows[0]]
        lines = _lines(column_names, alignments, rows)
        stdout.writelines(line + '\n' for line in lines)


def _lines(
    column_names: Sequence[str],
    alignments: Sequence[Any],
    rows: Iterable[Sequence[Any]],
) -> Iterator[str]:
    """Yield a table, line by line.

    Rows of printable ASCII only have to be padded. The others are left to
    prettytable, as is the frame: their width is not their length.
    """
    texts = [tuple(map(str, table._format_row(row))) for row in rows]
    are_plain = [_is_plain(row) for row in texts]
    plain = [*itertools.compress(texts, are_plain)]
    others = prettytable.PrettyTable(column_names)
    for name, alignment in zip(column_names, alignments, strict=True):
        others.align[name] = alignment
    if plain:
        others.add_row(
            ['x' * max(map(len, cells)) for cells in zip(*plain, strict=True)]
        )
    others.add_rows(
        [
            [*row]
            for row, is_plain in zip(texts, are_plain, strict=True)
            if not is_plain
        ]
    )
    rule, header, _, *body, _ = others.get_string().split('\n')
    yield from (rule, header, rule)
    padded = ' | '.join(
        f'%{"-" if alignment == "l" else ""}{len(dashes) - 2}s'
        for alignment, dashes in zip(
            alignments, rule.split('+')[1:-1], strict=True
        )
    )
    line = 1 if plain else 0
    for row, is_plain in zip(texts, are_plain, strict=True):
        if is_plain:
            yield f'| {padded} |' % row
        else:
            height = 1 + max(cell.count('\n') for cell in row)
            yield from body[line : line + height]
            line += height
    yield rule


def _is_plain(row: Iterable[str]) -> bool:
    text = ''.join(row)
    return text.isascii() and text.isprintable()


_QUICK = {
    json_format.JSONFormatter: _JSONFormatter(),
    table.TableFormatter: _TableFormatter(),
}
