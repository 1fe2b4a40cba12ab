# SPDX-License-Identifier: Apache-2.0

"""Output on terminals: escapes, width, count, progress bar, signals."""

from collections.abc import Iterator
import contextlib
import csv
import io
import json
import os
import re
import signal
from typing import Any

import pytest
import wcwidth
import yaml

from testbed import canned_cloud
from testbed.canned_cloud import after_the_first_page
from testbed.canned_cloud import always
from testbed.canned_cloud import fault
from testbed.canned_cloud import in_turn
from testbed.canned_cloud import Response
from tests.functional.conftest import executable
from tests.functional.conftest import Shell
from tests.functional.held import Held
from tests.functional.held import MANY
from tests.functional.terminal import Terminal
from tests.functional.terminal import visible

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')

#: All control characters, and bidirectional overrides.
CONTROL_CHARACTERS = (
    ''.join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
    + '\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e'
    + '\u2066\u2067\u2068\u2069\ufeff\U000e0041'
)
HOSTILE = (
    f'begin{CONTROL_CHARACTERS}\x1b]0;pwned\x07\x1b[2J\x1b[H\x1b[8m\x9b2J\x90q\x9c'
    '\n| forged | row |\r\u202elive\u202c end'
)
#: An argument cannot contain a zero byte.
ARGUMENT = HOSTILE.replace('\0', '')
#: The same, escaped.
SHOWN_HOSTILE = HOSTILE.encode('unicode_escape').decode()

_CONTROL_CHARACTER = re.compile(f'[{re.escape(CONTROL_CHARACTERS)}]')

#: Formatters that print text unchanged, and those that escape it.
PLAIN = ('table', 'value', 'csv')
ESCAPING = ('json', 'yaml')

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


@pytest.fixture(scope='module')
def hostile() -> Iterator[Shell]:
    """Provide the shell of a cloud whose texts are all hostile."""
    images = [canned_cloud.image(0), HOSTILE_IMAGE]
    with canned_cloud.canned_cloud(canned_cloud.Nova(images)) as server:
        yield Shell(canned_cloud.environment(server))


def printable_lines(shown: str) -> list[str]:
    """Return the lines on a terminal, without control characters."""
    lines = shown.split('\r\n')
    assert lines.pop() == ''
    for line in lines:
        assert not _CONTROL_CHARACTER.search(line), ascii(line)
    return lines


def printable_output(shell: Shell, *words: str, **more: Any) -> list[str]:
    """Run a command that must succeed; return its lines on a terminal."""
    more = {'columns': 5000, **more}
    code, shown, _out = Terminal(shell, *words, stdout=True, **more).end()
    assert code == 0, shown
    return printable_lines(shown)


def unescaped(form: str, text: str) -> str:
    """Undo the formatter's own escapes of backslashes."""
    doubled = form in ('csv', 'shell')
    return text.replace('\\\\', '\\') if doubled else text


# --- control characters in images -----------------------------------------


@pytest.mark.parametrize('options', [(), ('--long',)], ids=['brief', 'long'])
@pytest.mark.parametrize('form', PLAIN)
def test_list_escapes_control_characters(hostile, form, options):
    words = (*LIST, *options, '-f', form, '--max-width', '0')
    terminal = Terminal(hostile, *words, stdout=True, columns=5000)
    code, shown, _out = terminal.end()
    assert code == 0, shown
    lines = printable_lines(shown)
    assert len(lines) == {'table': 6, 'csv': 3, 'value': 2}[form]
    shown = lines[-2 if form == 'table' else -1]
    assert SHOWN_HOSTILE in unescaped(form, shown)
    assert terminal.screen().title == ''


def test_plan_to_approve_escapes_control_characters(hostile):
    words = ('compute', 'image', 'delete', '--all')
    terminal = Terminal(hostile, *words, stdout=True, columns=5000)
    assert terminal.shows('[y/N]'), terminal.end()
    terminal.type('n\n')
    code, shown, _out = terminal.end()
    assert code == 1
    lines = printable_lines(shown)
    assert sum(SHOWN_HOSTILE in line for line in lines) == 1
    assert terminal.screen().title == ''


