# SPDX-License-Identifier: Apache-2.0

"""A cloud whose images commands change, and how these commands are run."""

import io
import json
from typing import Any

from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from testbed.fleet import snapshot
from tests.unit.commands.test_commands import run

ID = [nova.image_id(n) for n in range(20)]
WEB = 'b0a2f2d4-0000-4000-8000-000000000001'
DB = 'b0a2f2d4-0000-4000-8000-000000000002'
SNAPSHOTS = ['--type', 'snapshot']
GO = '--auto-approve'
DRY = '--dry-run'


def day(number: int) -> str:
    """Return a time."""
    return f'2025-11-{number:02}T12:00:00Z'


def images() -> list[dict[str, Any]]:
    """Return a base image, three snapshots of web, and two of db."""
    return [
        nova.image(0, created='2025-10-01T12:00:00Z'),
        *(snapshot(n, WEB, created=day(n)) for n in (1, 2, 3)),
        *(snapshot(n, DB, created=day(n)) for n in (4, 5)),
    ]


def new_fleet() -> Fleet:
    """Return these images and two servers; web was booted from the first."""
    servers = [server(WEB, 'web', image=ID[0]), server(DB, 'db')]
    return Fleet(images(), servers)


def rows(app: Any, kind: Any, *words: str, code: int = 0) -> Any:
    """Run a command, check its exit code, and return the rows."""
    got, printed = run(app, kind, '-f', 'json', *words)
    assert got == code
    return json.loads(printed)


def acted(app: Any, kind: Any, *words: str, code: int = 0) -> Any:
    """Run a command; return what it does, or would do, to which image."""
    return [
        (row['Action'], ID.index(row['ID']))
        for row in rows(app, kind, *words, code=code)
    ]


def errors(caplog: Any) -> list[str]:
    """Return the errors on stderr, without warnings."""
    return [r.getMessage() for r in caplog.records if r.levelname == 'ERROR']


class Terminal(io.StringIO):
    """A terminal, with the input of its user."""

    def isatty(self) -> bool:
        return True
