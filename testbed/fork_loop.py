# SPDX-License-Identifier: Apache-2.0

"""The process of a fork server."""

import atexit
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import gc
import importlib
import io
import marshal
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
from typing import Any
from typing import NoReturn

#: Environment variables that are read by runs, not by imports: their names,
#: or how these begin.
_LATE = {
    *(b'COLUMNS', b'LINES', b'NO_COLOR', b'FORCE_COLOR', b'TERM', b'PATH'),
    # Shells set them.
    *(b'PWD', b'OLDPWD', b'SHLVL', b'_'),
}
_LATE_PREFIXES = (b'OS_', b'CLIFF_', b'TTY_')


def _early(environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return the environment variables that imports may read."""
    return {
        name: value
        for name, value in environment.items()
        if not (name in _LATE or name.startswith(_LATE_PREFIXES))
        # Python ignores them.
        and not (name.startswith(b'PYTHON') and not value)
    }


class _Runs:
    """The runs of the program, each in a process.

    :param listener: a socket that clients connect to
    :param imported_with: the environment variables of the imports
    """

    def __init__(
        self, listener: socket.socket, imported_with: dict[bytes, bytes]
    ) -> None:
        self._listener = listener
        self._imported_with = imported_with
        self._selector = selectors.DefaultSelector()
        self._processes: dict[int, socket.socket] = {}
        woken, wakes = os.pipe()
        os.set_blocking(wakes, False)
        signal.set_wakeup_fd(wakes)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for file in (0, woken, listener):
            self._selector.register(file, selectors.EVENT_READ)
        self._woken = woken

    def serve(self) -> 'list[Any] | None':
        """Start processes until the standard input is closed.

        :returns: in a new process its request, otherwise None
        """
        while True:
            for key, _events in self._selector.select():
                if key.fileobj == 0:
                    for pid in self._processes:
                        os.kill(pid, signal.SIGKILL)
                    return None
                if key.fileobj == self._woken:
                    os.read(self._woken, 4096)
                    self._reap()
                elif key.fileobj is self._listener:
                    request = self._accept()
                    if request is not None:
                        return request
                elif key.data in self._processes:
                    self._signal(key.data)

    def _accept(self) -> 'list[Any] | None':
        connection, _address = self._listener.accept()
        size, files, _flags, _from = socket.recv_fds(connection, 8, 3)
        with connection.makefile('rb') as stream:
            request = marshal.loads(stream.read(int.from_bytes(size, 'big')))
        _words, environment, folder, *_ = request
        pid = 0
        if (
            folder == os.getcwd()
            and _early(environment) == self._imported_with
        ):
            pid = os.fork()
            if pid == 0:
                connection.close()
                self._close()
                return [*request, files]
            self._processes[pid] = connection
            self._selector.register(connection, selectors.EVENT_READ, pid)
        else:
            connection.sendall(b'no')
            connection.close()
        for file in files:
            os.close(file)
        return None

    def _signal(self, pid: int) -> None:
        """Pass signals on to a process, and kill it if its client is gone."""
        connection = self._processes[pid]
        numbers = connection.recv(100)
        if not numbers:
            self._selector.unregister(connection)
        for number in numbers or [signal.SIGKILL]:
            os.kill(pid, number)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                connection = self._processes.pop(pid)
                with contextlib.suppress(KeyError):
                    self._selector.unregister(connection)
                with contextlib.suppress(OSError), connection:
                    code = os.waitstatus_to_exitcode(status)
                    connection.sendall(str(code).encode())

    def _close(self) -> None:
        """Close all files, in a new process."""
        self._selector.close()
        for file in (self._listener, *self._processes.values()):
            file.close()


def main(listener: str, program: str, *words: str) -> None:
    """Run the program for each client.

    :param listener: file descriptor of a socket
    """
    environment = _early(os.environb)
    # Modules read the name of the program when they are imported.
    sys.argv = [program]
    for module in _modules_of(program, words):
        # Some modules are made by others, and have no file.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    # A garbage collection in a child would copy the parent's objects.
    gc.freeze()
    request = _Runs(socket.socket(fileno=int(listener)), environment).serve()
    if request is not None:
        _run(program, *request)


def _run(
    program: str,
    words: list[bytes],
    environment: dict[bytes, bytes],
    _folder: str,
    numbers: list[int],
    ignored: list[int],
    files: list[int],
) -> NoReturn:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # NOTE: this process may itself ignore signals, as a job in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for ending in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(ending, signal.SIG_DFL)
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    os.environb.clear()
    os.environb.update(environment)
    # None of these is among the numbers: this process has had all three.
    for number in range(3):
        if number in numbers:
            os.dup2(files[numbers.index(number)], number)
        else:
            os.close(number)
    os.closerange(3, max(files, default=2) + 1)
    _open_streams(numbers)
    _execute(program, [*map(os.fsdecode, words)])


def _open_streams(numbers: Sequence[int]) -> None:
    """Open the standard streams as Python does when it starts."""
    for number, name in enumerate(('stdin', 'stdout', 'stderr')):
        stream = None
        if number in numbers:
            old = getattr(sys, f'__{name}__')
            unbuffered = old.write_through and number > 0
            file = os.fdopen(
                number,
                'wb' if number else 'rb',
                buffering=0 if unbuffered else -1,
                closefd=False,
            )
            stream = io.TextIOWrapper(
                file,
                old.encoding,
                old.errors,
                newline='\n',
                line_buffering=not old.write_through
                and (number == 2 or file.isatty()),
                write_through=old.write_through,
            )
        setattr(sys, name, stream)
        setattr(sys, f'__{name}__', stream)


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
    code: str | int = 0
    try:
        runpy.run_path(program, run_name='__main__')
    except SystemExit as e:
        code = e.code or 0
    if isinstance(code, int) and threading.active_count() == 1:
        # End at once: it takes as long as a whole command until all objects
        # are freed, whose memory is that of the parent.
        atexit._run_exitfuncs()
        with contextlib.suppress(Exception):
            for stream in filter(None, (sys.stdout, sys.stderr)):
                stream.flush()
            os._exit(code & 0xFF)
    sys.exit(code)


if __name__ == '__main__':
    main(*sys.argv[1:])
