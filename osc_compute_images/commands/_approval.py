# SPDX-License-Identifier: Apache-2.0

"""Ask the user to approve a plan, on stderr."""

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
import sys
from typing import Any

from osc_lib.i18n import _

from osc_compute_images.commands import _outcomes


def is_possible() -> bool:
    """Return whether stdin and stderr are terminals."""
    return all(
        stream is not None and stream.isatty()
        for stream in (sys.stdin, sys.stderr)
    )


def ask(
    question: str,
    headers: Sequence[str],
    rows: Iterable[Sequence[Any]],
    parsed_args: argparse.Namespace,
) -> bool:
    """Show a plan, and return whether the user approves it."""
    # NOTE: imported here, as every "openstack" command loads this module.
    from cliff.formatters import table

    cells = _outcomes.cells(sys.stderr, 'table', rows)
    table.TableFormatter().emit_list(headers, cells, sys.stderr, parsed_args)
    print(question, _('[y/N]'), end=' ', file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith('\n'):
        print(file=sys.stderr)
    return answer.strip().lower() in ('y', 'yes')
