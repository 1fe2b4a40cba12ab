# SPDX-License-Identifier: Apache-2.0

"""Asking the user, on a terminal, whether to do what a plan says.

All of it goes to stderr: stdout is for results.
"""

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
import sys
from typing import Any

from osc_lib.i18n import _


def is_possible() -> bool:
    """Tell whether there is somebody to see the plan and to answer."""
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
    """Show a plan and ask; no answer is a no.

    :param rows: of the plan, below the headers
    """
    # NOTE: imported here, as every "openstack" command loads this module.
    from cliff.formatters import table

    from osc_compute_images.commands import _columns

    cells = _columns.cell_escaper(sys.stderr, 'table')
    table.TableFormatter().emit_list(
        headers, [cells(row) for row in rows], sys.stderr, parsed_args
    )
    print(question, _('[y/N]'), end=' ', file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith('\n'):
        print(file=sys.stderr)
    return answer.strip().lower() in ('y', 'yes')
