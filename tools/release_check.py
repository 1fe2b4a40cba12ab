# SPDX-License-Identifier: Apache-2.0

"""Check a release: build it, check its contents, install and use it.

It is built from a clone without tags, and again from its own sdist: both must
give the same distributions, and each distribution must list images; so must
each installation that README.rst describes. The sdist has the man pages and a
completion. Without a network it must be built, and run its unit tests.
``--keep`` keeps the distributions in a folder, with a bill of materials.
"""

import argparse
import functools
import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from typing import Any
import zipfile

_ROOT = Path(__file__).parents[1]
_PACKAGE = 'osc_compute_images'
_CONSTRAINTS = _ROOT / 'tools' / 'build-constraints.txt'
_BIN = Path(sys.executable).parent

sys.path.insert(0, str(_ROOT))

from testbed import canned_cloud  # noqa: E402


class CheckFailed(Exception):
    """A check of the release failed."""


def _require(condition: object, what: str) -> None:
    if not condition:
        raise CheckFailed(what)
    print(f'ok: {what}', flush=True)


def _run(*words: str | Path, **kwargs: Any) -> str:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [str(word) for word in words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False, **kwargs,
    )  # fmt: skip
    if done.returncode:
        raise CheckFailed(f'{words[0]} {words[1]} failed:\n{done.stdout}')
    return done.stdout


def _source_date() -> dict[str, str]:
    """Return the variable with the date of what is built."""
    date = _run('git', '-C', _ROOT, 'log', '-1', '--format=%ct')
    return {'SOURCE_DATE_EPOCH': date.strip()}


def _build(
    source: Path,
    *kinds: str,
    constraints: Path = _CONSTRAINTS,
    dist: Path | None = None,
) -> tuple[Path, ...]:
    """Build distributions; return them in the order of the kinds."""
    dist = dist or source / 'dist'
    _run(
        _BIN / 'uv',
        'build',
        '--quiet',
        *kinds,
        '--out-dir',
        dist,
        '--build-constraint',
        constraints,
        source,
        env=os.environ | _source_date(),
    )
    suffixes = {'--sdist': '*.tar.gz', '--wheel': '*.whl'}
    return tuple(next(dist.glob(suffixes[kind])) for kind in kinds)


def _entries(path: Path) -> dict[str, bytes]:
    """Return the files in a distribution, by name."""
    if path.suffix == '.whl':
        with zipfile.ZipFile(path) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(path) as sdist:
        return {
            # Without the top folder.
            member.name.partition('/')[2]: file.read()
            for member in sdist
            if (file := sdist.extractfile(member)) is not None
        }


def _document(tree: Path) -> None:
    """Build the documents of a tree; its distributions have some of them."""
    env = {k: v for k, v in os.environ.items() if not k.startswith('TOX_')}
    _run(
        _BIN / 'tox', 'run', '-qe', 'docs', cwd=tree, env=env | _source_date()
    )


def _made(tree: Path) -> dict[str, Path]:
    """Return the made files that distributions have, by where they go."""
    build = tree / 'doc' / 'build'
    pages = {f'man/man1/{p.name}': p for p in (build / 'man').glob('*.1')}
    _require(len(pages) > 10, 'there is a man page for each command')
    completions = 'bash-completion/completions'
    name = 'compute-image'
    return pages | {f'{completions}/{name}': build / 'completion' / name}


def _check_wheel(path: Path, made: dict[str, Path]) -> None:
    entries = _entries(path)
    tops = {name.partition('/')[0] for name in entries}
    [data, info] = sorted(tops - {_PACKAGE})
    _require(
        (data[-5:], info[-10:]) == ('.data', '.dist-info')
        and {
            name.removeprefix(f'{data}/data/share/'): content
            for name, content in entries.items()
            if name.startswith(f'{data}/')
        }
        == {name: file.read_bytes() for name, file in made.items()},
        'the wheel has the package, man pages and a completion only',
    )
    modules = {
        str(module.relative_to(_ROOT))
        for module in (_ROOT / _PACKAGE).rglob('*.py')
    }
    _require(modules <= set(entries), 'the wheel has all modules')
    _require(f'{_PACKAGE}/py.typed' in entries, 'the wheel has py.typed')
    _require(
        entries[f'{info}/licenses/LICENSE']
        == (_ROOT / 'LICENSE').read_bytes(),
        'the wheel has the licence',
    )


