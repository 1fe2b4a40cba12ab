# SPDX-License-Identifier: Apache-2.0

"""Write the tables from results.json."""

from collections.abc import Callable
from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any

from benchmarks.changes import OURS
from benchmarks.rst import code
from benchmarks.rst import number
from benchmarks.rst import table

HERE = Path(__file__).parent
RESULTS = HERE / 'results.json'
TABLE = HERE / 'results.rst'

#: The heads of the columns that do not depend on the machine.
COUNTS = ('requests', 'kB')

LABELS = {
    'transfer': 'transfer only (urllib3)',
    'floor': 'floor: transfer and typed decode',
    'list_detail': 'this API: list_detail()',
    'requests': 'requests and json.loads',
    'gophercloud EachPage': 'gophercloud EachPage',
    'gophercloud AllPages': 'gophercloud AllPages',
    'openstacksdk': 'openstacksdk compute.images()',
}

Figures = dict[str, dict[str, float]]

_INTRODUCTION = """\
Written by ``./run bench``: medians of {runs} run(s), each in its own process,
all on one machine ({cpus} CPUs), with the same bytes from a canned server:
{images:,} images in pages of 1,000. Slow programs are measured with fewer
images."""

_API = """\
Lists from a program: requests and kB of the responses, with
authentication; then microseconds per image, without it and without the start;
*times*: relative to this API; peak memory of the process, MB:"""

_COMMANDS = """\
Commands: requests, and kB of the responses; CPU microseconds per image in
excess of the same command with one image, which excludes authentication and
imports; the whole command, seconds (``openstack --version`` takes {:.2f} s of
CPU); peak memory with one image, and its growth, MB. The output is discarded.
``image list`` uses Glance, whose records are larger:"""

_START = """\
Starting and listing one image (``openstack --version`` lists none). valgrind
counts the instructions, so they do not depend on other load of the machine:"""

_REQUESTS = """\
One of three images: requests, including those to Keystone, and kB of the
responses:"""

_CHANGES = """\
Setting a property of many images, and deleting them, from the start of the
client to its end: requests, and kB of the responses; CPU milliseconds of
the client per image, relative to ``openstack`` with filters; milliseconds per
image. The shell loop is measured with {few:.0f} images, as each takes the same
time:"""

_STARTUP = """\
Other commands without and with the plugin, and the number of additional
modules that they import, of the plugin and of others:"""


def per_image(figures: dict[str, float], key: str, base: float = 0) -> float:
    """Return microseconds per image, in excess of a base in seconds."""
    return (figures[key] - base) / figures['images'] * 1e6


def _counts(figures: dict[str, float]) -> list[str]:
    """Return the cells that do not depend on the machine."""
    # NOTE: a program that could not be run again was not counted.
    sent = figures.get('bytes')
    return [
        f'{figures["requests"]:,.0f}',
        '' if sent is None else number(sent / 1e3),
    ]


def _api(api: Figures) -> Iterator[str]:
    ours = api['list_detail']
    rows = []
    for name, label in LABELS.items():
        if name not in api:
            continue
        figures = api[name]
        wall, cpu = per_image(figures, 'wall'), per_image(figures, 'cpu')
        rows.append(
            [
                label,
                *_counts(figures),
                number(wall),
                number(cpu),
                number(wall / per_image(ours, 'wall')),
                number(cpu / per_image(ours, 'cpu')),
                number(figures['rss']),
            ]
        )
    yield _API
    times = ['times, wall', 'times, CPU']
    yield table(['API', *COUNTS, 'wall', 'CPU', *times, 'peak'], rows)


def _commands(commands: Figures) -> Iterator[str]:
    rows = [
        [
            code(name),
            f'{figures["images"]:,.0f}',
            *_counts(figures),
            number(per_image(figures, 'cpu', figures['cpu_of_one'])),
            f'{figures["cpu"]:.2f}',
            f'{figures["wall"]:.2f}',
            f'{figures["rss_of_one"]:.0f}',
            f'{figures["rss"] - figures["rss_of_one"]:+.0f}',
        ]
        for name, figures in commands.items()
        if 'images' in figures
    ]
    yield _COMMANDS.format(commands['--version']['cpu'])
    last = ['us', 'CPU s', 'wall s', 'MB', 'growth']
    yield table(['openstack', 'images', *COUNTS, *last], rows)


def _requests(requests: Figures) -> Iterator[str]:
    yield _REQUESTS
    yield table(
        ['openstack compute image', *COUNTS],
        [[code(name), *_counts(each)] for name, each in requests.items()],
    )


def _changes(changes: Figures) -> Iterator[str]:
    rows = []
    for name, figures in changes.items():
        verb, _, way = name.partition(': ')
        ours = per_image(changes[f'{verb}: {OURS}'], 'cpu')
        cpu = per_image(figures, 'cpu')
        rows.append(
            [
                verb,
                way,
                f'{figures["images"]:,.0f}',
                *_counts(figures),
                number(cpu / 1e3),
                number(cpu / ours),
                number(per_image(figures, 'wall') / 1e3),
            ]
        )
    yield _CHANGES.format(few=min(f['images'] for f in changes.values()))
    yield table(
        ['', 'client', 'images', *COUNTS, 'CPU, ms', 'times', 'wall, ms'],
        rows,
    )


def _startup(startup: dict[str, Any]) -> Iterator[str]:
    rows = []
    for name, figures in startup.items():
        own = sum(m.startswith('osc_compute') for m in figures['modules'])
        others = len(figures['modules']) - own
        for kind, unit in (('cpu', ' s'), ('instructions', '')):
            if kind in figures['with']:
                less, more = figures['without'][kind], figures['with'][kind]
                rows.append(
                    [
                        code(name),
                        kind,
                        f'{less:,}{unit}',
                        f'{more:,}{unit}',
                        f'{(more / less - 1) * 100:+.2f} %',
                        f'{own}',
                        f'{others}',
                    ]
                )
    yield _STARTUP
    yield table(
        ['openstack', '', 'without', 'with', 'more', 'own', 'others'], rows
    )


def _start(start: Figures) -> Iterator[str]:
    yield _START
    yield table(
        ['', *COUNTS, 'CPU, s', 'MB', 'millions of instructions'],
        [
            [
                code(name) if ':' not in name else name,
                *_counts(each),
                f'{each["cpu"]:.2f}',
                f'{each["rss"]:.0f}',
                _millions(each) if 'instructions' in each else '',
            ]
            for name, each in start.items()
        ],
    )


def _millions(figures: dict[str, float]) -> str:
    return f'{figures["instructions"] / 1e6:,.0f}'


SECTIONS: dict[str, Callable[[Any], Iterator[str]]] = {
    'api': _api,
    'commands': _commands,
    'requests': _requests,
    'changes': _changes,
    'startup': _startup,
    'start': _start,
}


def document(results: dict[str, Any]) -> str:
    """Return the tables of all measured parts."""
    known = ', '.join(f'{n} {v}' for n, v in results['versions'].items())
    paragraphs = [
        _INTRODUCTION.format(**results),
        f'{known}.',
        *(f'Omitted: {reason}.' for reason in results['left_out']),
    ]
    for name, section in SECTIONS.items():
        if name in results:
            paragraphs += section(results[name])
    return '\n\n'.join(paragraphs) + '\n'


def write(results: dict[str, Any]) -> None:
    """Write the results and the tables."""
    RESULTS.write_text(json.dumps(results, indent=2) + '\n', 'utf-8')
    TABLE.write_text(document(results), 'utf-8')


if __name__ == '__main__':
    write(json.loads(RESULTS.read_text('utf-8')))
