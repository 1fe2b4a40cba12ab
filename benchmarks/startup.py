# SPDX-License-Identifier: Apache-2.0

"""The cost of the plugin for other ``openstack`` commands.

The same program runs from two folders with links to all installed packages.
One has the plugin as a wheel would install it, the other does not. So the
difference is the plugin. The caches of entry points and byte code are warm in
both, as they are for a user.
"""

from collections.abc import Mapping
import json
import pathlib
import re
import shutil
import site
import subprocess
import sys
import tempfile
from typing import Any

from benchmarks import measure
import osc_compute_images

PACKAGE = osc_compute_images.__name__

#: Runs the command from a folder, without the site-packages of Python.
LAUNCH = (
    'import sys; sys.path.append(sys.argv.pop(1)); '
    'from openstackclient.shell import main; sys.exit(main(sys.argv[1:]))'
)

#: Writes the names of all imported modules at exit.
TELL = (
    'import atexit, json, sys; '
    'atexit.register(lambda: sys.stderr.write(json.dumps([*sys.modules]))); '
)


def _folders(where: pathlib.Path) -> dict[str, pathlib.Path]:
    """Make the two folders."""
    made = {}
    for name in ('without', 'with'):
        folder = made[name] = where / name
        folder.mkdir()
        for site_packages in map(pathlib.Path, site.getsitepackages()):
            for path in sorted(site_packages.glob('*')):
                link = folder / path.name
                ours = PACKAGE in path.name
                if not ours and not link.exists() and path.suffix != '.pth':
                    link.symlink_to(path)
                if name == 'with' and ours and path.suffix == '.dist-info':
                    shutil.copytree(path, link)
    package = pathlib.Path(osc_compute_images.__file__).parent
    (made['with'] / PACKAGE).symlink_to(package)
    return made


def _command(folder: pathlib.Path, *words: str) -> list[str]:
    return [sys.executable, '-P', '-S', '-c', LAUNCH, str(folder), *words]


def instructions(command: list[str], env: Mapping[str, str]) -> int | None:
    """Count the instructions of a command, if valgrind is installed."""
    valgrind = shutil.which('valgrind')
    if valgrind is None:
        return None
    counting = ('--tool=cachegrind', '--cache-sim=no')
    done = subprocess.run(
        [valgrind, *counting, '--cachegrind-out-file=/dev/null', *command],
        env=measure.environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r'I\s+refs:\s+([\d,]+)', done.stderr)
    return int(found[1].replace(',', '')) if found else None


def _modules(command: list[str], env: Mapping[str, str]) -> set[str]:
    """Return the modules that a command imports."""
    launch = command.index(LAUNCH)
    done = subprocess.run(
        [*command[:launch], TELL + LAUNCH, *command[launch + 1 :]],
        env=measure.environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stderr[done.stderr.rindex('[') :]))


def measured(
    cloud: measure.Cloud, runs: int, *, quick: bool
) -> dict[str, Any]:
    """Measure two other commands, with and without the plugin."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        where = pathlib.Path(temporary)
        folders = _folders(where)
        env = {**cloud.env, 'XDG_CACHE_HOME': str(where / 'cache')}
        for words in (('--version',), ('token', 'issue')):
            commands = {n: _command(f, *words) for n, f in folders.items()}
            # The first run of each fills the caches; it is not timed.
            modules = {n: _modules(c, env) for n, c in commands.items()}
            medians = measure.Medians()
            for number in range(3 * runs):
                measure.note(f'run {number + 1}: start-up, {" ".join(words)}')
                for name, command in commands.items():
                    medians.add(name, cpu=measure.run(command, env).cpu)
            result: dict[str, Any] = medians.result()
            result['modules'] = sorted(modules['with'] - modules['without'])
            if not quick:
                measure.note(f'instructions: {" ".join(words)}')
                for name, command in commands.items():
                    count = instructions(command, env)
                    if count is not None:
                        result[name]['instructions'] = count
            results[' '.join(words)] = result
    return results
