# SPDX-License-Identifier: Apache-2.0

"""Output on terminals: escapes, width, count, progress bar, signals."""

from collections.abc import Iterator
import contextlib
import json
import os
import re
import signal
from typing import Any

import pytest
import wcwidth

from testbed import canned_cloud
from testbed.canned_cloud import after_the_first_page
from testbed.canned_cloud import always
from testbed.canned_cloud import fault
from testbed.canned_cloud import in_turn
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from tests.functional.conftest import Shell
from tests.functional.held import Held
from tests.functional.held import MANY
from tests.functional.terminal import PATIENCE
from tests.functional.terminal import Terminal
from tests.functional.terminal import visible

IMAGE = ('compute', 'image')
LIST = (*IMAGE, 'list')
SHOW = (*IMAGE, 'show')

#: All control characters, and bidirectional overrides.
CONTROL_CHARACTERS = (
    ''.join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
    + '\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e'
    + '\u2066\u2067\u2068\u2069\ufeff\U000e0041'
)
HOSTILE = (
    f'{CONTROL_CHARACTERS}\x1b]0;pwned\x07\x1b[2J\x1b[H\x1b[8m\x9b2J\x90q\x9c'
    '\n| forged | row |\r\u202elive\u202c end'
)
#: An argument cannot contain a zero byte.
ARGUMENT = HOSTILE.replace('\0', '')
#: The same, escaped.
SHOWN_HOSTILE = HOSTILE.encode('unicode_escape').decode()

_CONTROL_CHARACTER = re.compile(f'[{re.escape(CONTROL_CHARACTERS)}]')

HOSTILE_IMAGE = canned_cloud.image(
    1,
    name=HOSTILE,
    status=HOSTILE,
    metadata={'plain': HOSTILE, HOSTILE: 'a', 'nested': [{HOSTILE: HOSTILE}]},
    created=HOSTILE,
    updated=HOSTILE,
    server={'id': HOSTILE},
    **{'OS-DCF:diskConfig': HOSTILE},
)


def printable_lines(shown: str) -> list[str]:
    """Return the lines on a terminal, without control characters."""
    lines = shown.split('\r\n')
    assert lines.pop() == ''
    for line in lines:
        assert not _CONTROL_CHARACTER.search(line), ascii(line)
    return lines


# --- control characters ---------------------------------------------------

TWINS = [canned_cloud.image(n, name='twin') for n in (2, 3)]
TWINS[0]['id'] = HOSTILE
SAVING = canned_cloud.image(4, status=f'SAVING{HOSTILE}')
ODD = {**canned_cloud.image(5), 'id': HOSTILE, 'minDisk': HOSTILE}
#: What is logged: not valid JSON, and a header.
LOGGED = Response(
    b'{"%s": 1, "images": []}' % ARGUMENT.encode(),
    headers={'X-Odd': 'a\x1b]0;pwned\x07\x9b'},
)


def nothing(request: Request) -> Response | None:
    """Answer that there are no servers, and no flavors."""
    if not request.path.startswith(('/v2.1/servers', '/v2.1/flavors')):
        return None
    if request.path.endswith(('/servers', '/flavors/detail')):
        return Response.of({'servers': [], 'flavors': []})
    return fault(404, 'itemNotFound', 'No such thing')


#: A handler before the cloud, a command, and its exit code.
PLACES = {
    **{
        f'list -f {form}': (None, (*LIST, '--long', '-f', form), 0)
        for form in ('table', 'value', 'csv', 'json', 'yaml')
    },
    **{
        f'show -f {form}': (None, (*SHOW, '-f', form, HOSTILE_IMAGE['id']), 0)
        for form in ('table', 'value', 'shell')
    },
    'plan': (None, (*IMAGE, 'delete', '--all', '--dry-run'), 0),
    'ambiguous name': (None, (*SHOW, 'twin'), 1),
    'unknown name': (None, (*SHOW, ARGUMENT), 1),
    'status': (None, (*SHOW, '--wait', '--timeout', '1', SAVING['id']), 6),
    'delete': (None, (*IMAGE, 'delete', 'twin', ARGUMENT), 1),
    **{
        option: (nothing, (*LIST, f'--{option}', ARGUMENT), 1)
        for option in ('server', 'flavor', 'region', 'marker')
    },
    'server error': (always(fault(500, 'boom', HOSTILE)), LIST, 1),
    'ID of a request': (
        always(Response(b'{}', 500, {'X-Openstack-Request-Id': 'pwned\x1b'})),
        LIST,
        1,
    ),
    'redirect': (
        always(
            Response(b'', 302, {'Location': 'http://a/\x1b]0;pwned\x07\x9b'})
        ),
        LIST,
        1,
    ),
    'marker to resume from': (
        always(fault(500, 'boom', HOSTILE), where=after_the_first_page),
        (*LIST, '--limit', '2', '--max-items', '9', '-f', 'value'),
        1,
    ),
    'malformed image': (always(Response.of({'images': [ODD]})), LIST, 0),
    'log': (always(LOGGED), ('--debug', *LIST), 0),
}