@pytest.mark.parametrize('form', ['table', 'value', 'shell'])
def test_show_escapes_control_characters(hostile, form):
    words = (*SHOW, HOSTILE_IMAGE['id'], '-f', form)
    terminal = Terminal(hostile, *words, stdout=True, columns=9000)
    code, shown, _out = terminal.end()
    assert code == 0, shown
    lines = printable_lines(shown)
    assert len(lines) == {'table': 16, 'value': 12, 'shell': 12}[form]
    assert SHOWN_HOSTILE in unescaped(form, shown)
    assert terminal.screen().title == ''


def test_control_characters_in_region_are_escaped():
    with canned_cloud.Server(canned_cloud.Nova([HOSTILE_IMAGE])) as nova:
        regions = {HOSTILE: f'{nova.url}/v2.1'}
        with canned_cloud.Server(canned_cloud.keystone(regions)) as keystone:
            shell = Shell(canned_cloud.environment(keystone))
            for form in PLAIN:
                words = (*LIST, '--all-regions', '-f', form)
                lines = printable_output(shell, *words)
                assert any(line.count('pwned') == 3 for line in lines)
            words = (*SHOW, '--all-regions', HOSTILE_IMAGE['id'])
            printable_output(shell, *words, '-f', 'value')
            line = shell.fails(*LIST, '--region', 'none')
            assert SHOWN_HOSTILE in line


def test_control_characters_in_error_of_region_are_escaped():
    boom = always(fault(500, 'computeFault', 'boom'))
    with canned_cloud.Server(boom) as nova:
        regions = {HOSTILE: f'{nova.url}/v2.1', 'One': f'{nova.url}/v2.1'}
        with canned_cloud.Server(canned_cloud.keystone(regions)) as keystone:
            shell = Shell(canned_cloud.environment(keystone))
            result = shell.run(*LIST, '--all-regions')
    assert result.code == 1
    assert not _CONTROL_CHARACTER.search(result.err.replace('\n', ''))
    assert f'Region {SHOWN_HOSTILE}: boom' in result.err


@pytest.mark.parametrize('on_terminal', [True, False], ids=['tty', 'pipe'])
@pytest.mark.parametrize('form', ESCAPING)
def test_json_and_yaml_keep_text_unchanged(hostile, form, on_terminal):
    words = (*LIST, '--long', '-f', form)
    if on_terminal:
        out = '\n'.join(printable_output(hostile, *words))
    else:
        out = hostile(*words).out
    load = json.loads if form == 'json' else yaml.safe_load
    image = load(out)[1]
    assert image['Name'] == image['Status'] == image['Server ID'] == HOSTILE
    assert image['Properties'] == HOSTILE_IMAGE['metadata']


def test_pipe_keeps_text_unchanged(hostile):
    words = ('-c', 'Name', '-c', 'Status')
    rows = hostile(*LIST, '-f', 'csv', *words).out
    assert f'"{HOSTILE}","{HOSTILE}"\n' in rows
    assert (
        f'{HOSTILE} {HOSTILE}\n' in hostile(*LIST, '-f', 'value', *words).out
    )
    shown = hostile(*SHOW, HOSTILE_IMAGE['id'], '-f', 'value', '-c', 'name')
    assert shown.out == f'{HOSTILE}\n'


def test_table_in_pipe_escapes_control_characters(hostile):
    out = hostile(*LIST, '-c', 'Name').out
    assert out.count('\n') == 6
    assert not _CONTROL_CHARACTER.search(out.replace('\n', ''))


@pytest.mark.parametrize('form', PLAIN)
def test_control_characters_in_names_in_glance_are_escaped(demo, form):
    words = (*LIST, '-c', 'Name', '-f', form, '--max-width', '0')
    names = [image['Name'] for image in demo.images()]
    lines = printable_output(demo, *words, columns=400)
    assert len(lines) == len(names) + {'table': 4, 'csv': 1, 'value': 0}[form]
    shown = unescaped(form, '\n'.join(lines))
    text = demo(*words).out
    for name in ('two\nlines', 'tab\there', '\x1b]0;pwned\x07', '\u202eevil'):
        assert name in names
        assert ascii(name)[1:-1] in shown
        assert name in text or form == 'table'