def _check_sdist(path: Path, clone: Path, made: dict[str, Path]) -> None:
    tracked = set(_run('git', '-C', _ROOT, 'ls-files').splitlines())
    wanted = {str(file.relative_to(clone)) for file in made.values()} | tracked
    missing = wanted - set(_entries(path))
    _require(
        not missing,
        'the sdist has all files of the repository, man pages and a completion'
        + ''.join(f', except {name}' for name in sorted(missing)),
    )
    more = {
        name
        for name in set(_entries(path)) - wanted
        if name != 'PKG-INFO' and '.egg-info/' not in name
    }
    _require(
        not more,
        'the sdist has nothing else'
        + ''.join(f', except {name}' for name in sorted(more)),
    )


def _check_installed(scratch: Path, distribution: Path) -> Path:
    """Install a distribution into an empty venv, and list images."""
    name = f'venv-{distribution.name}'
    python = scratch / name / 'bin' / 'python'
    _run(_BIN / 'uv', 'venv', '--quiet', '--python', sys.executable,
         scratch / name)  # fmt: skip
    _run(
        *(_BIN / 'uv', 'pip', 'install', '--quiet'),
        *('--python', python, distribution),
        # No compiler may be needed.
        env={**os.environ, 'CC': 'false', 'CXX': 'false'},
    )
    _run(_BIN / 'uv', 'pip', 'check', '--python', python)
    _require(
        _lists_images({**os.environ, 'PATH': str(python.parent)}, scratch),
        f'{distribution.name} lists images',
    )
    return python


def _lists_images(environment: dict[str, str], folder: Path) -> bool:
    """Return whether both programs list the images of a canned cloud."""
    programs = [
        shutil.which(program, path=environment['PATH'])
        for program in ('openstack', 'compute-image')
    ]
    if None in programs:
        return False
    nova = canned_cloud.Nova([canned_cloud.image(n) for n in range(3)])
    with canned_cloud.canned_cloud(nova) as server:
        env = {
            **{k: v for k, v in environment.items() if k[:3] != 'OS_'},
            **canned_cloud.environment(server),
        }
        printed, again = (
            _run(str(program), *words, '-f', 'json', env=env, cwd=folder)
            for program, words in zip(
                programs,
                (['compute', 'image', 'list'], ['list']),
                strict=True,
            )
        )
    return len(json.loads(printed)) == 3 and again == printed


#: How the client was installed, for each word that a command of README.rst
#: begins with; it is not extended if a command makes a venv of its own.
_BEFORE = {
    'pip': '"{}" -m venv ~/client && pip install -q python-openstackclient',
    'pipx': 'pipx install -q python-openstackclient',
    'uv': 'uv tool install -q python-openstackclient',
    'python3': 'true',
}


def _check_ways_to_install(tree: Path, scratch: Path) -> None:
    """Install as each row of README.rst says, each with a home of its own."""
    readme = (_ROOT / 'README.rst').read_text()
    table = readme.partition('.. list-table::')[2].partition('\npip cannot')[0]
    rows = table.split('\n   * - ')[2:]
    _require(len(rows) == 4, 'README.rst lists four ways to install')
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('OS_', 'PIPX_', 'UV_TOOL_', 'XDG_'))
        and name not in ('VIRTUAL_ENV', 'PYTHONPATH')
    }
    for number, row in enumerate(rows):
        cells = re.findall(r'``(.*?)``', row.partition('\n')[2])
        command = ' && '.join(cells)
        home = scratch / f'home-{number}'
        home.mkdir()
        bins = [
            str(home / folder)
            for folder in ('client/bin', '.local/bin', 'openstack/bin')
        ]
        environment = {
            **kept,
            'HOME': str(home),
            'PATH': os.pathsep.join([*bins, str(_BIN), os.environ['PATH']]),
            'UV_CACHE_DIR': _run('uv', 'cache', 'dir').strip(),
            'UV_PYTHON': sys.executable,
            # No compiler may be needed.
            'CC': 'false',
        }
        before = _BEFORE[command.split()[0]].format(sys.executable)
        for line in (before, command):
            _run('sh', '-c', line, env=environment, cwd=tree)
        found = environment | {'PATH': os.pathsep.join(bins)}
        _require(_lists_images(found, home), f'works: {command}')


def _offline() -> tuple[str, ...]:
    """Return the words before a command that shall have no network."""
    words = (
        *('unshare', '--net', *(('--map-root-user',) * bool(os.getuid()))),
        *('sh', '-c', 'ip link set lo up && exec "$0" "$@"'),
    )
    try:
        _run(*words, 'true')
    except (CheckFailed, OSError):
        print('NOTE: the network cannot be taken away here', flush=True)
        return ('env',)
    return words


