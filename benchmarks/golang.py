# SPDX-License-Identifier: Apache-2.0

"""Programs in Go, with Debian's package of gophercloud."""

from collections.abc import Sequence
import os
import pathlib
import shutil
import subprocess

GOPATH = pathlib.Path('/usr/share/gocode')
PACKAGE = 'golang-github-gophercloud-gophercloud-dev'

#: The reason if there is no program.
MISSING = f'there is no Go, or no Debian package {PACKAGE}'


def build(source: pathlib.Path, program: pathlib.Path) -> str | None:
    """Build a program, or return None if that is not possible.

    :param source: the folder of its ``main.go``
    :param program: where to put it
    """
    go = shutil.which('go')
    peer = GOPATH / 'src/github.com/gophercloud/gophercloud'
    if go is None or not peer.exists():
        return None
    done = subprocess.run(
        [go, 'build', '-o', str(program), 'main.go'],
        cwd=source,
        env={
            **os.environ,
            'GO111MODULE': 'off',
            'GOPATH': str(GOPATH),
            'GOCACHE': str(program.with_suffix('.cache')),
            'GOFLAGS': '',
        },
        check=False,
    )
    return None if done.returncode else str(program)


def versions() -> dict[str, str]:
    """Return the versions of Go and gophercloud."""
    return {
        'Go': _output(['go', 'env', 'GOVERSION']).removeprefix('go'),
        'gophercloud': _output(
            ['dpkg-query', '-W', '-f', '${Version}', PACKAGE]
        ),
    }


def _output(command: Sequence[str]) -> str:
    if shutil.which(command[0]) is None:
        return ''
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()
