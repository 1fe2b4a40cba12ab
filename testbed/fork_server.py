# SPDX-License-Identifier: Apache-2.0

"""Runs a Python program many times, and imports its modules once.

A process imports the modules that a first run of the program imports, and
forks for each further run. The child executes the program's file as
``__main__``, with its own arguments, environment and output.
"""

import atexit
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
from typing import NoReturn
from typing import Self

#: Environment variables that are read by runs, not by imports.
LATE = ('OS_', 'COLUMNS', 'LINES', 'NO_COLOR', 'CLIFF_')


class ForkServer:
    """A process that runs a program many times.

    Concurrent runs, in threads, each use a process of their own.

    :param program: path of the program's file
    :param words: arguments of the first run, whose output is discarded
    :param environment: environment variables of the process
    """

    def __init__(
        self,
        program: str,
        words: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self._command = [program, *words]
        self._environment = environment
        self._folder = os.getcwd()
        self._idle: list[_Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        while self._idle:
            self._idle.pop().close()

    def suits(self, environment: Mapping[str, str]) -> bool:
        """Return whether imports of a fresh process would be the same.

        Modules may read the environment and the current folder.
        """
        return (
            hasattr(os, 'fork')
            and os.getcwd() == self._folder
            and _early(environment) == _early(self._environment)
        )

    def run(
        self,
        *words: str,
        environment: Mapping[str, str],
        timeout: float | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the program with arguments, like :func:`subprocess.run`.

        :param environment: environment variables that :meth:`suits`
        :param timeout: seconds, after which the process is killed
        :raises subprocess.TimeoutExpired: if it is killed
        """
        assert self.suits(environment)
        process = (
            self._idle.pop()
            if self._idle
            else _Process(self._command, self._environment)
        )
        with contextlib.ExitStack() as stack:
            stack.callback(process.kill)
            done = process.run(words, environment, timeout)
            stack.pop_all()
        self._idle.append(process)
        return done


def _early(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that imports may read."""
    return {k: v for k, v in environment.items() if not k.startswith(LATE)}


class _Process:
    """The parent's side of a process that forks."""

    def __init__(
        self, command: list[str], environment: Mapping[str, str]
    ) -> None:
        requests, to_requests = os.pipe()
        from_codes, codes = os.pipe()
        self._process = subprocess.Popen(
            [
                *(sys.executable, '-P', __file__),
                *(str(requests), str(codes), *command),
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(requests, codes),
            # It is killed together with its child.
            start_new_session=True,
        )
        os.close(requests)
        os.close(codes)
        self._requests = os.fdopen(to_requests, 'w')
        self._codes = os.fdopen(from_codes)

    def run(
        self,
        words: tuple[str, ...],
        environment: Mapping[str, str],
        timeout: float | None,
    ) -> subprocess.CompletedProcess[bytes]:
        with (
            tempfile.NamedTemporaryFile() as out,
            tempfile.NamedTemporaryFile() as err,
        ):
            request = {
                'words': words,
                'environment': dict(environment),
                'output': [out.name, err.name],
            }
            print(json.dumps(request), file=self._requests, flush=True)
            if not select.select([self._codes], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(words, timeout or 0)
            code = int(self._codes.readline())
            return subprocess.CompletedProcess(
                words, code, out.read(), err.read()
            )

    def close(self) -> None:
        """End it; it must be idle."""
        self._requests.close()
        self._codes.close()
        self._process.wait()

    def kill(self) -> None:
        """Kill it and its child."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self.close()


def main(requests: str, codes: str, program: str, *words: str) -> None:
    """Run the program once for each request.

    :param requests: file descriptor of the requests
    :param codes: file descriptor for the exit codes
    """
    # Modules read the name of the program when they are imported.
    sys.argv = [program]
    for module in _modules_of(program, words):
        # Some modules are made by others, and have no file.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    # A garbage collection in a child would copy the parent's objects.
    gc.freeze()
    with open(int(requests)) as lines, open(int(codes), 'w') as answers:
        while request := lines.readline():
            if os.fork() == 0:
                break
            _pid, status = os.wait()
            print(os.waitstatus_to_exitcode(status), file=answers, flush=True)
    if request:
        _run(program, **json.loads(request))


def _run(
    program: str,
    words: list[str],
    environment: dict[str, str],
    output: list[str],
) -> NoReturn:
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(output, 1):
        file = os.open(path, os.O_WRONLY)
        os.dup2(file, number)
        os.close(file)
    _execute(program, words)


def _modules_of(program: str, words: Sequence[str]) -> list[str]:
    """Return the names of the modules that a run of the program imports."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        names = os.fdopen(writer, 'w')
        atexit.register(lambda: print(*sys.modules, file=names, flush=True))
        _execute(program, words)
    os.close(writer)
    with open(reader) as told:
        modules = told.read().split()
    os.wait()
    return modules


def _execute(program: str, words: Sequence[str]) -> NoReturn:
    sys.argv = [program, *words]
    runpy.run_path(program, run_name='__main__')
    sys.exit()


if __name__ == '__main__':
    main(*sys.argv[1:])
