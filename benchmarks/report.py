# SPDX-License-Identifier: Apache-2.0

"""Write the tables and the plots from results.json."""

from collections.abc import Callable
from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any

from benchmarks import goals
from benchmarks import plot
from benchmarks.changes import OURS
from benchmarks.goals import per_image
from benchmarks.rst import code
from benchmarks.rst import number
from benchmarks.rst import table

HERE = Path(__file__).parent
RESULTS = HERE / 'results.json'
TABLE = HERE / 'results.rst'
PLOT = HERE.parent / 'doc/source/_static/performance.svg'
START_PLOT = PLOT.with_name('start.svg')

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
Microseconds per image for a list from a program, without start and
authentication; *times*: relative to this API; peak: peak memory of the
process, MB; server: CPU time of the canned server, not included in the
others:"""

_COMMANDS = """\
CPU microseconds per image of commands, in excess of ``openstack --version``
({:.2f} s), and in excess of the same command with one image, which excludes
authentication and imports; then the whole command, seconds. The output is
discarded. ``image list`` uses Glance, whose records are larger:"""

_FIRST = """\
Seconds until the first row of an image is printed, and the same with only one
image:"""

_START = """\
Starting and listing one image (``openstack --version`` lists none). valgrind
counts the instructions, so they do not depend on other load of the machine:"""

_MEMORY = """\
Peak memory of the process with one image, and its growth with more images,
MB:"""

_REGIONS = """\
Seconds for {regions} regions of {images:,} images at the same time, if each
server takes {delay:g} s per page, and for one of them:"""

_MEMORY_OF_REGIONS = """\
``list -f csv --long --all-regions`` used {0:.1f} MB of memory with one image
per region, and {1:+.1f} MB with {2:,} images in total."""

_REQUESTS = 'Requests, including those to Keystone:'

_CHANGES = """\
Setting a property of many images, and deleting them, from the start of the
client to its end: CPU milliseconds of the client per image, relative to
``openstack`` with filters; requests; milliseconds per image. The shell loop is
measured with {few:.0f} images, as each takes the same time:"""

_STARTUP = """\
Other commands without and with the plugin, and the number of additional
modules that they import, of the plugin and of others:"""

_CLOUD = """\
A real Nova and Glance on loopback, {images:,} images, medians of {runs}
run(s). Seconds for all images, by the requested page size and by Nova's
``page_size``, the size of the pages that Nova requests from Glance; then CPU
seconds of the client and the services:"""

_AHEAD = """\
Seconds to write all of them as CSV from a program: with the pages in turn, and
with a thread that requests the next page while one is written:"""

_CLOUD_COMMANDS = 'Commands on this cloud, seconds:'


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
                number(wall),
                number(cpu),
                number(wall / per_image(ours, 'wall')),
                number(cpu / per_image(ours, 'cpu')),
                number(figures['rss']),
                number(per_image(figures, 'server_cpu')),
            ]
        )
    yield _API
    yield table(
        ['API', 'wall', 'CPU', 'times, wall', 'times, CPU', 'peak', 'server'],
        rows,
    )


def _lists(commands: Figures) -> Figures:
    """Return the commands that list images."""
    return {n: f for n, f in commands.items() if 'images' in f}


def _commands(commands: Figures) -> Iterator[str]:
    base = commands['--version']['cpu']
    rows = [
        [
            code(name),
            f'{figures["images"]:,.0f}',
            number(per_image(figures, 'cpu', base)),
            number(per_image(figures, 'cpu', figures['cpu_of_one'])),
            f'{figures["cpu"]:.2f}',
            f'{figures["wall"]:.2f}',
        ]
        for name, figures in _lists(commands).items()
    ]
    yield _COMMANDS.format(base)
    yield table(
        ['openstack', 'images', 'us', 'us, above one', 'CPU s', 'wall s'],
        rows,
    )


def _first_row(first: Figures) -> Iterator[str]:
    images = next(iter(first.values()))['images']
    yield _FIRST
    yield table(
        ['openstack', f'{images:,.0f} images', '1 image'],
        [
            [code(name), f'{f["wall"]:.2f}', f'{f["wall_of_one"]:.2f}']
            for name, f in first.items()
        ],
    )


def _memory(memory: Figures) -> Iterator[str]:
    counts = sorted({int(n) for rss in memory.values() for n in rss})[1:]
    rows = []
    for name, rss in memory.items():
        found = [rss.get(str(count)) for count in counts]
        more = ['' if v is None else f'{v - rss["1"]:+.1f}' for v in found]
        rows.append([code(name), f'{rss["1"]:.1f}', *more])
    yield _MEMORY
    yield table(['images', '1', *(f'{count:,}' for count in counts)], rows)


def _regions(regions: dict[str, Any]) -> Iterator[str]:
    rows = []
    for name, label in (
        ('in_regions', code('in_regions()')),
        ('command', code('compute image list -f csv')),
    ):
        one, many = regions['time'][name].values()
        rows.append([label, f'{one:.2f}', f'{many:.2f}', number(many / one)])
    yield _REGIONS.format(**regions)
    yield table(['regions', 'one', 'all', 'times'], rows)
    (_, one), (images, many) = regions['memory'].items()
    yield _MEMORY_OF_REGIONS.format(one, many - one, int(images))


def _requests(requests: dict[str, int]) -> Iterator[str]:
    yield _REQUESTS
    yield table(
        ['compute image', 'requests'],
        [[name, f'{n}'] for name, n in requests.items()],
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
                number(cpu / 1e3),
                number(cpu / ours),
                f'{figures["requests"]:,.0f}',
                number(per_image(figures, 'wall') / 1e3),
            ]
        )
    yield _CHANGES.format(few=min(f['images'] for f in changes.values()))
    yield table(
        ['', 'client', 'images', 'CPU, ms', 'times', 'requests', 'wall, ms'],
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
        ['', 'CPU, s', 'MB', 'millions of instructions'],
        [
            [
                code(name) if ':' not in name else name,
                f'{each["cpu"]:.2f}',
                f'{each["rss"]:.0f}',
                _millions(each) if 'instructions' in each else '',
            ]
            for name, each in start.items()
        ],
    )


def _millions(figures: dict[str, float]) -> str:
    return f'{figures["instructions"] / 1e6:,.0f}'


def _cloud(cloud: dict[str, Any]) -> Iterator[str]:
    def seconds(figures: dict[str, float], *keys: str) -> list[str]:
        return [f'{figures[k]:.2f}' if k in figures else '' for k in keys]

    yield _CLOUD.format(**cloud)
    keys = ('wall', 'cpu', 'nova_cpu', 'glance_cpu')
    yield table(
        ['page', 'page_size', 'wall', 'client', 'Nova', 'Glance'],
        [
            [
                f'{each["limit"]:,}',
                f'{each["page_size"] or "not sent"}',
                *seconds(each, *keys),
            ]
            for each in cloud['pages']
        ],
    )
    yield from _ahead(cloud['ahead'])
    yield _CLOUD_COMMANDS
    commands = {code(n): figures for n, figures in cloud['commands'].items()}
    yield _seconds('openstack', commands)


def _ahead(ahead: Figures) -> Iterator[str]:
    yield _AHEAD
    yield _seconds('pages', ahead)


def _seconds(head: str, figures: Figures) -> str:
    return table(
        [head, 'wall', 'CPU'],
        [
            [name, f'{each["wall"]:.2f}', f'{each["cpu"]:.2f}']
            for name, each in figures.items()
        ],
    )


SECTIONS: dict[str, Callable[[Any], Iterator[str]]] = {
    'api': _api,
    'commands': _commands,
    'first row': _first_row,
    'memory': _memory,
    'regions': _regions,
    'ahead': _ahead,
    'requests': _requests,
    'changes': _changes,
    'startup': _startup,
    'start': _start,
    'cloud': _cloud,
}


def document(results: dict[str, Any]) -> str:
    """Return the tables of all measured parts."""
    known = ', '.join(f'{n} {v}' for n, v in results['versions'].items())
    paragraphs = [
        _INTRODUCTION.format(**results),
        f'{known}.',
        *(f'Omitted: {reason}.' for reason in results['left_out']),
        table(
            ['measurement', 'goal', 'measured', 'reached'],
            list(goals.rows(results)),
        ),
    ]
    for name, section in SECTIONS.items():
        if name in results:
            paragraphs += section(results[name])
    return '\n\n'.join(paragraphs) + '\n'


def picture(results: dict[str, Any]) -> str:
    """Return the plot, as SVG."""
    api, commands = results['api'], results['commands']
    base = commands['--version']['cpu']
    groups = [
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
                    name,
                    per_image(figures, 'cpu', base),
                    name.startswith('compute'),
                )
                for name, figures in _lists(commands).items()
            ],
        ),
    ]
    return plot.svg('CPU microseconds per image, log scale', groups)


def start_picture(results: dict[str, Any]) -> str:
    """Return the plot of start-up times, as SVG."""
    bars = [
        plot.Bar(name, each['cpu'] * 1e3, 'compute' in name)
        for name, each in results['start'].items()
    ]
    group = plot.Group('A list of one image, from start to end', bars)
    return plot.svg('CPU milliseconds, log scale', [group])


def write(results: dict[str, Any]) -> None:
    """Write the results, the tables and the plots."""
    RESULTS.write_text(json.dumps(results, indent=2) + '\n', 'utf-8')
    TABLE.write_text(document(results), 'utf-8')
    PLOT.write_text(picture(results), 'utf-8')
    START_PLOT.write_text(start_picture(results), 'utf-8')


if __name__ == '__main__':
    write(json.loads(RESULTS.read_text('utf-8')))
