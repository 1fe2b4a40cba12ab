# SPDX-License-Identifier: Apache-2.0

"""Check a release: build it, check its contents, install and use it.

It is built from a clone without tags, and again from its own sdist: both must
give the same distributions, and each distribution must list images; so must
each installation that README.rst describes. The sdist has the man pages and a
completion. Without a network it must be built, and run its unit tests.
``--keep`` keeps the distributions in a folder, with a bill of materials.
"""

import argparse
from collections.abc import Mapping
import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

_ROOT = Path(__file__).parents[1]
_PACKAGE = 'osc_compute_images'
#: Where a wheel has the licence.
_LICENCE = 'licenses/LICENSE'
_CONSTRAINTS = _ROOT / 'tools' / 'build-constraints.txt'
_BIN = Path(sys.executable).parent
_UV = _BIN / 'uv'

#: The version of setuptools of some systems: what builds there needs no newer
#: one.
_OLD_SETUPTOOLS = {'Debian 12': '66.1.1', 'Ubuntu 24.04': '68.1.2'}

#: How the client was installed, for each word that a command of README.rst
#: begins with; it is not extended if a command makes a venv of its own.
_BEFORE = {
    'pip': f'"{sys.executable}" -m venv ~/client && '
    'pip install -q python-openstackclient',
    'pipx': 'pipx install -q python-openstackclient',
    'uv': 'uv tool install -q python-openstackclient',
    'python3': 'true',
}

#: The files that a build makes, or changes, itself.
_OWN = re.compile(
    r'\.egg-info/|^setup\.cfg$|'
    r'^(PKG-INFO|METADATA|RECORD|WHEEL|entry_points\.txt|top_level\.txt)$'
)

#: Where these commands install programs, below the home.
_BINS = ('client/bin', '.local/bin', 'openstack/bin')

sys.path.insert(0, str(_ROOT))

from testbed import canned_cloud  # noqa: E402


class CheckFailed(Exception):
    """A check of the release failed."""


def _require(what: str, holds: object) -> None:
    if not holds:
        raise CheckFailed(what)
    print(f'ok: {what}', flush=True)


