# SPDX-License-Identifier: Apache-2.0

"""A program in Go, with Debian's package of gophercloud."""

import os
from pathlib import Path
import subprocess

_PACKAGE = 'golang-github-gophercloud-gophercloud-dev'

#: The reason if there is no program.
MISSING = f'there is no Go, or no Debian package {_PACKAGE}'


def build(source: Path, folder: Path) -> Path | None:
    """Build a program, or return None if that is not possible.

    :param source: the folder of its ``main.go``
    :param folder: where to put it
    """
    program = folder / 'gophercloud'
    settings = {
        'GO111MODULE': 'off',
        'GOPATH': '/usr/share/gocode',
        'GOFLAGS': '',
        'GOCACHE': str(folder / 'cache'),
    }
    try:
        subprocess.run(
            ('go', 'build', '-o', program, 'main.go'),
            cwd=source,
            env=os.environ | settings,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return program


def versions() -> dict[str, str]:
    commands = {
        'Go': ('go', 'env', 'GOVERSION'),
        'gophercloud': ('dpkg-query', '-W', '-f', '${Version}', _PACKAGE),
    }
    return {
        name: subprocess.check_output(command, text=True).strip()
        for name, command in commands.items()
    }