@pytest.mark.parametrize(
    ('before', 'words', 'code'), PLACES.values(), ids=PLACES
)
def test_control_characters_are_escaped(before, words, code):
    nova = canned_cloud.Nova([HOSTILE_IMAGE, *TWINS, SAVING])
    with canned_cloud.canned_cloud(
        nova, '/v2.1', *([before] if before else [])
    ) as server:
        shell = Shell(canned_cloud.environment(server))
        terminal = Terminal(
            shell, *words, stdout=True, columns=9000, term='dumb'
        )
        ended, shown, _out = terminal.end()
    assert ended == code, shown
    assert any('pwned' in line for line in printable_lines(shown))
    assert terminal.screen().title == ''


def test_control_characters_in_region_are_escaped():
    boom = always(fault(500, 'computeFault', HOSTILE))
    fine = canned_cloud.Nova([HOSTILE_IMAGE])
    with canned_cloud.Server(fine) as one, canned_cloud.Server(boom) as two:
        regions = {HOSTILE: f'{one.url}/v2.1', ARGUMENT: f'{two.url}/v2.1'}
        with canned_cloud.Server(canned_cloud.keystone(regions)) as keystone:
            terminal = Terminal(
                Shell(canned_cloud.environment(keystone)),
                *(*LIST, '--all-regions', '-f', 'value'),
                stdout=True,
                columns=9000,
            )
            code, shown, _out = terminal.end()
    row, error = printable_lines(shown)
    assert code == 1
    assert row.count('pwned') == 3
    assert error.count('pwned') == 2


@pytest.mark.parametrize(
    'status', [HOSTILE, '[/] [red]x[/red] [/green]', 'a' * 500]
)
def test_progress_bar_escapes_status(status):
    saving = canned_cloud.image(0, status=status, progress=25)
    image = canned_cloud.image(0)
    before = in_turn(
        *[Response.of({'image': saving})] * 3, path=f'/images/{image["id"]}'
    )
    with canned_cloud.canned_cloud(
        canned_cloud.Nova([image]), '/v2.1', before
    ) as server:
        terminal = Terminal(
            Shell(canned_cloud.environment(server)),
            *(*SHOW, '--wait', image['id'], '-f', 'json'),
            stdout=False,
            columns=5000,
        )
        code, shown, out = terminal.end()
    assert (code, json.loads(out)['status']) == (0, 'ACTIVE')
    screen = terminal.screen()
    assert (screen.title, visible(screen)) == ('', [])
    assert (SHOWN_HOSTILE if status is HOSTILE else status) in shown


# --- narrow terminals and wide characters ---------------------------------

WIDE = [
    canned_cloud.image(0, name='映像' * 20),
    canned_cloud.image(1, name='e\u0301' * 30, metadata={'鍵': '値' * 50}),
    canned_cloud.image(2, name='a-name-without-any-place-to-break-it' * 3),
    canned_cloud.image(3, name=''),
    canned_cloud.image(4, name=None),
]


@pytest.mark.parametrize('columns', [20, 80])
@pytest.mark.parametrize(
    'words', [LIST, (*SHOW, WIDE[1]['id'])], ids=['list', 'show']
)
def test_table_on_narrow_terminal(words, columns):
    """cliff wraps the cells, down to 8 columns each, or 16 for show."""
    with canned_cloud.canned_cloud(canned_cloud.Nova(WIDE)) as server:
        shell = Shell(canned_cloud.environment(server))
        terminal = Terminal(shell, *words, stdout=True, columns=columns)
        _code, shown, _out = terminal.end()
    lines = printable_lines(shown)
    # The borders of all lines are aligned.
    (width,) = {wcwidth.wcswidth(line) for line in lines}
    if words == LIST:
        assert width <= max(columns, 3 * (8 + 3) + 1)
    text = ''.join(re.sub(r'[\s|+-]', '', line) for line in lines)
    assert WIDE[words != LIST]['id'][:8] in text


