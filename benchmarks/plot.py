# SPDX-License-Identifier: Apache-2.0

"""Horizontal bars on a logarithmic scale, as SVG."""

from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import html
import math

WIDTH = 760
LABEL = 270
RIGHT = 60
STEP = 24
THICK = 15

STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title, .group { font-weight: 600; }
.tick { fill: #57606a; font-size: 11px; }
.grid { stroke: #d0d7de; }
.ours { fill: #d1495b; }
.peer { fill: #7d8fa3; }
.page { fill: #ffffff; stroke: #d0d7de; }"""


@dataclasses.dataclass
class Bar:
    """A bar.

    :param ours: highlight this bar
    """

    label: str
    value: float
    ours: bool


@dataclasses.dataclass
class Group:
    """Bars under a title."""

    title: str
    bars: list[Bar]


def svg(title: str, groups: Sequence[Group]) -> str:
    """Return the plot."""
    values = [max(bar.value, 0.01) for group in groups for bar in group.bars]
    low = math.floor(math.log10(min(values)))
    high = math.log10(max(values))
    scale = (WIDTH - LABEL - RIGHT) / (high - low)
    rows = sum(len(group.bars) + 1 for group in groups)
    height = 52 + rows * STEP + 8
    body = '\n'.join(_body(title, groups, low, scale, height))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">\n'
        f'<title>{html.escape(title)}</title>\n'
        f'<style>\n{STYLE}\n</style>\n{body}\n</svg>\n'
    )


def _body(
    title: str, groups: Sequence[Group], low: int, scale: float, height: int
) -> Iterator[str]:
    # Its own background: the page may be light or dark.
    yield (
        f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" '
        f'height="{height - 1}" rx="6"/>'
    )
    yield f'<text class="title" x="8" y="20">{html.escape(title)}</text>'
    power = low
    while LABEL + (power - low) * scale <= WIDTH - RIGHT:
        x = LABEL + (power - low) * scale
        yield (
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="48" '
            f'y2="{height - 8}"/>'
        )
        yield (
            f'<text class="tick" x="{x:.1f}" y="42" text-anchor="middle">'
            f'{10.0**power:g}</text>'
        )
        power += 1
    y = 52
    for group in groups:
        yield (
            f'<text class="group" x="8" y="{y + 16}">'
            f'{html.escape(group.title)}</text>'
        )
        y += STEP
        for bar in group.bars:
            yield from _bar(bar, y, low, scale)
            y += STEP


def _bar(bar: Bar, y: int, low: int, scale: float) -> Iterator[str]:
    length = max(1.0, (math.log10(max(bar.value, 0.01)) - low) * scale)
    shown = f'{bar.value:,.0f}' if bar.value >= 100 else f'{bar.value:.2g}'
    yield (
        f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">'
        f'{html.escape(bar.label)}</text>'
    )
    yield (
        f'<rect class="{"ours" if bar.ours else "peer"}" x="{LABEL}" '
        f'y="{y + 2}" width="{length:.1f}" height="{THICK}" rx="2"/>'
    )
    yield (f'<text x="{LABEL + length + 6:.1f}" y="{y + 14}">{shown}</text>')
