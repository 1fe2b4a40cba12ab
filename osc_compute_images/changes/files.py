# SPDX-License-Identifier: Apache-2.0

"""Files that a command reads: a plan, or what names images to keep."""

import argparse
from pathlib import Path
import sys

from osc_compute_images.api import PlanRefused
from osc_compute_images.api.changes import keep
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


def keep_of(parsed_args: argparse.Namespace) -> keep.Keep:
    """Return a function that returns why an image must be kept, or None.

    :raises PlanRefused: for a file that cannot be read, or has no UUID
    """
    return keep.either(
        *(keep.with_property(*each) for each in parsed_args.keep_property),
        *(
            keep.named_in(
                read(path).decode(errors='replace'),
                'stdin' if path == '-' else path,
            )
            for path in parsed_args.keep_from
        ),
    )