# --- control characters in errors -----------------------------------------


TWINS = [canned_cloud.image(n, name='twin') for n in (1, 2)]
TWINS[0]['id'] = HOSTILE
SAVING = canned_cloud.image(3, status='SAVING\x1b[2J\n')
ODD = {**canned_cloud.image(4), 'id': HOSTILE, 'minDisk': HOSTILE}

#: A handler before the cloud, a command, and its exit code.
ERRORS = {
    'an ambiguous name': (None, (*SHOW, 'twin'), 1),
    'an unknown name': (None, (*SHOW, ARGUMENT), 1),
    'a status': (
        None,
        (*SHOW, '--wait', '--timeout', '1', SAVING['id']),
        6,
    ),
    'delete': (None, ('compute', 'image', 'delete', 'twin', ARGUMENT), 1),
    'a server': (None, (*LIST, '--server', ARGUMENT), 1),
    'a flavor': (None, (*LIST, '--flavor', ARGUMENT), 1),
    'a region': (None, (*LIST, '--region', ARGUMENT), 1),
    'a marker': (None, (*LIST, '--marker', ARGUMENT), 1),
    'a server error': (always(fault(500, 'boom', HOSTILE)), LIST, 1),
    'the ID of a request': (
        always(Response(b'{}', 500, {'X-Openstack-Request-Id': 'a\x1b'})),
        LIST,
        1,
    ),
    'a redirect': (
        always(Response(b'', 302, {'Location': 'http://a/\x1b]0;b\x07\x9b'})),
        LIST,
        1,
    ),
    'the marker to resume from': (
        always(fault(500, 'boom', HOSTILE), where=after_the_first_page),
        (*LIST, '--limit', '1', '--max-items', '9', '-f', 'value'),
        1,
    ),
    'a malformed image': (always(Response.of({'images': [ODD]})), LIST, 0),
}


@pytest.mark.parametrize(
    ('before', 'words', 'code'), ERRORS.values(), ids=ERRORS
)
def test_errors_escape_control_characters(before, words, code):
    nova = canned_cloud.Nova([*TWINS, SAVING])
    with canned_cloud.canned_cloud(
        nova, '/v2.1', *([before] if before else [])
    ) as server:
        shell = Shell(canned_cloud.environment(server))
        terminal = Terminal(shell, *words, stdout=False, term='dumb')
        ended, shown, _out = terminal.end()
    assert ended == code, shown
    assert printable_lines(shown)
    assert terminal.screen().title == ''


@pytest.mark.parametrize(
    'status', [HOSTILE, '[/] [red]x[/red] [/green]', 'a' * 500]
)
def test_progress_bar_escapes_status(status):
    saving = canned_cloud.image(0, status=status, progress=25)
    image = canned_cloud.image(0)
    nova = canned_cloud.Nova([image])
    before = in_turn(
        *[Response.of({'image': saving})] * 3, path=f'/images/{image["id"]}'
    )
    with canned_cloud.canned_cloud(nova, '/v2.1', before) as server:
        terminal = Terminal(
            Shell(canned_cloud.environment(server)),
            *(*SHOW, '--wait', image['id'], '-f', 'json'),
            stdout=False,
            columns=5000,
        )
        code, shown, out = terminal.end()
    assert code == 0, shown
    assert json.loads(out)['status'] == 'ACTIVE'
    screen = terminal.screen()
    assert screen.title == ''
    assert visible(screen) == []
    if status is HOSTILE:
        assert SHOWN_HOSTILE in shown
    else:
        assert status in shown


# --- narrow terminals and wide characters ---------------------------------

WIDE = [
    canned_cloud.image(0, name='映像' * 20),
    canned_cloud.image(1, name='e\u0301' * 30, metadata={'鍵': '値' * 50}),
    canned_cloud.image(2, name='a-name-without-any-place-to-break-it' * 3),
    canned_cloud.image(3, name=''),
    canned_cloud.image(4, name=None),
]


