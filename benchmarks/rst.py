# SPDX-License-Identifier: Apache-2.0

"""Numbers and tables in reStructuredText."""

from collections.abc import Sequence


def number(value: float) -> str:
    """Format a number with three significant digits."""
    if abs(value) >= 100:
        return f'{value:,.0f}'
    return f'{value:.1f}' if abs(value) >= 10 else f'{value:.2f}'


def code(words: str) -> str:
    """Format text as a literal, so that its dashes are kept."""
    return f'``{words}``'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a simple table: the first column is text, the others numbers.

    No cell of the first column may be empty: its row would continue the
    previous one.
    """
    widths = [
        max(map(len, column)) for column in zip(head, *rows, strict=True)
    ]
    line = '  '.join('=' * width for width in widths)

    def write(row: Sequence[str]) -> str:
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1])]
        cells += [cell.rjust(width) for cell, width in others]
        return '  '.join(cells).rstrip()

    return '\n'.join([line, write(head), line, *map(write, rows), line])
