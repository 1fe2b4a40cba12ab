# SPDX-License-Identifier: Apache-2.0

"""Run a subject, and find out how it ended."""

from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence
import contextlib
import dataclasses
import os
import pty
import re
import resource
import signal
import subprocess
import tempfile
import time
from typing import IO

#: Bytes: the memory limit of a process.
MEMORY = 0x40000000

#: A process that requests more pages than this counts as endless.
MANY = 500

_PORT = re.compile(r'(127\.0\.0\.1|localhost):\d+')
# The messages of keystoneauth and of this plugin.
_RETRY = re.compile(r'Retrying in [\d.]+ ?s(econds)?[.,] \d+ retries left')
_GO_TIME = re.compile(r'^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ')
_CRASH = re.compile(r'^Traceback \(most|^goroutine \d+ \[', re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class End:
    """How a process ended.

    :param code: its exit code, or None if it was stopped
    :param endless: it was stopped after too many requests
    :param seconds: how long it ran
    :param peak: peak memory, bytes
    """

    code: int | None
    endless: bool
    seconds: float
    peak: int
    out: str
    err: str


def run(
    command: Sequence[str],
    env: dict[str, str],
    seconds: float,
    pages_asked: Callable[[], int],
    *,
    terminal: bool = False,
) -> End:
    """Run a command until it ends, or stop it.

    :param seconds: timeout
    :param terminal: write its output to a terminal
    """
    with contextlib.ExitStack() as stack:
        out, err = (
            stack.enter_context(tempfile.TemporaryFile()) for _ in range(2)
        )
        master, slave = pty.openpty()
        stack.callback(os.close, master)
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=slave if terminal else out,
            stderr=err,
            start_new_session=True,
        )
        os.close(slave)
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        began = time.monotonic()
        stopped = endless = False
        pid = 0
        while not pid and not stopped:
            time.sleep(0.05)
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            endless = pages_asked() > MANY
            stopped = endless or time.monotonic() - began > seconds
        if not pid:
            os.killpg(process.pid, signal.SIGKILL)
            _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return End(
            process.returncode if pid else None,
            endless and not pid,
            time.monotonic() - began,
            used.ru_maxrss * 1024,
            _shown(master) if terminal else _content(out),
            _content(err),
        )


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors='replace')


def _shown(master: int) -> str:
    shown = b''
    # At the end of the output, reading fails with EIO.
    with contextlib.suppress(OSError):
        while data := os.read(master, 65536):
            shown += data
    return shown.decode(errors='replace')


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The recorded outcome of a run.

    :param images: number of images
    :param listed: number of images that were listed
    :param twice: number of images that were listed more than once
    :param strange: images of another server were listed
    :param elsewhere: a token was sent to another host or host name
    :param acts: the name was written to the terminal unescaped; None if the
        fault is not about terminals
    :param code: None if the process was stopped
    :param endless: it was stopped after too many requests
    :param seconds: how long it ran
    :param exhausted: it reached the memory limit
    :param crashed: it printed a traceback
    :param lines: number of lines on stderr, without those about retries
    :param message: the last of these lines
    :param write: a write was requested
    :param chosen: number of images to delete
    :param deleted: number of these that were deleted
    :param astray: a write was sent to anything else
    :param kept: the output says that an image was kept, or is gone
    """

    images: int
    listed: int
    twice: int
    strange: bool
    elsewhere: bool
    acts: bool | None
    code: int | None
    endless: bool
    seconds: int
    exhausted: bool
    crashed: bool
    lines: int
    message: str
    write: bool = False
    chosen: int = 0
    deleted: int = 0
    astray: bool = False
    kept: bool = False


def outcome(
    end: End,
    ids: Sequence[str],
    strange: str,
    shown: str,
    *,
    elsewhere: bool,
    write: bool = False,
) -> Outcome:
    """Derive the outcome from how a process ended.

    :param ids: IDs of all images
    :param strange: ID of an image of another server
    :param shown: text that must not reach a terminal unescaped
    :param write: a write was requested
    """
    printed = Counter(end.out.split())
    listed = [each for each in ids if printed[each]]
    lines = [
        line
        for line in end.err.splitlines()
        # A line about a retry is neither an error nor a warning.
        if line.strip() and not _RETRY.search(line)
    ]
    message = _GO_TIME.sub('', lines[-1].strip()) if lines else ''
    if _CRASH.search(end.err) and lines[0].startswith(('panic', 'fatal')):
        # Go prints the error first, then the stack.
        message = lines[0]
    return Outcome(
        images=len(ids),
        listed=len(listed),
        twice=sum(printed[each] > 1 for each in listed),
        strange=strange in printed,
        elsewhere=elsewhere,
        acts=shown in end.out if shown else None,
        code=end.code,
        endless=end.endless,
        seconds=round(end.seconds),
        exhausted=end.code != 0 and end.peak > MEMORY * 0.75,
        crashed=_CRASH.search(end.err) is not None,
        lines=len(lines),
        message=_PORT.sub(r'\1:PORT', message)[:500],
        write=write,
        kept='kept' in printed or 'gone' in printed,
    )