def _check_sdist_works(tree: Path, wheel: Path, scratch: Path) -> None:
    """Build an unpacked sdist, and run its unit tests, as packagers do."""
    env = {k: v for k, v in os.environ.items() if not k.startswith('TOX_')}
    # This alone needs a network, for the requirements.
    _run(
        *(_BIN / 'tox', 'run', '-qe', 'unit,docs', '--notest'),
        cwd=tree,
        env=env,
    )
    unit, docs = (tree / '.tox' / name / 'bin' for name in ('unit', 'docs'))
    run = functools.partial(_run, *_offline(), cwd=tree, env=env)
    run(
        *(_BIN / 'uv', 'build', '--quiet', '--offline', '--wheel'),
        *('--no-build-isolation', '--python', unit / 'python'),
        *('--out-dir', scratch / 'offline'),
    )
    [built] = (scratch / 'offline').glob('*.whl')
    _require(
        set(_entries(built)) == set(_entries(wheel)),
        'the sdist builds the wheel without a network',
    )
    run(
        *(docs / 'sphinx-build', '--quiet', '--fail-on-warning'),
        *('--builder', 'man', 'doc/source', scratch / 'man'),
    )
    _require(
        {page.name for page in (scratch / 'man').glob('*.1')}
        == {page.name for page in (tree / 'doc/build/man').glob('*.1')},
        'the sdist builds its man pages without a network',
    )
    printed = run(
        *(unit / 'python', '-m', 'pytest', '-q', '-n', '2', 'tests/unit')
    )
    _require(
        ' passed' in printed,
        'the sdist runs its unit tests without a network',
    )


#: The versions of distributions: what builds there needs no newer one.
_OLD_SETUPTOOLS = {'Debian 12': '66.1.1', 'Ubuntu 24.04': '68.1.2'}


def _check_old_setuptools(tree: Path, wheel: Path, scratch: Path) -> None:
    """Build the wheel as distributions do."""
    names = set(_entries(wheel))
    for system, version in _OLD_SETUPTOOLS.items():
        constraints = scratch / f'setuptools-{version}.txt'
        constraints.write_text(f'setuptools=={version}\n')
        [built] = _build(
            tree, '--wheel', constraints=constraints, dist=scratch / version
        )
        text = next(
            content.decode()
            for name, content in _entries(built).items()
            if name.endswith('/METADATA')
        )
        modules = {name for name in names if '.dist-info/' not in name}
        _require(
            modules <= set(_entries(built))
            and '\nLicense: Apache-2.0\n' in text,
            f'setuptools of {system} builds the wheel',
        )


def _check(scratch: Path) -> tuple[Path, ...]:
    clone = scratch / 'clone'
    _run('git', 'clone', '--quiet', '--no-tags', _ROOT, clone)
    _document(clone)
    made = _made(clone)
    sdist, wheel = _build(clone, '--sdist', '--wheel')
    with tarfile.open(sdist) as archive:
        archive.extractall(scratch / 'unpacked', filter='data')
    [tree] = (scratch / 'unpacked').iterdir()
    sdist_again, wheel_again = _build(tree, '--sdist', '--wheel')
    _require(
        _entries(sdist_again) == _entries(sdist),
        'the sdist builds the same sdist',
    )
    _require(
        wheel_again.read_bytes() == wheel.read_bytes(),
        'the sdist builds the same wheel, bit for bit',
    )
    _run(_BIN / 'twine', 'check', '--strict', sdist, wheel)
    _check_wheel(wheel, made)
    _check_sdist(sdist, clone, made)
    _check_installed(scratch, sdist)
    python = _check_installed(scratch, wheel)
    _check_sdist_works(tree, wheel, scratch)
    _check_old_setuptools(tree, wheel, scratch)
    _check_ways_to_install(tree, scratch)
    bill = scratch / f'{wheel.stem}.cdx.json'
    _run(
        *(_BIN / 'cyclonedx-py', 'environment', '--output-reproducible'),
        *('--output-file', bill, python),
    )
    return sdist, wheel, bill


def main() -> int:
    """Run all checks."""
    parser = argparse.ArgumentParser(
        prog='./run release-check', description=__doc__
    )
    parser.add_argument('--keep', type=Path, metavar='<folder>')
    parser.add_argument('--version', help='the expected version')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            made = _check(Path(scratch))
            if args.version is not None:
                _require(
                    made[0].name.endswith(f'-{args.version}.tar.gz'),
                    f'the version is {args.version}',
                )
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