def _run(
    *words: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    done = subprocess.run(
        words, cwd=cwd, env=env, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise CheckFailed(f'{words[0]} {words[1]} failed:\n{done.stdout}')
    return done.stdout


def _build(
    source: Path, dist: Path, constraints: Path = _CONSTRAINTS
) -> list[Path]:
    """Build an sdist, and a wheel from it; return both."""
    _run(_UV, 'build', '--quiet', '--out-dir', dist,
         '--build-constraint', constraints, source)  # fmt: skip
    return [next(dist.glob(suffix)) for suffix in ('*.tar.gz', '*.whl')]


def _entries(path: Path) -> dict[str, bytes]:
    """Return the files in a distribution, by name: without the version."""
    entries = {}
    if path.suffix == '.whl':
        with zipfile.ZipFile(path) as wheel:
            entries = {name: wheel.read(name) for name in wheel.namelist()}
    else:
        with tarfile.open(path) as sdist:
            for member in sdist:
                if (file := sdist.extractfile(member)) is not None:
                    entries[member.name] = file.read()
    top = re.compile(rf'^{_PACKAGE}-[^/]*/(data/)?')
    return {top.sub('', name): entry for name, entry in entries.items()}


def _made(tree: Path) -> dict[str, Path]:
    """Make the files that distributions have; return where they go."""
    _run(_BIN / 'tox', 'run', '-qe', 'docs', cwd=tree)
    build = tree / 'doc' / 'build'
    pages = {f'man/man1/{p.name}': p for p in (build / 'man').glob('*.1')}
    _require('there is a man page for each command', len(pages) > 10)
    completion = build / 'completion' / 'compute-image'
    return pages | {
        f'bash-completion/completions/{completion.name}': completion
    }


def _check_contents(path: Path, wanted: Mapping[str, Path]) -> None:
    """Check that a distribution has these files, and its own, only."""
    expected = {name: file.read_bytes() for name, file in wanted.items()}
    found = _entries(path)
    wrong = [
        name
        for name in sorted(found.keys() | expected)
        if found.get(name) != expected.get(name) and not _OWN.search(name)
    ]
    but = ''.join(f', but for {name}' for name in wrong)
    _require(f'{path.name} has what it should have only{but}', not wrong)


def _check_installed(scratch: Path, distribution: Path) -> Path:
    """Install a distribution into an empty venv, and list images."""
    venv = scratch / f'venv-{distribution.name}'
    python = venv / 'bin' / 'python'
    _run(_UV, 'venv', '--quiet', '--python', sys.executable, venv)
    _run(_UV, 'pip', 'install', '--quiet', '--python', python, distribution)
    _run(_UV, 'pip', 'check', '--python', python)
    works = _lists_images(str(python.parent), scratch, os.environ)
    _require(f'{distribution.name} lists images', works)
    return python


def _lists_images(
    path: str, folder: Path, environment: Mapping[str, str]
) -> bool:
    """Return whether both programs list the images of a canned cloud."""
    nova = canned_cloud.Nova([canned_cloud.image(n) for n in range(3)])
    with canned_cloud.canned_cloud(nova) as server:
        env = {
            **{k: v for k, v in environment.items() if k[:3] != 'OS_'},
            **canned_cloud.environment(server),
            'PATH': path,
        }
        printed = {
            _run('/bin/sh', '-c', f'{each} list -f json', env=env, cwd=folder)
            for each in ('openstack compute image', 'compute-image')
        }
    return [len(json.loads(each)) for each in printed] == [3]


def _check_ways_to_install(tree: Path, scratch: Path) -> None:
    """Install as each row of README.rst says, each with a home of its own."""
    readme = (_ROOT / 'README.rst').read_text()
    table = readme.partition('.. list-table::')[2].partition('\npip cannot')[0]
    rows = table.split('\n   * - ')[2:]
    _require('README.rst lists four ways to install', len(rows) == 4)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('OS_', 'PIPX_', 'UV_TOOL_', 'XDG_'))
        and name not in ('VIRTUAL_ENV', 'PYTHONPATH')
    } | {
        'UV_CACHE_DIR': _run('uv', 'cache', 'dir').strip(),
        'UV_PYTHON': sys.executable,
    }
    for number, row in enumerate(rows):
        cells = re.findall(r'``(.*?)``', row.partition('\n')[2])
        command = ' && '.join(cells)
        home = scratch / f'home-{number}'
        home.mkdir()
        path = os.pathsep.join(str(home / folder) for folder in _BINS)
        longer = os.pathsep.join((path, str(_BIN), os.environ['PATH']))
        env = {**kept, 'HOME': str(home), 'PATH': longer}
        for line in (_BEFORE[command.split()[0]], command):
            _run('sh', '-c', line, env=env, cwd=tree)
        _require(f'works: {command}', _lists_images(path, home, env))


def _offline() -> tuple[str, ...]:
    """Return the words before a command that shall have no network."""
    words = ('unshare', '--net', *(('--map-root-user',) * bool(os.getuid())))
    words += ('sh', '-c', 'ip link set lo up && exec "$0" "$@"')
    try:
        _run(*words, 'true')
    except (CheckFailed, OSError):
        print('NOTE: the network cannot be taken away here', flush=True)
        return ('env',)
    return words


def _check_sdist_works(tree: Path, wheel: Path, scratch: Path) -> None:
    """Build an unpacked sdist, and run its unit tests, as packagers do."""
    # This alone needs a network, for the requirements.
    _run(_BIN / 'tox', 'run', '-qe', 'unit,docs', '--notest', cwd=tree)
    offline = _offline()
    unit, docs = (tree / '.tox' / name / 'bin' for name in ('unit', 'docs'))
    build = (_UV, 'build', '--quiet', '--wheel', '--out-dir')
    _run(*offline, *build, scratch / 'offline', '--offline',
         '--no-build-isolation', '--python', unit / 'python',
         cwd=tree)  # fmt: skip
    [built] = (scratch / 'offline').glob('*.whl')
    same = {*_entries(built)} == {*_entries(wheel)}
    _require('without a network the sdist builds the wheel', same)
    _run(*offline, docs / 'sphinx-build', '--quiet', '--fail-on-warning',
         '--builder', 'man', 'doc/source', scratch / 'man',
         cwd=tree)  # fmt: skip
    before, after = (
        {page.name for page in folder.glob('*.1')}
        for folder in (tree / 'doc/build/man', scratch / 'man')
    )
    _require('without a network it builds its man pages', before == after)
    pytest = (unit / 'python', '-m', 'pytest', '-q', '-n', '2', 'tests/unit')
    passed = ' passed' in _run(*offline, *pytest, cwd=tree)
    _require('without a network it runs its unit tests', passed)


