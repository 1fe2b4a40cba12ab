# SPDX-License-Identifier: Apache-2.0

"""Runs a Python program many times, and imports its modules once."""

import atexit
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import functools
import gc
import importlib
import marshal
import os
from pathlib import Path
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from typing import NoReturn
from typing import Self

#: How the names of variables begin that are read by runs, not by imports.
_LATE = (
    *('OS_', 'CLIFF_', 'TTY_', 'COLUMNS', 'LINES', 'TERM', 'PATH'),
    *('NO_COLOR', 'FORCE_COLOR'),
)


class ForkServer:
    """A process that imports the modules of a program, and forks for each run.

    A run has its own arguments, environment and output. It has an interpreter
    of its own if imports could depend on the environment or the folder.

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    @functools.cached_property
    def _control(self) -> socket.socket:
        """Start the process; return its socket: it ends with that."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, '-P', __file__, self._program, *self._words],
                env=self._environment,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._stack.enter_context(process)
        return self._stack.enter_context(ours)

    def run(
        self,
        *words: str | bytes,
        environment: Mapping[str, str],
        cwd: Path | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the program with arguments, like :func:`subprocess.run`.

        :param timeout: seconds, after which the process is killed
        :raises subprocess.TimeoutExpired: if it is killed
        """
        if cwd or _early(environment) != _early(self._environment):
            return subprocess.run(
                [self._program, *words],
                env=environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
                check=False,
            )
        request = [*map(os.fsdecode, words)], dict(environment), timeout
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    files = [file.fileno() for file in (theirs, out, err)]
                    socket.send_fds(self._control, [b'.'], files)
                ours.sendall(marshal.dumps(request))
                ours.shutdown(socket.SHUT_WR)
                code = int(ours.recv(16))
            if code == -signal.SIGKILL:
                raise subprocess.TimeoutExpired(words, timeout)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(
                words, code, out.read(), err.read()
            )


def _early(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that imports may read."""
    return {
        name: value
        for name, value in environment.items()
        # Python ignores its own if they are empty.
        if not name.startswith(_LATE if value else ('PYTHON', *_LATE))
    }


def _serve(program: str, *words: str) -> None:
    """Run the program whenever the socket that is file 0 says so."""
    # Modules read the name of the program when they are imported.
    sys.argv = [program]
    for module in _modules_of(program, words):
        # Some modules are made by others, and have no file.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    # A garbage collection in a child would copy the parent's objects.
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = socket.socket(fileno=0)
    while True:
        message, files, _flags, _from = socket.recv_fds(control, 1, 3)
        if not message:
            return
        if os.fork() == 0:
            _answer(program, *files)
        for file in files:
            os.close(file)


def _answer(program: str, connection: int, out: int, err: int) -> NoReturn:
    """Run the program in a new process, and send its exit code."""
    with socket.socket(fileno=connection) as client:
        with client.makefile('rb') as request:
            words, environment, timeout = marshal.loads(request.read())
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        pid = os.fork()
        if pid:
            signal.signal(
                signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL)
            )
            signal.setitimer(signal.ITIMER_REAL, timeout)
            _pid, status = os.waitpid(pid, 0)
            code = os.waitstatus_to_exitcode(status)
            client.sendall(str(code).encode())
            os._exit(0)
    os.environ.clear()
    os.environ.update(environment)
    null = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((null, out, err)):
        os.dup2(file, number)
        os.close(file)
    _execute(program, words)


def _modules_of(program: str, words: Sequence[str]) -> list[str]:
    """Return the names of the modules that a run of the program imports."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        names = os.fdopen(writer, 'w')
        atexit.register(lambda: print(*sys.modules, file=names, flush=True))
        _execute(program, words)
    os.close(writer)
    with open(reader) as names:
        modules = names.read().split()
    os.wait()
    return modules


def _execute(program: str, words: Sequence[str]) -> NoReturn:
    sys.argv = [program, *words]
    code: str | int | None = None
    try:
        runpy.run_path(program, run_name='__main__')
    except SystemExit as e:
        code = e.code
    if not isinstance(code, str) and threading.active_count() == 1:
        # End at once: it takes as long as a whole command until all objects
        # are freed, whose memory is that of the parent.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit((code or 0) & 0xFF)
    sys.exit(code)


if __name__ == '__main__':
    _serve(*sys.argv[1:])
