# SPDX-License-Identifier: Apache-2.0

"""Making a new cloud."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from databases import make_databases
from filling import fill
from identities import make_identities
from install import Say
from layout import Layout
from layout import PASSWORD
from rest import Rest


def build(
    python: Path, layout: Layout, start: Callable[..., None], say: Say
) -> dict[str, Any]:
    """Make databases, start all services and fill them.

    :param python: Python of the cloud's venv
    :param start: starts the named processes, or all
    :return: the facts about the cloud
    """
    facts: dict[str, Any] = {}

    def log_in() -> Rest:
        return Rest(layout.keystone, 'admin', PASSWORD, 'admin')

    def begin_with_keystone() -> None:
        # The other services need their users at start.
        start(python, 'keystone')
        facts['projects'] = make_identities(log_in(), layout)

    say('Making databases ...')
    make_databases(python, layout, begin_with_keystone)
    start(python)
    say('Filling it with flavors, images and servers ...')
    return facts | fill(log_in(), layout, facts['projects'])