# --- the count of a long list ---------------------------------------------

LONG = (*LIST, '-f', 'value', '-c', 'Name')
ROWS = [image['name'] for image in MANY]


@contextlib.contextmanager
def held_on(held: Held, *words: str, **more: Any) -> Iterator[Terminal]:
    """Run a command on a terminal until a response is held back."""
    with held.cloud() as server:
        shell = Shell(canned_cloud.environment(server))
        terminal = Terminal(shell, *words, **{'stdout': True, **more})
        assert held.reached.wait(PATIENCE)
        yield terminal


def assert_ends_with_rows(terminal: Terminal, rows: list[str]) -> None:
    """Check that the screen has the last rows, and nothing else."""
    lines = visible(terminal.screen())
    assert len(lines) > 40
    assert lines == rows[-len(lines) :]


def test_count_disappears_and_no_row_is_lost():
    held = Held(after=2)
    with held_on(held, *LONG) as terminal:
        assert terminal.shows('2,000 images so far')
        held.let_go.set()
        assert terminal.end()[0] == 0
    assert_ends_with_rows(terminal, ROWS)


def test_error_replaces_count():
    held = Held(after=1, instead=fault(500, 'computeFault', 'boom'))
    with held_on(held, *LONG, columns=400) as terminal:
        assert terminal.shows('1,000 images so far')
        held.let_go.set()
        assert terminal.end()[0] == 1
    *rows, error = visible(terminal.screen())
    assert rows == ROWS[1000 - len(rows) : 1000]
    assert error.startswith('boom')


def test_error_of_a_region_replaces_count_of_a_plan():
    held = Held(after=0, instead=fault(500, 'computeFault', 'boom'))
    good = canned_cloud.Server(canned_cloud.Nova(MANY))
    bad = canned_cloud.Server(held)
    regions = {'Bad': f'{bad.url}/v2.1', 'Good': f'{good.url}/v2.1'}
    keystone = canned_cloud.Server(canned_cloud.keystone(regions))
    with good, bad, keystone:
        terminal = Terminal(
            Shell(canned_cloud.environment(keystone)),
            *(*IMAGE, 'unset', '--all', '--all-regions', '--dry-run'),
            *('--property', 'a', '--allow-private', '-f', 'value'),
            stdout=True,
            lines=3000,
        )
        assert terminal.shows('2,500 images read')
        held.let_go.set()
        code, shown, _out = terminal.end()
    assert code == 1
    assert 'Region Bad: boom' in shown
    lines = visible(terminal.screen())
    assert len(lines) > 2500
    assert 'images read' not in ''.join(lines), lines[:5]


# --- the progress bar, and signals ----------------------------------------

WAIT = (*SHOW, '--wait', MANY[0]['id'])


def test_result_replaces_progress_bar():
    active = Response.of({'image': MANY[0]})
    held = Held(after=2, status='SAVING', instead=active)
    with held_on(held, *WAIT, '-f', 'value', '-c', 'status') as terminal:
        assert terminal.shows('SAVING')
        held.let_go.set()
        assert terminal.end()[0] == 0
    assert visible(terminal.screen()) == ['ACTIVE']


@pytest.mark.parametrize('words', [LONG, WAIT], ids=['count', 'bar'])
@pytest.mark.parametrize(
    ('number', 'code'),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, -signal.SIGTERM),
        (signal.SIGHUP, -signal.SIGHUP),
    ],
)
def test_signal_leaves_terminal_usable(interruptible, number, code, words):
    held = Held(after=1) if words == LONG else Held(2, status='SAVING')
    with held_on(held, *words) as terminal:
        assert terminal.shows(
            '1,000 images so far' if words == LONG else 'SAVING'
        )
        terminal.process.send_signal(number)
        ended, shown, _out = terminal.end()
    assert ended == code
    # The cursor is never hidden: a signal may arrive at any time.
    assert '\x1b[?25' not in shown
    if number == signal.SIGINT and words == LONG:
        assert_ends_with_rows(terminal, ROWS[:1000])
    elif number == signal.SIGINT:
        assert visible(terminal.screen()) == []


def test_stopped_command_continues():
    held = Held(after=1)
    with held_on(held, *LONG) as terminal:
        assert terminal.shows('1,000 images so far')
        terminal.process.send_signal(signal.SIGTSTP)
        _pid, status = os.waitpid(terminal.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        terminal.process.send_signal(signal.SIGCONT)
        held.let_go.set()
        assert terminal.end()[0] == 0
    assert_ends_with_rows(terminal, ROWS)
