# SPDX-License-Identifier: Apache-2.0

"""The base class of what the commands do that show images."""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from osc_compute_images import base
from osc_compute_images.api.changes.usage import Usage
from osc_compute_images.options import unreadable
from osc_compute_images.output import escaping
from osc_compute_images.output import used_by
from osc_compute_images.targets import results


class View:
    """What a command shows of the images that its options choose."""

    def __init__(
        self, command: base.ImagesCommand, parsed_args: argparse.Namespace
    ) -> None:
        self._command = command
        self._args = parsed_args
        self._results = results.Results(command)
        #: By anything that identifies a region.
        self._usages: dict[object, Usage] = {}

    def exit_code(self, code: int) -> int:
        """Warn of what is unknown; return the exit code."""
        log = self._command.log
        used_by.warn_of_unknown(log, self._args, self._usages.values())
        unreadable.warn(log, self._args)
        return code or self._results.exit_code

    def _escaper(self) -> Callable[[Iterable[Any]], tuple[Any, ...]]:
        """Return a function that escapes cells for the output."""
        return escaping.cell_escaper(
            self._command.app.stdout, self._args.formatter
        )
