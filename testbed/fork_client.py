# SPDX-License-Identifier: Apache-2.0

"""Asks a fork server to run its program, and waits until it ends.

As a program, it stands for the program of the server: it has the same
arguments, environment, folder, standard streams and exit code, and passes
signals on. It starts quickly, with ``python -IS``.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import marshal
import os
import signal
import socket
import sys
from typing import NoReturn

#: The number of a file, as the program has it, and as the caller has it.
Files = Mapping[int, int]

_SIGNALS = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
    *(signal.SIGQUIT, signal.SIGWINCH, signal.SIGCONT),
)


def start(
    path: str,
    words: Sequence[bytes],
    environment: Mapping[bytes, bytes],
    folder: str,
    files: Files,
    ignored: Sequence[int] = (),
) -> socket.socket:
    """Start a run of the program, which ends when the connection is closed.

    :param path: the socket of the server
    :param files: the open ones of the files 0, 1 and 2
    :param ignored: signals that are ignored
    """
    request = marshal.dumps(
        ([*words], dict(environment), folder, [*files], [*map(int, ignored)])
    )
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
        size = len(request).to_bytes(8, 'big')
        socket.send_fds(connection, [size], [*files.values()])
        connection.sendall(request)
    except BaseException:
        connection.close()
        raise
    return connection


def wait(connection: socket.socket) -> int | None:
    """Return the exit code, or the negative number of a signal.

    :returns: None if the server cannot run the program in this environment
    :raises TimeoutError: if the connection has a timeout, which is over
    :raises EOFError: if the server has ended
    """
    answer = connection.recv(16).decode()
    if not answer:
        raise EOFError('The fork server has ended')
    return None if answer == 'no' else int(answer)


def main(path: str, program: str, *arguments: str) -> NoReturn:
    """Run the program with arguments.

    :param path: the socket of the server
    :param program: its program, to be executed if the server cannot run it
    """
    files = {number: number for number in range(3) if _is_open(number)}
    signals = {n for n in _SIGNALS if signal.getsignal(n) != signal.SIG_IGN}
    words = [*map(os.fsencode, arguments)]
    connection = start(
        path,
        words,
        os.environb,
        os.getcwd(),
        files,
        [*{*_SIGNALS} - signals],
    )
    for number in signals:
        signal.signal(number, lambda n, _frame: connection.send(bytes([n])))
    code = wait(connection)
    if code is None:
        for number in signals:
            signal.signal(number, signal.SIG_DFL)
        os.execv(program, [program.encode(), *words])
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


if __name__ == '__main__':
    main(*sys.argv[1:])
