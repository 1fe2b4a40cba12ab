# SPDX-License-Identifier: Apache-2.0

"""The exit codes of the commands: all pages take theirs from this table."""

from typing import NamedTuple

READING = ('list', 'show', 'summary')
CHANGING = ('apply', 'delete', 'prune', 'set', 'unset')
PLANNING = (*CHANGING, 'create')
#: For monitoring; its numbers are its own.
MONITORING = ('check',)
ALL = (*READING, *PLANNING, *MONITORING)


class ExitCode(NamedTuple):
    """What a number means, for some of the commands."""

    code: int
    commands: tuple[str, ...]
    meaning: str


TABLE = (
    ExitCode(0, READING, 'Success'),
    ExitCode(0, PLANNING, 'Success, or nothing to change'),
    ExitCode(0, MONITORING, 'OK'),
    ExitCode(
        1, READING, 'An error, reported on stderr; the output is not complete'
    ),
    ExitCode(
        1,
        CHANGING,
        'An error, reported on stderr; also if some images failed or were '
        'skipped, or the plan was not approved',
    ),
    ExitCode(
        1,
        ('create',),
        'An error, reported on stderr; also if some servers failed, were '
        'skipped because of their state, or could not be read, or the plan '
        'was not approved',
    ),
    ExitCode(1, MONITORING, 'WARNING'),
    ExitCode(2, (*READING, *PLANNING), 'Invalid command line'),
    ExitCode(2, MONITORING, 'CRITICAL, or an invalid command line'),
    ExitCode(3, ('show',), 'With --wait: the status of the image is ERROR'),
    ExitCode(
        3, MONITORING, 'UNKNOWN: an error, or servers that could not be read'
    ),
    ExitCode(4, ('show',), 'With --wait: the status of the image is DELETED'),
    ExitCode(5, ('show',), 'With --wait: the image no longer exists'),
    ExitCode(6, ('show',), 'With --wait: the timeout expired'),
    ExitCode(
        7,
        ('list', 'summary'),
        'With --unused, --orphaned or --used-by: servers or images could not '
        'be read',
    ),
    ExitCode(
        7,
        CHANGING,
        'The plan, or each image that was named, was refused; nothing was '
        'changed',
    ),
    ExitCode(7, ('create',), 'The plan was refused; no snapshot was created'),
    ExitCode(8, PLANNING, 'With --detailed-exitcode: changes are planned'),
    ExitCode(129, ALL, 'Stopped by SIGHUP'),
    ExitCode(130, ALL, 'Stopped by SIGINT (Ctrl-C)'),
    ExitCode(143, ALL, 'Stopped by SIGTERM'),
)


def of_command(name: str) -> list[tuple[str, str]]:
    """Return the numbers of a command, and what they mean.

    :param name: its last word
    """
    return [
        (str(row.code), row.meaning) for row in TABLE if name in row.commands
    ]


def of_all() -> list[tuple[str, str, str]]:
    """Return all rows, with the commands between."""
    return [
        (
            str(row.code),
            'all' if row.commands is ALL else ', '.join(row.commands),
            row.meaning,
        )
        for row in TABLE
    ]
