# SPDX-License-Identifier: Apache-2.0

"""A program in Go, with Debian's package of gophercloud."""

import os
from pathlib import Path
import shutil
import subprocess

_GOPATH = Path('/usr/share/gocode')
_PACKAGE = 'golang-github-gophercloud-gophercloud-dev'

#: The reason if there is no program.
MISSING = f'there is no Go, or no Debian package {_PACKAGE}'


def build(source: Path, folder: Path) -> Path | None:
    """Build a program, or return None if that is not possible.

    :param source: the folder of its ``main.go``
    :param folder: where to put it
    """
    go = shutil.which('go')
    if go is None or not (_GOPATH / 'src/github.com/gophercloud').exists():
        return None
    program = folder / 'gophercloud'
    variables = {
        'GO111MODULE': 'off',
        'GOPATH': str(_GOPATH),
        'GOCACHE': str(folder / 'cache'),
        'GOFLAGS': '',
    }
    done = subprocess.run(
        [go, 'build', '-o', program, 'main.go'],
        cwd=source,
        env={**os.environ, **variables},
        check=False,
    )
    return None if done.returncode else program


def versions() -> dict[str, str]:
    """Return the versions of Go and gophercloud."""
    commands = {
        'Go': ['go', 'env', 'GOVERSION'],
        'gophercloud': ['dpkg-query', '-W', '-f', '${Version}', _PACKAGE],
    }
    return {
        name: subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout.strip()
        for name, command in commands.items()
    }