@pytest.fixture(scope='module')
def wide() -> Iterator[Shell]:
    """Provide the shell of a cloud of images with long and wide names."""
    with canned_cloud.canned_cloud(canned_cloud.Nova(WIDE)) as server:
        yield Shell(canned_cloud.environment(server))


def widths(lines: list[str]) -> set[int]:
    return {wcwidth.wcswidth(line) for line in lines}


@pytest.mark.parametrize('columns', [20, 40, 60, 80])
@pytest.mark.parametrize(
    'words',
    [LIST, (*LIST, '--long'), (*SHOW, WIDE[1]['id'])],
    ids=['list', 'long', 'show'],
)
def test_table_on_narrow_terminal(wide, words, columns):
    """cliff wraps the cells, down to 8 columns each, or 16 for show."""
    lines = printable_output(wide, *words, columns=columns)
    # The borders of all lines are aligned.
    assert len(widths(lines)) == 1
    if words == LIST:
        assert widths(lines).pop() <= max(columns, 3 * (8 + 3) + 1)
    text = ''.join(re.sub(r'[\s|+-]', '', line) for line in lines)
    assert (WIDE[1]['id'] if 'show' in words else WIDE[0]['id'])[:8] in text


@pytest.mark.parametrize(
    ('options', 'environment'),
    [
        (('--max-width', '60'), {}),
        ((), {'CLIFF_MAX_TERM_WIDTH': '60'}),
    ],
    ids=['option', 'variable'],
)
def test_table_fits_max_width_in_pipe(wide, options, environment):
    result = wide(*LIST, *options, environment=environment)
    assert widths(result.out.splitlines()) == {60}


@pytest.mark.parametrize(
    ('options', 'environment'),
    [(('--fit-width',), {}), ((), {'CLIFF_FIT_WIDTH': '1'})],
    ids=['option', 'variable'],
)
def test_table_in_pipe_ignores_fit_width(wide, options, environment):
    """cliff fits tables to the width of terminals only."""
    plain = wide(*LIST).out
    assert wide(*LIST, *options, environment=environment).out == plain


def test_wide_characters_keep_columns_aligned(wide):
    lines = wide(*LIST).out.splitlines()
    assert len(lines) == len(WIDE) + 4
    assert len(widths(lines)) == 1


def test_empty_table_prints_nothing(wide):
    assert printable_output(wide, *LIST, '--name', 'none') == ['']


def test_terminal_and_pipe_have_the_same_rows(wide):
    words = (*LIST, '-f', 'csv', '--long')
    rows = list(csv.reader(io.StringIO(wide(*words).out)))
    shown = list(csv.reader(printable_output(wide, *words)))
    assert shown == rows


# --- the count of a long list ---------------------------------------------

LONG = (*LIST, '-f', 'value', '-c', 'Name')
ROWS = [image['name'] for image in MANY]


@pytest.fixture(scope='module')
def long_list() -> Iterator[Shell]:
    """Provide the shell of a cloud of three pages."""
    with canned_cloud.canned_cloud(canned_cloud.Nova(MANY)) as server:
        yield Shell(canned_cloud.environment(server))


@contextlib.contextmanager
def held_on(held: Held, *words: str, **more: Any) -> Iterator[Terminal]:
    """Run a command on a terminal until a response is held back."""
    with held.cloud() as server:
        shell = Shell(canned_cloud.environment(server))
        terminal = Terminal(shell, *words, **{'stdout': True, **more})
        assert held.reached.wait(60)
        yield terminal


def assert_ends_with_rows(terminal: Terminal, rows: list[str]) -> None:
    """Check that the screen has the last rows, and nothing else."""
    screen = terminal.screen()
    lines = visible(screen)
    assert len(lines) > 40
    assert lines == rows[-len(lines) :]
    assert not screen.cursor.hidden


