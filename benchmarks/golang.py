# SPDX-License-Identifier: Apache-2.0

"""A program in Go, with Debian's package of gophercloud."""

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
    settings = (
        *('GO111MODULE=off', f'GOPATH={_GOPATH}', 'GOFLAGS='),
        f'GOCACHE={folder / "cache"}',
    )
    command = ('env', *settings, go, 'build', '-o', program, 'main.go')
    done = subprocess.run(command, cwd=source, check=False)
    return None if done.returncode else program


def versions() -> dict[str, str]:
    """Return the versions of Go and gophercloud."""
    commands = {
        'Go': ('go', 'env', 'GOVERSION'),
        'gophercloud': ('dpkg-query', '-W', '-f', '${Version}', _PACKAGE),
    }
    return {
        name: subprocess.check_output(command, text=True).strip()
        for name, command in commands.items()
    }
