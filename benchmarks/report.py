# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Make the table and the plot from results.json."""

from collections.abc import Iterator
from collections.abc import Sequence
import json
import pathlib
from typing import Any

import plot

HERE = pathlib.Path(__file__).parent
RESULTS = HERE / 'results.json'
TABLE = HERE / 'results.rst'
PLOT = HERE.parent / 'doc/source/_static/performance.svg'

LABELS = {
    'transfer': 'transfer alone (urllib3)',
    'floor': 'floor: transfer and typed decode',
    'list_detail': 'this API: list_detail()',
    'requests': 'requests and json.loads',
    'gophercloud EachPage': 'gophercloud EachPage',
    'gophercloud AllPages': 'gophercloud AllPages',
    'openstacksdk': 'openstacksdk compute.images()',
}

_INTRODUCTION = """\
Written by ``benchmarks/run.py``: medians of {runs} run(s), each in a process
of its own, all on one machine ({cpus} CPUs) and on the same bytes from a
canned server: {images:,} images in pages of 1,000. What is too slow for that,
and the records of Glance, is measured on fewer images, and taken for each
image likewise."""

_API = """\
A program's own time, microseconds an image, without its start and
authentication; *times*: how many times what this API takes; peak: the most
memory that it held; server: CPU time of the canned server, besides:"""

_FLOOR = """\
This API takes {} times the CPU time, and {} times the wall time, of the
floor."""

_COMMANDS = """\
Commands: CPU microseconds an image, above ``openstack --version``
({:.2f} s), and above the same command on one image; then the whole command,
seconds. The output is thrown away. ``image list`` reads records of Glance:"""

_FIRST = """\
The first row of csv is there after {wall:.2f} s; where there is but one
image, after {wall_of_one:.2f} s."""

_MEMORY = """\
Memory: the most that the process held with one image, MB, and how much more
that was with:"""

_REQUESTS = 'Requests, those to Keystone among them:'

_STARTUP = """\
Other commands, without the plugin and with it, and how many modules more
they import:"""


def number(value: float) -> str:
    """Write a number with three digits that mean something."""
    if value >= 100:
        return f'{value:,.0f}'
    return f'{value:.1f}' if value >= 10 else f'{value:.2f}'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a simple table of reStructuredText."""
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


def per_image(figures: dict[str, float], key: str, base: float = 0.0) -> float:
    """Return microseconds for each image."""
    return (figures[key] - base) * 1e6 / figures['images']


def api_rows(api: dict[str, dict[str, float]]) -> Iterator[list[str]]:
    """Yield the rows of the table of the APIs."""
    ours = api['list_detail']
    for name, label in LABELS.items():
        if name not in api:
            continue
        figures = api[name]
        wall, cpu = per_image(figures, 'wall'), per_image(figures, 'cpu')
        yield [
            label,
            f'{figures["images"]:,.0f}',
            number(wall),
            number(cpu),
            number(wall / per_image(ours, 'wall')),
            number(cpu / per_image(ours, 'cpu')),
            number(figures['rss']),
            number(per_image(figures, 'server_cpu')),
        ]


def command(name: str) -> str:
    """Return the words of a command that was measured."""
    if name.startswith('image'):
        return name.replace('list ', 'list -f ')
    return f'compute image list -f {name}'


def command_rows(
    commands: dict[str, dict[str, float]],
) -> Iterator[list[str]]:
    """Yield the rows of the table of the commands."""
    base = commands['--version']['cpu']
    for name, figures in commands.items():
        if 'images' not in figures:
            continue
        yield [
            command(name),
            f'{figures["images"]:,.0f}',
            number(per_image(figures, 'cpu', base)),
            number(per_image(figures, 'cpu', figures['cpu_of_one'])),
            f'{figures["cpu"]:.2f}',
            f'{figures["wall"]:.2f}',
        ]


def memory_rows(memory: dict[str, dict[str, float]]) -> Iterator[list[str]]:
    """Yield the rows of the table of the memory."""
    counts = sorted({int(n) for rss in memory.values() for n in rss})
    for name, rss in memory.items():
        row = [name if name == 'list_detail' else f'list -f {name}']
        for count in counts:
            value = rss.get(str(count))
            if value is None:
                row.append('')
            elif count == 1:
                row.append(f'{value:.1f}')
            else:
                row.append(f'{value - rss["1"]:+.1f}')
        yield row


def startup_rows(startup: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the rows of the table of the start-up."""
    for name, figures in startup.items():
        for kind, unit in (('cpu', 's'), ('instructions', '')):
            if kind in figures['with']:
                less, more = figures['without'][kind], figures['with'][kind]
                yield [
                    name,
                    kind,
                    f'{less:,}{unit}',
                    f'{more:,}{unit}',
                    f'{(more / less - 1) * 100:+.2f} %',
                    str(len(figures['modules'])),
                ]


def document(results: dict[str, Any]) -> str:
    """Return all the tables."""
    api, commands = results['api'], results['commands']
    memory, first = results['memory'], commands['first row of csv']
    counts = sorted({int(n) for rss in memory.values() for n in rss})
    known = ', '.join(f'{n} {v}' for n, v in results['versions'].items())
    ours, floor = api['list_detail'], api['floor']
    parts = [
        _INTRODUCTION.format(**results),
        f'{known}.',
        *(f'Left out: {reason}.' for reason in results['left_out']),
        _API,
        table(
            [
                'API',
                'images',
                'wall us',
                'CPU us',
                'times, wall',
                'times, CPU',
                'peak MB',
                'server us',
            ],
            list(api_rows(api)),
        ),
        _FLOOR.format(
            *(
                number(per_image(ours, key) / per_image(floor, key))
                for key in ('cpu', 'wall')
            )
        ),
        _COMMANDS.format(commands['--version']['cpu']),
        table(
            [
                'openstack',
                'images',
                'us',
                'us, above one',
                'CPU s',
                'wall s',
            ],
            list(command_rows(commands)),
        ),
        _FIRST.format(**first),
        _MEMORY,
        table(
            ['', '1', *(f'{count:,}' for count in counts[1:])],
            list(memory_rows(memory)),
        ),
        _REQUESTS,
        table(
            ['compute image', 'requests'],
            [[name, f'{n}'] for name, n in results['requests'].items()],
        ),
        _STARTUP,
        table(
            ['', '', 'without', 'with', 'more', 'modules'],
            list(startup_rows(results['startup'])),
        ),
    ]
    return '\n\n'.join(parts) + '\n'


def bars(results: dict[str, Any]) -> list[plot.Group]:
    """Return what the plot shows."""
    api, commands = results['api'], results['commands']
    base = commands['--version']['cpu']
    return [
        plot.Group(
            'From a program',
            [
                plot.Bar(label, per_image(api[name], 'cpu'), 'list_' in name)
                for name, label in LABELS.items()
                if name in api
            ],
        ),
        plot.Group(
            'On the command line, above openstack --version',
            [
                plot.Bar(
                    command(name),
                    per_image(figures, 'cpu', base),
                    not name.startswith('image'),
                )
                for name, figures in commands.items()
                if 'images' in figures
            ],
        ),
    ]


def main() -> None:
    """Write the table and the plot, and print the table."""
    results = json.loads(RESULTS.read_text('utf-8'))
    text = document(results)
    TABLE.write_text(text, 'utf-8')
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    title = 'CPU microseconds an image, log scale'
    PLOT.write_text(plot.svg(title, bars(results)), 'utf-8')
    print(text, end='')


if __name__ == '__main__':
    main()
