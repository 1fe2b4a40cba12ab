# SPDX-License-Identifier: Apache-2.0

"""Write the tables from results.json."""

from collections.abc import Sequence
import json
from pathlib import Path
import textwrap
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / 'results.json'
TABLE = HERE / 'results.rst'

_INTRODUCTION = """\
Written by ``./run bench``: medians of {runs} run(s), each in its own process,
all on one machine ({cpus} CPUs), with the same bytes from a canned server, in
pages of 1,000 images. *requests* and *kB* of the responses do not depend on
the machine, and include those of the authentication. *times* are the CPU and
the wall time per image, relative to the row with 1.00. *MB* is the peak
memory."""

_HEAD = (
    *('', 'images', 'requests', 'kB', 'CPU s', 'wall s'),
    *('times, CPU', 'times, wall', 'MB', 'million instructions'),
)

Figures = dict[str, float]


def number(value: float) -> str:
    """Format a number with three significant digits."""
    if abs(value) >= 100:
        return f'{value:,.0f}'
    return f'{value:.1f}' if abs(value) >= 10 else f'{value:.2f}'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a simple table: the first column is text, the others numbers."""
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


def _row(name: str, each: Figures, base: Figures) -> list[str]:
    """Return the cells of a program; those that it lacks are empty."""

    def cell(figure: str, unit: float = 1) -> str:
        return number(each[figure] / unit) if figure in each else ''

    def times(figure: str) -> str:
        if figure not in each or figure not in base:
            return ''
        ours = base[figure] / base['images']
        return number(each[figure] / each['images'] / ours)

    return [
        # Dashes are kept only in literals.
        f'``{name}``' if '-' in name else name,
        f'{each["images"]:,.0f}',
        f'{each["requests"]:,.0f}',
        cell('bytes', 1e3),
        cell('cpu'),
        cell('wall'),
        times('cpu'),
        times('wall'),
        cell('rss'),
        cell('instructions', 1e6),
    ]


def _part(part: dict[str, Any]) -> str:
    base = part['rows'][part['base']]
    rows = [_row(name, each, base) for name, each in part['rows'].items()]
    # Leave out columns without any figure.
    columns = [c for c in zip(_HEAD, *rows, strict=True) if any(c[1:])]
    head, *cells = zip(*columns, strict=True)
    title = textwrap.fill(part['title'], 79, break_on_hyphens=False)
    return f'{title}\n\n{table(head, cells)}{_compared(part)}'


def _compared(part: dict[str, Any]) -> str:
    """Return a sentence about the cost of the plugin, if it was measured."""
    rows = [part['rows'][name] for name in part.get('compared') or ()]
    counts = [row['instructions'] for row in rows if 'instructions' in row]
    if len(counts) < 2:
        return ''
    times = f'{counts[0] / counts[1]:.4f}'
    return (
        f'\n\nWith this plugin a command takes {times} times the instructions.'
    )


def document(results: dict[str, Any]) -> str:
    """Return the tables of all measured parts."""
    known = ', '.join(f'{n} {v}' for n, v in results['versions'].items())
    paragraphs = [
        _INTRODUCTION.format(**results),
        textwrap.fill(f'{known}.', 79, break_on_hyphens=False),
        *(f'Omitted: {reason}.' for reason in results['left_out']),
        *map(_part, results['parts'].values()),
    ]
    return '\n\n'.join(paragraphs) + '\n'


def write(results: dict[str, Any]) -> None:
    RESULTS.write_text(json.dumps(results, indent=2) + '\n', 'utf-8')
    TABLE.write_text(document(results), 'utf-8')
