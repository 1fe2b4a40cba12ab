# SPDX-License-Identifier: Apache-2.0

"""What the options of :mod:`.options.select` keep."""

import argparse

from osc_compute_images.api.changes import keep
from osc_compute_images.changes import file


def keep_of(parsed_args: argparse.Namespace) -> keep.Keep:
    """Return a function that returns why an image must be kept, or None.

    :raises PlanRefused: for a file that cannot be read, or has no UUID
    """
    return keep.either(
        *(keep.with_property(*each) for each in parsed_args.keep_property),
        *(
            keep.named_in(
                file.read(path).decode(errors='replace'),
                'stdin' if path == '-' else path,
            )
            for path in parsed_args.keep_from
        ),
    )
