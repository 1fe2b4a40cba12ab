# SPDX-License-Identifier: Apache-2.0

"""Write all output of a command, or fail.

Otherwise a write error at interpreter exit prints "Exception ignored" and
changes the exit code.
"""

from collections.abc import Iterator
import contextlib
import os
from typing import TextIO

from osc_lib import exceptions


@contextlib.contextmanager
def flushed(stdout: TextIO | None) -> Iterator[None]:
    """Flush the output when the command ends.

    :param stdout: None if it is closed
    :raises BrokenPipeError: if the pipe is closed; cliff handles it
    :raises CommandError: for any other write error
    """
    if stdout is None:
        yield
        return
    try:
        try:
            yield
        finally:
            stdout.flush()
    except BrokenPipeError:
        _discard(stdout)
        raise
    except OSError as e:
        _discard(stdout)
        if e.errno is None or e.filename is not None:
            # Not stdout, but a connection or a file.
            raise
        raise exceptions.CommandError(
            f'Cannot write the output: {e.strerror or e}'
        ) from e
    except UnicodeEncodeError as e:
        raise exceptions.CommandError(
            f'Cannot write {e.object[e.start]!r} in the encoding '
            f'{e.encoding}: set PYTHONIOENCODING=utf-8'
        ) from e


def _discard(stdout: TextIO) -> None:
    """Discard the buffer of a stream that cannot be written to."""
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        original = os.dup(stdout.fileno())
        stack.callback(os.close, original)
        devnull = os.open(os.devnull, os.O_WRONLY)
        stack.callback(os.close, devnull)
        os.dup2(devnull, stdout.fileno())
        # NOTE: an interactive shell continues.
        stack.callback(os.dup2, original, stdout.fileno())
        stdout.flush()
