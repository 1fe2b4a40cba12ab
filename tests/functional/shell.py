# SPDX-License-Identifier: Apache-2.0

"""The ``openstack`` and ``compute-image`` commands."""

from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import dataclasses
import io
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Any
from unittest import mock

from openstackclient import shell as openstackclient
from openstackclient.common.clientmanager import ClientManager

from tests.unit.running import kept_logging

# It is that of the program that imports cliff.
openstackclient.OpenStackShell.NAME = 'openstack'

#: Seconds to wait for an event that must happen.
PATIENCE = 120


@dataclasses.dataclass
class Result:
    """The result of a command."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return the standard output of ``-f json``."""
        return json.loads(self.out)


def executable(program: str = 'openstack') -> str:
    """Return the path of an installed program."""
    beside = Path(sys.executable).with_name(program)
    return str(beside) if beside.exists() else shutil.which(program) or ''


def search_path() -> str:
    """Return a value of PATH that finds these programs first."""
    return os.pathsep.join(
        [str(Path(executable()).parent), os.environ['PATH']]
    )


def fresh(
    words: Sequence[str | bytes | Path],
    environment: Mapping[str, str],
    *,
    timeout: float = PATIENCE,
    **more: Any,
) -> Result:
    """Run any program in a process of its own, by default without input."""
    if 'input' not in more:
        more['stdin'] = subprocess.DEVNULL
    done = subprocess.run(
        words,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **more,
    )
    return Result(done.returncode, done.stdout, done.stderr)


class Shell:
    """Runs ``openstack`` or ``compute-image`` with its own environment.

    :param program: ``compute-image`` starts three times as fast; of its words,
        ``compute image`` is left out
    """

    def __init__(
        self, environment: Mapping[str, str], *, program: str = 'openstack'
    ) -> None:
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(('OS_', 'PYTEST_'))
            },
            # The output must not depend on the terminal of the tests.
            'PYTHONWARNINGS': 'ignore',
            **environment,
        }
        self.program = program

    def command(self, *words: str | bytes) -> list[str | bytes]:
        """Return the program with its arguments."""
        command = [executable(self.program), *words]
        if self.program != 'openstack' and 'compute' in words:
            at = command.index('compute')
            assert command[at + 1] == 'image'
            del command[at : at + 2]
        return command

    def process(self, *words: str | bytes, **more: Any) -> Result:
        """Run a command as a process, with any result."""
        return fresh(self.command(*words), self.environment, **more)

    def run(self, *words: str) -> Result:
        """Run ``openstack`` in this process, with any result."""
        out, err = (io.TextIOWrapper(io.BytesIO(), 'utf-8') for _ in range(2))
        for kind in ClientManager.__mro__:
            for client in vars(kind).values():
                # It is kept in the class, and may be that of another user.
                if hasattr(client, '_handle'):
                    client._handle = None
        with (
            kept_logging(),
            open(os.devnull) as nothing,
            mock.patch.dict(os.environ, self.environment, clear=True),
            mock.patch('sys.argv', ['openstack', *words]),
            mock.patch('sys.stdin', nothing),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                code = openstackclient.main([*words])
            except SystemExit as e:
                code = e.code
        for stream in (out, err):
            stream.seek(0)
        return Result(code, out.read(), err.read())

    def __call__(self, *words: str) -> Result:
        """Run a command, which must succeed without output on stderr."""
        result = self.run(*words)
        assert (result.code, result.err) == (0, '')
        return result

    def images(self, *words: str) -> list[dict[str, Any]]:
        """Return a list of images with all columns."""
        listed: list[dict[str, Any]] = self(
            'compute', 'image', 'list', '--long', '-f', 'json', *words
        ).json()
        return listed

    def fails(self, *words: str, code: int = 1) -> str:
        """Run a command, which must fail; return its error, one line."""
        result = self.run(*words)
        assert (result.code, result.out) == (code, ''), result.err
        [line] = result.err.splitlines()
        return line
