# SPDX-License-Identifier: Apache-2.0

"""The parts of the benchmark: which programs are measured, in which cloud."""

from collections.abc import Mapping
from collections.abc import Sequence
import json
from pathlib import Path
import sys
import sysconfig
import tempfile
from typing import Any
from typing import NamedTuple
import venv

from benchmarks.measure import HERE
from benchmarks.measure import measure
from benchmarks.measure import Run
from benchmarks.measure import run
from benchmarks.measure import Subject

_BIN = Path(sys.executable).parent
OPENSTACK = str(_BIN / 'openstack')
COMPUTE_IMAGE = str(_BIN / 'compute-image')
_OURS = (OPENSTACK, 'compute', 'image')

_SHOWN = {
    '<ID>': '0c0ffee0-0000-0000-0000-000000000000',
    '<name>': 'cirros-0.6.2-000000',
}

#: How many images the slow programs have. Each takes the same time.
FEW = 10


class Part(NamedTuple):
    """A table.

    :param base: the figures of the others are relative to this one's
    :param compared: a command with this plugin, and without it
    """

    title: str
    base: str
    subjects: list[Subject]
    compared: tuple[str, str] | None = None

    def measured(self, runs: int, *, quick: bool) -> dict[str, Any]:
        """Measure it; return what results.json has of it."""
        rows = measure(self.subjects, runs, quick=quick)
        return {
            'title': self.title,
            'base': self.base,
            'compared': self.compared,
            'rows': rows,
        }


def program(*command: str) -> list[str]:
    """Return the command of one of ``subjects.py``."""
    return [sys.executable, str(HERE / 'subjects.py'), *command]


def timed(command: Sequence[str], env: Mapping[str, str]) -> Run:
    """Run a program that prints the time of its list, without its start."""
    done = run(command, env)
    own = json.loads(done.output)
    done.figures |= {'wall': own['wall'], 'cpu': own['cpu']}
    return done


def api(images: int, gophercloud: Path | None) -> Part:
    """Lists from a program: without its start, and without authentication."""
    ways = ('EachPage', 'AllPages') if gophercloud else ()
    programs = {
        'transfer only (urllib3)': program('transfer'),
        'floor: transfer and typed decode': program('floor'),
        'keystoneauth and typed decode': program('keystoneauth'),
        'this API: list_detail()': program('list_detail'),
        'requests and json.loads': program('requests_json'),
        **{f'gophercloud {way}': [str(gophercloud), way] for way in ways},
        'openstacksdk compute.images()': program('openstacksdk'),
    }
    return Part(
        'Lists from a program; CPU and wall time without its start, and '
        'without authentication:',
        'this API: list_detail()',
        [
            Subject(name, images, each, timed)
            for name, each in programs.items()
        ],
    )


def commands(images: int) -> Part:
    """Commands that list images, or show one."""
    counts = {
        **{
            f'compute image list -f {form}{more}': images
            for form in ('csv', 'value', 'json', 'table')
            for more in ('', ' --long')
        },
        'compute image list -f csv --created-before 2021-01-01': images,
        'image list -f csv': max(1000, images // 10),
        'compute image show <ID>': 3,
        'compute image show <name>': 3,
    }
    return Part(
        '``openstack``, whole commands. ``image list`` uses Glance, whose '
        'records are larger:',
        'compute image list -f csv',
        [
            Subject(
                line,
                count,
                [
                    OPENSTACK,
                    *(_SHOWN.get(word, word) for word in line.split()),
                ],
            )
            for line, count in counts.items()
        ],
    )


#: Virtual environments of equal length, with and without the plugin.
_PAIR = ('plugin', 'no-one')


def make_pair(folder: Path) -> None:
    """Make two virtual environments: links to what this one has.

    :param folder: where; not below ``/tmp``, where entry points are not cached
    """
    for name in _PAIR:
        venv.create(folder / name)
        packages = sysconfig.get_path(
            'purelib', 'venv', {'base': str(folder / name)}
        )
        for path in Path(sysconfig.get_path('purelib')).iterdir():
            # An editable installation has other names that contain this.
            if name == _PAIR[0] or 'osc_compute_images' not in path.name:
                (Path(packages) / path.name).symlink_to(path)


def start(folder: Path) -> Part:
    """The start of a command, which dominates on a small cloud.

    :param folder: that of :func:`make_pair`
    """
    compared = (
        'openstack image list, with this plugin',
        'openstack image list, without it',
    )
    glance = [OPENSTACK, 'image', 'list']
    pair = [[str(folder / name / 'bin/python'), *glance] for name in _PAIR]
    lines = {
        'compute-image list': [COMPUTE_IMAGE, 'list'],
        'openstack --version': [OPENSTACK, '--version'],
        'openstack compute image list': [*_OURS, 'list'],
        'openstack image list': glance,
        **dict(zip(compared, pair, strict=True)),
    }
    return Part(
        'Starting and listing one image (``openstack --version`` lists none). '
        'valgrind counts the instructions:',
        'openstack compute image list',
        [
            Subject(name, 1, command, counted=True)
            for name, command in lines.items()
        ],
        compared,
    )


#: Which option chooses the images of a change.
_CHANGES = {
    'set --allow-private --property checked=yes': '--with-name-pattern',
    'delete': '--name-pattern',
}


def _loop(words: Sequence[str], env: Mapping[str, str]) -> Run:
    """Run a command for each of the images."""
    listed = run([*_OURS, 'list', '-f', 'value', '-c', 'ID'], env)
    with tempfile.NamedTemporaryFile(suffix='.txt') as ids:
        ids.write(listed.output)
        ids.flush()
        loop = ['xargs', '-n', '1', '-a', ids.name]
        return run([*loop, *_OURS, *words], env)


def changes(images: int) -> Part:
    """Changing or deleting many images: with one command, or one for each."""
    subjects = []
    for change, option in _CHANGES.items():
        verb, *_ = words = change.split()
        ours = (*words, option, 'cirros-*', '--auto-approve', '-f', 'value')
        programs = {
            'openstack, with filters': [*_OURS, *ours],
            'compute-image, with filters': [COMPUTE_IMAGE, *ours],
            'openstacksdk, one process': program('openstacksdk', verb),
        }
        share = 0 if verb == 'delete' else 1
        subjects += [
            Subject(f'{verb}: {name}', images, line, left=images * share)
            for name, line in programs.items()
        ]
        loop = f'{verb}: xargs -n 1 openstack'
        subjects.append(Subject(loop, FEW, words, _loop, FEW * share))
    return Part(
        'Setting a property of many images, and deleting them. The shell '
        f'loop has {FEW} images, as each takes the same time:',
        'set: openstack, with filters',
        subjects,
    )
