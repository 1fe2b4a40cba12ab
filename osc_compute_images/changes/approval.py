# SPDX-License-Identifier: Apache-2.0

"""Ask the user to approve plans, on stderr."""

import argparse
from collections.abc import Sequence
import sys

from cliff.formatters import table
from osc_lib import exceptions

from osc_compute_images.api import PlanRefused
from osc_compute_images.changes import rows
from osc_compute_images.changes.report import Report


def ask(
    made: Report,
    headers: Sequence[str],
    plans: rows.Plans,
    parsed_args: argparse.Namespace,
) -> None:
    """Show plans; raise unless the user approves them."""
    cells = rows.cells(sys.stderr, 'table', made.plan_rows(plans))
    table.TableFormatter().emit_list(
        (*headers, *made.plan_headers), cells, sys.stderr, parsed_args
    )
    question = f'{made.verb.capitalize()} {made.some(made.total)}? [y/N]'
    print(question, end=' ', file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith('\n'):
        print(file=sys.stderr)
    if answer.strip().lower() not in ('y', 'yes'):
        raise exceptions.CommandError('Not approved: nothing was changed')


def check_holds(
    made: Report, approved: rows.Plans, current: rows.Plans
) -> None:
    """Refuse approved plans if an image would not be changed any more."""
    now, wanted = (
        {
            (key, made.subject(step).id, step.action)
            for key, plan in plans.items()
            for step in filter(made.is_change, plan.steps)
        }
        for plans in (current, approved)
    )
    for _key, subject_id, _action in sorted(wanted - now):
        raise PlanRefused(
            f'Nothing was changed: the plan no longer holds for {made.noun} '
            f'{subject_id}. Run the command again to see the new plan'
        )
