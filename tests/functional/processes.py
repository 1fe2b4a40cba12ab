# SPDX-License-Identifier: Apache-2.0

"""Commands as processes: a canned cloud that holds back responses; a terminal.

An emulator displays the terminal.
"""

import codecs
from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import os
import pty
import subprocess
import termios
import threading
from typing import Any

import pyte

from testbed import canned_cloud
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from tests.functional.shell import PATIENCE
from tests.functional.shell import Shell

#: Three pages of images: more than any buffer holds.
MANY = [canned_cloud.image(number) for number in range(2500)]


def shell_of(
    server: canned_cloud.Server,
    program: str = 'compute-image',
    **environment: str,
) -> Shell:
    """Return a shell of a canned cloud, with Python's own buffering.

    By default it is that of the program that starts faster.
    """
    more = {'PYTHONUNBUFFERED': '', **environment}
    return Shell(canned_cloud.environment(server) | more, program=program)


class Held:
    """A cloud that holds back one response.

    :param after: how many requests for images get a response before
    :param images: the images
    :param method: of the requests that count
    :param instead: the response that is held back; by default that of Nova
    :ivar reached: set when the response is held back
    :ivar let_go: set this to send it
    """

    def __init__(
        self,
        after: int,
        images: Iterable[dict[str, Any]] = MANY,
        method: str = 'GET',
        instead: Response | None = None,
    ) -> None:
        self.nova = canned_cloud.Nova(images)
        self.reached = threading.Event()
        self.let_go = threading.Event()
        self._left = after
        self._method = method
        self._instead = instead

    def __call__(self, request: Request) -> Response | None:
        if '/images' in request.path and request.method == self._method:
            self._left -= 1
            if self._left == -1:
                self.reached.set()
                self.let_go.wait(PATIENCE)
                return self._instead or self.nova(request)
        return self.nova(request)

    @contextlib.contextmanager
    def cloud(self) -> Iterator[canned_cloud.Server]:
        """Run the cloud."""
        with canned_cloud.canned_cloud(self) as server:
            try:
                yield server
            finally:
                self.let_go.set()


#: Variables that would tell rich or cliff about another terminal.
_UNWANTED = (
    *('NO_COLOR', 'FORCE_COLOR', 'TTY_COMPATIBLE', 'TTY_INTERACTIVE'),
    *('COLUMNS', 'LINES', 'CLIFF_FIT_WIDTH', 'CLIFF_MAX_TERM_WIDTH'),
)


class Terminal:
    """A command whose stderr is a terminal.

    :param stdout: whether stdout is the same terminal
    :param columns: its width
    :param own_session: whether it cannot open the terminal of the tests to
        ask for a password; it cannot be stopped then, either
    """

    def __init__(
        self,
        shell: Shell,
        *words: str,
        stdout: bool,
        columns: int = 100,
        own_session: bool = False,
    ) -> None:
        self._size = (columns, 50)
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, self._size[::-1])
        inherited = {
            k: v for k, v in shell.environment.items() if k not in _UNWANTED
        }
        self.process = subprocess.Popen(
            shell.command(*words),
            env={**inherited, 'TERM': 'xterm'},
            stdin=slave,
            stdout=slave if stdout else subprocess.PIPE,
            stderr=slave,
            start_new_session=own_session,
            # The kernel does not stop a group without a parent outside of it.
            process_group=None if own_session else 0,
        )
        os.close(slave)
        self._master = master
        self._shown = ''
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(master,))
        self._reader.start()

    def _read(self, master: int) -> None:
        decoder = codecs.getincrementaldecoder('utf-8')(errors='replace')
        # At the end, reading fails with EIO.
        with contextlib.suppress(OSError):
            while data := os.read(master, 4096):
                with self._changed:
                    self._shown += decoder.decode(data)
                    self._changed.notify_all()
        os.close(master)

    def wait_for(self, text: str) -> None:
        """Wait until the terminal shows a text."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: text in self._shown, PATIENCE
            ), self._shown

    def answer(self, question: str, text: str) -> tuple[int, str, str]:
        """Type a text as soon as a question is shown; wait for the end."""
        self.wait_for(question)
        os.write(self._master, text.encode())
        return self.end()

    def end(self) -> tuple[int, str, str]:
        """Return the exit code, the output on the terminal, and stdout."""
        out, _err = self.process.communicate(timeout=2 * PATIENCE)
        self._reader.join()
        return self.process.returncode, self._shown, (out or b'').decode()

    def screen(self) -> pyte.Screen:
        """Return the current screen of an emulator."""
        screen = pyte.Screen(*self._size)
        pyte.Stream(screen).feed(self._shown)
        return screen


def visible(screen: pyte.Screen) -> list[str]:
    """Return the lines of a screen, without empty ends."""
    lines = [line.rstrip() for line in screen.display]
    while lines and not lines[-1]:
        lines.pop()
    return lines