@pytest.mark.parametrize(('after', 'count'), [(1, '1,000'), (2, '2,000')])
def test_long_list_shows_count(after, count):
    held = Held(after=after)
    with held_on(held, *LONG) as terminal:
        assert terminal.shows(f'{count} images so far')
        held.let_go.set()
        code, _shown, _out = terminal.end()
    assert code == 0
    # The count disappears, and no row is lost.
    assert_ends_with_rows(terminal, ROWS)


@pytest.mark.parametrize(
    'words',
    [
        ('set', '--all', '--property', 'a=b'),
        ('delete', '--all'),
        ('prune', '--keep-last', '1'),
    ],
    ids=' '.join,
)
def test_plan_shows_count_of_images_that_it_reads(words):
    held = Held(after=2)
    words = ('compute', 'image', *words, '--dry-run')
    with held_on(held, *words) as terminal:
        assert terminal.shows('2,000 images read')
        held.let_go.set()
        _code, shown, _out = terminal.end()
    assert 'images read' not in '\n'.join(visible(terminal.screen())), shown


def test_no_count_before_first_page():
    held = Held(after=0)
    with held_on(held, *LONG) as terminal:
        assert not terminal.shows('images so far', patience=2)
        held.let_go.set()
        assert terminal.end()[0] == 0


@pytest.mark.parametrize(
    ('options', 'more'),
    [
        (('-q',), {}),
        ((), {'term': 'dumb'}),
        ((), {'stdout': False}),
    ],
    ids=['quiet', 'dumb', 'stdout is a pipe'],
)
def test_no_count_if_quiet_dumb_or_piped(options, more):
    held = Held(after=1)
    with held_on(held, *options, *LONG, **more) as terminal:
        assert not terminal.shows('images so far', patience=2)
        held.let_go.set()
        code, shown, out = terminal.end()
    assert code == 0
    assert (printable_lines(shown) if shown else out.split()) == ROWS


def test_no_count_if_stderr_is_redirected(long_list):
    script = ('-c', 'exec "$0" "$@" 2>/dev/null', executable())
    terminal = Terminal(
        long_list, *script, *LONG, stdout=True, program='/bin/sh'
    )
    code, shown, _out = terminal.end()
    assert (code, printable_lines(shown)) == (0, ROWS)


def test_interrupt_removes_count(interruptible):
    with held_on(Held(after=1), *LONG) as terminal:
        assert terminal.shows('1,000 images so far')
        terminal.process.send_signal(signal.SIGINT)
        code, _shown, _out = terminal.end()
    assert code == 130
    assert_ends_with_rows(terminal, ROWS[:1000])


def test_error_replaces_count():
    boom = fault(500, 'computeFault', 'boom')
    held = Held(after=1, instead=boom)
    with held_on(held, *LONG, columns=400) as terminal:
        assert terminal.shows('1,000 images so far')
        held.let_go.set()
        code, _shown, _out = terminal.end()
    assert code == 1
    *rows, error = visible(terminal.screen())
    assert rows == ROWS[1000 - len(rows) : 1000]
    assert error.startswith('boom')


def test_error_of_a_region_replaces_count():
    held = Held(after=0, instead=fault(500, 'computeFault', 'boom'))
    with (
        canned_cloud.Server(canned_cloud.Nova(MANY)) as good,
        canned_cloud.Server(held) as bad,
    ):
        regions = {'Bad': f'{bad.url}/v2.1', 'Good': f'{good.url}/v2.1'}
        with canned_cloud.Server(canned_cloud.keystone(regions)) as keystone:
            words = ('unset', '--all', '--all-regions', '--dry-run')
            more = ('--property', 'a', '--allow-private')
            terminal = Terminal(
                Shell(canned_cloud.environment(keystone)),
                *(
                    'compute',
                    'image',
                    *words,
                    *more,
                    '-f',
                    'value',
                    '-c',
                    'Name',
                ),
                stdout=True,
                lines=3000,
            )
            assert held.reached.wait(60)
            assert terminal.shows('2,500 images read')
            held.let_go.set()
            code, shown, _out = terminal.end()
    assert code == 1
    assert 'Region Bad: boom' in shown
    lines = visible(terminal.screen())
    assert len(lines) > 2500
    assert 'images read' not in ''.join(lines), lines[:5]


