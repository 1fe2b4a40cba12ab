# SPDX-License-Identifier: Apache-2.0

"""The ways to install that README.rst lists, each with a home of its own."""

from collections.abc import Callable
from collections.abc import Iterator
import os
from pathlib import Path
import re
import sys

#: Where each way finds or leaves its programs, below the home.
_BINS = ('client/bin', '.local/bin', 'openstack/bin')

_CLIENT = 'python-openstackclient'

#: How the client was installed, for each word that a command begins with; it
#: is not extended if a command makes a venv of its own.
_BEFORE = {
    'pip': f'"{sys.executable}" -m venv ~/client && pip install -q {_CLIENT}',
    'pipx': f'pipx install -q {_CLIENT}',
    'uv': f'uv tool install -q {_CLIENT}',
    'python3': 'true',
}

Run = Callable[..., str]


def commands(readme: str) -> Iterator[str]:
    """Yield the commands of the table."""
    table = readme.partition('.. list-table::')[2].partition('\npip cannot')[0]
    for row in table.split('\n   * - ')[2:]:
        yield ' && '.join(re.findall(r'``(.*?)``', row.partition('\n')[2]))


def install(command: str, tree: Path, home: Path, run: Run) -> dict[str, str]:
    """Run a command in a source tree; return an environment with the result.

    :param home: becomes the home
    :param run: runs a program, which must succeed
    """
    bins = [str(home / folder) for folder in _BINS]
    tools = str(Path(sys.executable).parent)
    keep = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('OS_', 'PIPX_', 'UV_TOOL_', 'XDG_'))
        and name not in ('VIRTUAL_ENV', 'PYTHONPATH')
    }
    environment = {
        **keep,
        'HOME': str(home),
        'PATH': os.pathsep.join([*bins, tools, os.environ['PATH']]),
        'UV_CACHE_DIR': run('uv', 'cache', 'dir').strip(),
        'UV_PYTHON': sys.executable,
        # No compiler may be needed.
        'CC': 'false',
    }
    home.mkdir(parents=True)
    for line in (_BEFORE[command.split()[0]], command):
        run('sh', '-c', line, env=environment, cwd=tree)
    return environment | {'PATH': os.pathsep.join(bins)}