def _check_old_setuptools(tree: Path, wheel: Path, scratch: Path) -> None:
    """Build the wheel as distributions do."""
    modules = {name for name in _entries(wheel) if '/' in name}
    for system, version in _OLD_SETUPTOOLS.items():
        constraints = scratch / f'setuptools-{version}.txt'
        constraints.write_text(f'setuptools=={version}\n')
        _sdist, built = _build(tree, scratch / version, constraints)
        entries = _entries(built)
        known = b'\nLicense: Apache-2.0\n' in entries['METADATA']
        same = modules - {_LICENCE} <= {*entries}
        done = f'setuptools of {system} builds the wheel'
        _require(done, known and same)


def _check(scratch: Path) -> tuple[Path, ...]:
    clone = scratch / 'clone'
    _run('git', 'clone', '--quiet', '--no-tags', _ROOT, clone)
    tracked = _run('git', '-C', clone, 'ls-files').splitlines()
    made = _made(clone)
    sdist, wheel = _build(clone, clone / 'dist')
    with tarfile.open(sdist) as archive:
        archive.extractall(scratch / 'unpacked', filter='data')
    [tree] = (scratch / 'unpacked').iterdir()
    again = _build(tree, tree / 'dist')
    same = [*map(_entries, again)] == [*map(_entries, (sdist, wheel))]
    _require('the sdist builds the same sdist and wheel', same)
    equal = again[1].read_bytes() == wheel.read_bytes()
    _require('the wheel is the same, bit for bit', equal)
    _run(_BIN / 'twine', 'check', '--strict', sdist, wheel)
    files = [clone / name for name in tracked] + [*made.values()]
    all_files = {str(file.relative_to(clone)): file for file in files}
    _check_contents(sdist, all_files)
    shared = {f'share/{name}': file for name, file in made.items()}
    package = {n: f for n, f in all_files.items() if n.startswith(_PACKAGE)}
    _check_contents(wheel, package | shared | {_LICENCE: clone / 'LICENSE'})
    _check_installed(scratch, sdist)
    python = _check_installed(scratch, wheel)
    _check_sdist_works(tree, wheel, scratch)
    _check_old_setuptools(tree, wheel, scratch)
    _check_ways_to_install(tree, scratch)
    bill = scratch / f'{wheel.stem}.cdx.json'
    _run(_BIN / 'cyclonedx-py', 'environment', '--output-reproducible',
         '--output-file', bill, python)  # fmt: skip
    return sdist, wheel, bill


def _prepare_environment() -> None:
    """Set what all commands shall see."""
    for name in [name for name in os.environ if name.startswith('TOX_')]:
        del os.environ[name]
    date = _run('git', '-C', _ROOT, 'log', '-1', '--format=%ct').strip()
    # No compiler may be needed.
    os.environ |= {'SOURCE_DATE_EPOCH': date, 'CC': 'false', 'CXX': 'false'}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog='./run release-check', description=__doc__
    )
    parser.add_argument('--keep', type=Path, metavar='<folder>')
    parser.add_argument('--version', help='the expected version')
    args = parser.parse_args()
    _prepare_environment()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            made = _check(Path(scratch))
            if args.version is not None:
                named = made[0].name.endswith(f'-{args.version}.tar.gz')
                _require(f'the version is {args.version}', named)
        except CheckFailed as e:
            print(f'FAILED: {e}', file=sys.stderr)
            return 1
        if args.keep is not None:
            args.keep.mkdir(parents=True, exist_ok=True)
            for path in made:
                shutil.copy(path, args.keep)
    return 0


if __name__ == '__main__':
    sys.exit(main())
