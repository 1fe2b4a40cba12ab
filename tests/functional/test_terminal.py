# SPDX-License-Identifier: Apache-2.0

"""Output on terminals: escapes, width, count, progress bar, signals."""

from collections.abc import Iterator
import contextlib
import os
import signal
from typing import Any

import pytest
import wcwidth

from testbed import canned_cloud
from testbed.canned_cloud import fault
from tests.functional.processes import Held
from tests.functional.processes import MANY
from tests.functional.processes import shell_of
from tests.functional.processes import Terminal
from tests.functional.processes import visible
from tests.functional.shell import PATIENCE

IMAGE = ('compute', 'image')
LIST = (*IMAGE, 'list')

HOSTILE = (
    '\x1b]0;pwned\x07\x1b[2J\x1b[H\x1b[8m\x9b2J\x90q\x9c'
    '\n| forged | row |\r\u202elive\u202c end'
)
#: The same, escaped.
SHOWN_HOSTILE = HOSTILE.encode('unicode_escape').decode()


# --- tables: control characters, narrow terminals, wide characters ---------


WIDE = [
    canned_cloud.image(0, name='映像' * 20),
    canned_cloud.image(1, name='e\u0301' * 30),
    canned_cloud.image(2, name='a-name-without-any-place-to-break-it' * 3),
    canned_cloud.image(3, name=None, status=HOSTILE),
]


@pytest.mark.parametrize(
    ('columns', 'most'), [(20, 3 * (8 + 3) + 1), (2000, 2000)]
)
def test_table_fits_terminal_and_escapes(columns, most):
    """cliff wraps the cells, down to 8 columns each."""
    with canned_cloud.canned_cloud(canned_cloud.Nova(WIDE)) as server:
        terminal = Terminal(
            shell_of(server), *LIST, stdout=True, columns=columns
        )
        code, shown, _out = terminal.end()
    *lines, last = shown.split('\r\n')
    assert (code, last, terminal.screen().title) == (0, '', '')
    assert all(map(str.isprintable, lines))
    assert (SHOWN_HOSTILE in shown) == (columns == 2000)
    # The borders of all lines are aligned.
    [width] = {wcwidth.wcswidth(line) for line in lines}
    assert width <= most


# --- the count of a long list, the progress bar, and signals ---------------

LONG = (*LIST, '-f', 'value', '-c', 'Name')
ROWS = [image['name'] for image in MANY]
COUNT = '1,000 images so far'

#: The bar must not interpret its status.
SAVING = {**MANY[0], 'status': f'[/] [red]x[/red] {HOSTILE}'}
WAIT = (*IMAGE, 'show', '--wait', SAVING['id'])
SHOWN_STATUS = f'[/] [red]x[/red] {SHOWN_HOSTILE}'


@contextlib.contextmanager
def held_on(
    held: Held, *words: str, shows: str = COUNT, **more: Any
) -> Iterator[Terminal]:
    """Run a command on a terminal until a response is held back."""
    with held.cloud() as server:
        terminal = Terminal(shell_of(server), *words, stdout=True, **more)
        assert held.reached.wait(PATIENCE)
        terminal.wait_for(shows)
        yield terminal


def assert_ends_with_rows(terminal: Terminal, rows: list[str]) -> None:
    """Check that the screen has the last rows, and nothing else."""
    lines = visible(terminal.screen())
    assert len(lines) > 40
    assert lines == rows[-len(lines) :]


def test_error_replaces_count():
    held = Held(after=1, instead=fault(500, 'computeFault', 'boom'))
    with held_on(held, *LONG, columns=400) as terminal:
        held.let_go.set()
        assert terminal.end()[0] == 1
    *rows, error = visible(terminal.screen())
    assert rows == ROWS[1000 - len(rows) : 1000]
    assert error.startswith('boom')


def test_interrupted_list_keeps_rows():
    with held_on(Held(1), *LONG) as terminal:
        terminal.process.send_signal(signal.SIGINT)
        ended, shown, _out = terminal.end()
    assert ended == 130
    assert '\x1b[?25' not in shown
    assert_ends_with_rows(terminal, ROWS[:1000])


@pytest.mark.parametrize(
    ('number', 'code'),
    [(signal.SIGINT, 130), (signal.SIGHUP, -signal.SIGHUP)],
)
def test_signal_during_progress_leaves_terminal_usable(number, code):
    held = Held(2, [SAVING])
    with held_on(held, *WAIT, shows=SHOWN_STATUS, columns=5000) as terminal:
        terminal.process.send_signal(number)
        ended, shown, _out = terminal.end()
    assert ended == code
    # The cursor is never hidden: a signal may arrive at any time.
    assert '\x1b[?25' not in shown
    screen = terminal.screen()
    assert screen.title == ''
    assert number == signal.SIGHUP or visible(screen) == []


def test_stopped_command_continues_and_no_row_is_lost():
    held = Held(after=1)
    with held_on(held, *LONG) as terminal:
        terminal.process.send_signal(signal.SIGTSTP)
        _pid, status = os.waitpid(terminal.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        terminal.process.send_signal(signal.SIGCONT)
        held.let_go.set()
        assert terminal.end()[0] == 0
    assert_ends_with_rows(terminal, ROWS)
