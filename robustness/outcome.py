# SPDX-License-Identifier: Apache-2.0

"""What becomes of one subject that meets one fault."""

from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence
import contextlib
import dataclasses
import os
import pty
import re
import resource
import subprocess
import tempfile
import time
from typing import IO

#: Bytes: the most memory that a process may hold.
MEMORY = 0x40000000

#: How many requests for a page mean that there is no end to them.
MANY = 500

_PORT = re.compile(r'(127\.0\.0\.1|localhost):\d+')
# keystoneauth's words, and this plugin's.
_RETRY = re.compile(r'Retrying in [\d.]+ ?s(econds)?[.,] \d+ retries left')
_GO_TIME = re.compile(r'^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ')
_CRASH = re.compile(r'^Traceback \(most|^goroutine \d+ \[', re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class End:
    """How a process ended.

    :param code: its exit code, or None if it was stopped
    :param endless: it was stopped for the number of its requests
    :param seconds: how long it ran
    :param peak: the most memory that it held, bytes
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
    """Run a command to its end, or to that of all patience.

    :param terminal: its output goes to a terminal
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
            process.kill()
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
    # Where all is read, and nobody has the terminal any more, is an error.
    with contextlib.suppress(OSError):
        while data := os.read(master, 65536):
            shown += data
    return shown.decode(errors='replace')


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What is written down of it.

    :param images: how many there are
    :param listed: how many of them were listed
    :param twice: how many of them were listed more than once
    :param strange: images were listed that are not of the cloud
    :param elsewhere: a token went to another host, or by another name
    :param acts: the name acted on the terminal; None if it was not shown
    :param code: None if the process was stopped
    :param endless: it was stopped as it went on asking
    :param seconds: how long it ran
    :param exhausted: it needed more memory than it may have
    :param crashed: there is a traceback
    :param lines: how many lines there are on the standard error, but for those
        that tell of retries
    :param message: the last of them
    :param write: a change was asked for, which was not carried out
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


def outcome(
    end: End,
    ids: Sequence[str],
    strange: str,
    shown: str,
    *,
    elsewhere: bool,
    write: bool = False,
) -> Outcome:
    """Look at how a process ended.

    :param ids: of the images that there are
    :param strange: ID of an image of another server
    :param shown: what must not reach a terminal as it is
    :param write: a change was asked for
    """
    printed = Counter(end.out.split())
    listed = [each for each in ids if printed[each]]
    lines = [
        line
        for line in end.err.splitlines()
        # What tells of a retry is no error, and no oddity of an image.
        if line.strip() and not _RETRY.search(line)
    ]
    message = _GO_TIME.sub('', lines[-1].strip()) if lines else ''
    if _CRASH.search(end.err) and lines[0].startswith(('panic', 'fatal')):
        # Go tells first what is wrong, and then where.
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
    )
