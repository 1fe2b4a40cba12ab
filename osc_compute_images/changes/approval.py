# SPDX-License-Identifier: Apache-2.0

"""Ask the user to approve plans, on stderr."""

import argparse
from collections.abc import Iterator
from collections.abc import Sequence
import sys
from typing import Any

from cliff.formatters import table
from osc_lib import exceptions

from osc_compute_images.api import PlanRefused
from osc_compute_images.changes import report


def ask(
    made: report.Report,
    verb: str,
    headers: Sequence[str],
    plans: report.Plans,
    parsed_args: argparse.Namespace,
) -> None:
    """Show plans, and ask whether to apply them.

    :param made: of the plans
    :param headers: of the regions
    :raises CommandError: if the user does not approve
    """
    cells = report.cells(sys.stderr, 'table', made.plan_rows(plans))
    table.TableFormatter().emit_list(
        (*headers, *made.plan_headers), cells, sys.stderr, parsed_args
    )
    question = f'{verb.capitalize()} {made.some(made.total)}? [y/N]'
    print(question, end=' ', file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith('\n'):
        print(file=sys.stderr)
    if answer.strip().lower() not in ('y', 'yes'):
        raise exceptions.CommandError('Not approved: nothing was changed')


def check_holds(
    made: report.Report, approved: report.Plans, current: report.Plans
) -> None:
    """Check that approved plans would be made again.

    :raises PlanRefused: if an image would not be changed any more
    """

    def changes(plans: report.Plans) -> Iterator[tuple[Any, ...]]:
        for key, plan in plans.items():
            for step in filter(made.is_change, plan.steps):
                yield key, made.subject(step).id, step.action

    now = {*changes(current)}
    for change in changes(approved):
        if change not in now:
            raise PlanRefused(
                f'Nothing was changed: the plan no longer holds for '
                f'{made.noun} {change[1]}. Run the command again to see the '
                f'new plan'
            )
