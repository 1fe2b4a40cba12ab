# SPDX-License-Identifier: Apache-2.0

"""Ask the user to approve plans, on stderr."""

import argparse
from collections.abc import Mapping
from collections.abc import Sequence
import sys

from cliff.formatters import table
from osc_lib import exceptions

from osc_compute_images.api import PlanRefused
from osc_compute_images.api.changes.plan import Plan
from osc_compute_images.changes import report
from osc_compute_images.targets.scope import RegionKey


def ask(
    verb: str,
    count: int,
    headers: Sequence[str],
    plans: Mapping[RegionKey, Plan],
    parsed_args: argparse.Namespace,
) -> None:
    """Show plans, and ask whether to apply them.

    :param headers: of the regions
    :raises CommandError: if the user does not approve
    """
    cells = report.cells(sys.stderr, 'table', report.plan_rows(plans))
    table.TableFormatter().emit_list(
        (*headers, *report.PLAN_HEADERS), cells, sys.stderr, parsed_args
    )
    images = 'image' if count == 1 else 'images'
    question = f'{verb.capitalize()} {count} {images}? [y/N]'
    print(question, end=' ', file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith('\n'):
        print(file=sys.stderr)
    if answer.strip().lower() not in ('y', 'yes'):
        raise exceptions.CommandError('Not approved: nothing was changed')


def check_holds(
    approved: Mapping[RegionKey, Plan], current: Mapping[RegionKey, Plan]
) -> None:
    """Check that approved plans would be made again.

    :raises PlanRefused: if an image would not be changed any more
    """
    now = {
        (key, step.image.id, step.action)
        for key, plan in current.items()
        for step in plan.changes
    }
    for key, plan in approved.items():
        for step in plan.changes:
            if (key, step.image.id, step.action) not in now:
                raise PlanRefused(
                    f'Nothing was changed: the plan no longer holds for image '
                    f'{step.image.id}. Run the command again to see the new '
                    f'plan'
                )
