# SPDX-License-Identifier: Apache-2.0

"""Files that a command reads: a plan, or what names images to keep."""

from pathlib import Path
import sys

from osc_compute_images.api import PlanRefused
from osc_compute_images.text import printable


def read(path: str) -> bytes:
    """Read a file, or stdin for ``-``.

    :raises PlanRefused: if it cannot be read
    """
    if path == '-' and sys.stdin is None:
        raise PlanRefused('Nothing was changed: stdin is closed')
    try:
        if path == '-':
            return sys.stdin.buffer.read()
        return Path(path).read_bytes()
    except (OSError, ValueError) as e:
        # NOTE: the command of a plan may have a path with a null character.
        reason = getattr(e, 'strerror', None) or e
        raise PlanRefused(
            f'Nothing was changed: {printable(path)} cannot be read: {reason}'
        ) from e
