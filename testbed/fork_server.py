# SPDX-License-Identifier: Apache-2.0

"""Runs a Python program many times, and imports its modules once."""

from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import os
from pathlib import Path
import socket
import subprocess
import sys
import tempfile
from typing import Self

from testbed import fork_client

_HERE = Path(__file__).parent

#: The path of an interpreter may be too long for a shebang line.
_LAUNCHER = """#!/bin/sh
exec '{python}' -IS '{client}' '{socket}' '{program}' "$@"
"""


class ForkServer:
    """A process that imports the modules of a program, and forks for each run.

    A run has its own arguments, environment and standard streams. The program
    is executed as usual if its imports could depend on the environment or the
    folder.

    :param program: path of the program's file
    :param words: arguments of a run that imports what most runs import
    :param environment: environment variables of the imports
    """

    def __init__(
        self,
        program: str,
        words: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self._program = program
        self._words = words
        self._environment = environment
        self._stack = contextlib.ExitStack()
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._folder = None
        self._stack.close()

    @property
    def launcher(self) -> str:
        """Path of a program, of the same name, that the server runs."""
        path = self._started() / Path(self._program).name
        if not path.exists():
            path.write_text(
                _LAUNCHER.format(
                    python=sys.executable,
                    client=_HERE / 'fork_client.py',
                    socket=path.with_name('socket'),
                    program=self._program,
                )
            )
            path.chmod(0o755)
        return str(path)

    def _started(self) -> Path:
        """Return the folder of the server; start it if necessary."""
        if self._folder is not None:
            return self._folder
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / 'socket'))
            listener.listen()
            process = subprocess.Popen(
                [
                    *(sys.executable, '-P', _HERE / 'fork_loop.py'),
                    *(str(listener.fileno()), self._program, *self._words),
                ],
                env=self._environment,
                # It ends with this pipe.
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        self._stack.enter_context(process)
        self._folder = folder
        return folder

    def run(
        self,
        *words: str,
        environment: Mapping[str, str],
        cwd: Path | None = None,
        timeout: float | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the program with arguments, like :func:`subprocess.run`.

        :param timeout: seconds, after which the process is killed
        :raises subprocess.TimeoutExpired: if it is killed
        """
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            open(os.devnull, 'rb') as null,
        ):
            files = {0: null.fileno(), 1: out.fileno(), 2: err.fileno()}
            with fork_client.start(
                str(self._started() / 'socket'),
                [*map(os.fsencode, words)],
                {
                    os.fsencode(name): os.fsencode(value)
                    for name, value in environment.items()
                },
                str(cwd or Path.cwd()),
                files,
            ) as connection:
                connection.settimeout(timeout)
                try:
                    code = fork_client.wait(connection)
                except TimeoutError as e:
                    raise subprocess.TimeoutExpired(words, timeout or 0) from e
            if code is None:
                code = subprocess.run(
                    [self._program, *words],
                    env=environment,
                    cwd=cwd,
                    stdin=null,
                    stdout=out,
                    stderr=err,
                    timeout=timeout,
                    check=False,
                ).returncode
            for file in (out, err):
                file.seek(0)
            return subprocess.CompletedProcess(
                words, code, out.read(), err.read()
            )