# --- the progress bar -----------------------------------------------------


def test_interrupt_removes_progress_bar(interruptible):
    held = Held(after=2, status='SAVING')
    words = (*SHOW, '--wait', MANY[0]['id'])
    with held_on(held, *words) as terminal:
        assert terminal.shows('SAVING')
        terminal.process.send_signal(signal.SIGINT)
        code, _shown, _out = terminal.end()
    assert code == 130
    screen = terminal.screen()
    assert visible(screen) == []
    assert not screen.cursor.hidden


def test_result_replaces_progress_bar():
    active = Response.of({'image': MANY[0]})
    held = Held(after=2, status='SAVING', instead=active)
    words = (*SHOW, '--wait', MANY[0]['id'], '-f', 'value', '-c', 'status')
    with held_on(held, *words) as terminal:
        assert terminal.shows('SAVING')
        held.let_go.set()
        code, _shown, _out = terminal.end()
    assert code == 0
    assert visible(terminal.screen()) == ['ACTIVE']


# --- signals that end or stop a command ------------------------------------


@pytest.mark.parametrize(
    'words', [LONG, (*SHOW, '--wait', MANY[0]['id'])], ids=['count', 'bar']
)
@pytest.mark.parametrize(
    'number', [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]
)
def test_signal_leaves_cursor_visible(interruptible, number, words):
    is_bar = '--wait' in words
    held = Held(after=2, status='SAVING') if is_bar else Held(after=1)
    with held_on(held, *words) as terminal:
        assert terminal.shows('SAVING' if is_bar else '1,000 images so far')
        terminal.process.send_signal(number)
        code, shown, _out = terminal.end()
    assert code == -number
    # The cursor is never hidden: a signal may arrive at any time.
    assert '\x1b[?25' not in shown
    assert not terminal.screen().cursor.hidden


def test_stopped_command_continues():
    held = Held(after=1)
    with held_on(held, *LONG) as terminal:
        assert terminal.shows('1,000 images so far')
        terminal.process.send_signal(signal.SIGTSTP)
        _pid, status = os.waitpid(terminal.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert not terminal.screen().cursor.hidden
        terminal.process.send_signal(signal.SIGCONT)
        held.let_go.set()
        code, _shown, _out = terminal.end()
    assert code == 0
    assert_ends_with_rows(terminal, ROWS)


# --- logs ------------------------------------------------------------------


@pytest.mark.parametrize('form', ['application/json', 'text/plain'])
def test_logs_escape_control_characters(form):
    """This includes Keystone's responses."""
    acting = CONTROL_CHARACTERS.replace('\0', '').encode()
    body = json.dumps({'images': [canned_cloud.image(0)]}).encode()
    body = body.replace(
        b'"images"', b'"\x1b]0;owned\x07' + acting + b'": 1, "images"'
    )
    answer = Response(
        body, 200, {'Content-Type': form, 'X-Odd': 'a\x1b]0;owned\x07\x9b'}
    )
    with canned_cloud.canned_cloud(
        canned_cloud.Nova([]), '/v2.1', always(answer)
    ) as server:
        shell = Shell(canned_cloud.environment(server))
        terminal = Terminal(shell, '--debug', *LIST, stdout=True)
        code, shown, _out = terminal.end()
    assert code == 0
    assert 'RESP BODY: ' in shown
    assert 'X-Odd: a\\x1b]0;owned' in shown
    printable_lines(shown)
    assert terminal.screen().title == ''


# --- encodings -------------------------------------------------------------


@pytest.mark.parametrize('encoding', ['ascii', 'latin-1'])
def test_table_escapes_characters_that_encoding_lacks(wide, encoding):
    for words in (LIST, (*LIST, '--long'), (*SHOW, WIDE[1]['id'])):
        result = wide.run(*words, environment={'PYTHONIOENCODING': encoding})
        assert (result.code, result.err) == (0, '')
        lines = result.out.splitlines()
        assert len(widths(lines)) == 1
        assert r'e\u0301' in result.out
    assert r'\u9375=' in result.out
