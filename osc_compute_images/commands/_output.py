# SPDX-License-Identifier: Apache-2.0

"""What a command prints is written, or the command fails.

Without this, what is left in a buffer fails when the interpreter ends, which
then tells of an ignored exception, and ends with a code of its own.
"""

from collections.abc import Iterator
import contextlib
import os
from typing import TextIO

from osc_lib import exceptions
from osc_lib.i18n import _


@contextlib.contextmanager
def written(stdout: TextIO) -> Iterator[None]:
    """Write all that has been printed, however the command ends.

    :raises BrokenPipeError: if nobody reads it: cliff knows what to do
    :raises CommandError: if it cannot be written otherwise
    """
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
            # It is about a connection or a file.
            raise
        raise exceptions.CommandError(
            _('The output cannot be written: %s') % (e.strerror or e)
        ) from e
    except UnicodeEncodeError as e:
        raise exceptions.CommandError(
            _(
                'The output cannot be written in the encoding %(encoding)s, '
                'which lacks %(character)r: set PYTHONIOENCODING=utf-8'
            )
            % {'encoding': e.encoding, 'character': e.object[e.start]}
        ) from e


def _discard(stdout: TextIO) -> None:
    """Empty the buffer of a stream that cannot be written to."""
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        kept = os.dup(stdout.fileno())
        stack.callback(os.close, kept)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        stack.callback(os.close, nowhere)
        os.dup2(nowhere, stdout.fileno())
        # NOTE: the shell may live on, in interactive mode.
        stack.callback(os.dup2, kept, stdout.fileno())
        stdout.flush()
