# SPDX-License-Identifier: Apache-2.0

"""Commands as processes: pipes, full disks, signals, encodings.

The clouds are canned, and respond when a test tells them to.
"""

from collections.abc import Iterator
import contextlib
import os
import signal
import subprocess
from typing import Any

import pytest

from testbed import canned_cloud
from tests.functional.conftest import executable
from tests.functional.conftest import Result
from tests.functional.conftest import Shell
from tests.functional.held import Held
from tests.functional.held import MANY

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')

FEW = MANY[:3]

FORMATS = ('csv', 'value', 'table', 'json', 'yaml')

#: Seconds to wait for an event that must happen.
PATIENCE = 60

#: 128 and the number of the signal.
BROKEN_PIPE = 141
INTERRUPTED = 130


def shell_of(server: canned_cloud.Server, **environment: str) -> Shell:
    """Return a shell of a canned cloud, with Python's own buffering."""
    more = {'PYTHONUNBUFFERED': '', **environment}
    return Shell(canned_cloud.environment(server) | more)


@pytest.fixture
def few(canned: canned_cloud.Server) -> Shell:
    """Provide the shell of a cloud of three images."""
    return shell_of(canned)


@pytest.fixture(scope='module')
def many() -> Iterator[Shell]:
    """Provide the shell of a cloud of three pages of images."""
    with canned_cloud.canned_cloud(canned_cloud.Nova(MANY)) as server:
        yield shell_of(server)


@contextlib.contextmanager
def running(shell: Shell, *words: str) -> Iterator[subprocess.Popen]:
    """Run a command whose output is read line by line."""
    with subprocess.Popen(
        [executable(), *words],
        env=shell.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def end(process: subprocess.Popen) -> Result:
    """Wait until a command ends, and return its result."""
    out, err = process.communicate(timeout=PATIENCE)
    return Result(process.returncode, out.decode(), err.decode())


def redirected(shell: Shell, redirection: str, *words: str) -> Result:
    """Run a command with a redirection in shell syntax."""
    done = subprocess.run(
        ['/bin/sh', '-c', f'exec "$0" "$@" {redirection}']
        + [executable(), *words],
        env=shell.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


# --- closed pipes ---------------------------------------------------------


@pytest.mark.parametrize('unbuffered', ['', '1'])
@pytest.mark.parametrize('form', FORMATS)
def test_pipe_closed_after_first_line(many, form, unbuffered):
    shell = Shell({**many.environment, 'PYTHONUNBUFFERED': unbuffered})
    with running(shell, *LIST, '-f', form) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b''
        assert process.wait(PATIENCE) == BROKEN_PIPE


@pytest.mark.parametrize('form', FORMATS)
@pytest.mark.parametrize(
    'words', [LIST, (*SHOW, FEW[0]['id'])], ids=['list', 'show']
)
def test_pipe_closed_before_any_output(few, words, form):
    """The whole output is still in a buffer when the command is done."""
    if form == 'csv' and words != LIST:
        form = 'shell'
    with running(few, *words, '-f', form) as process:
        process.stdout.close()
        assert process.stderr.read() == b''
        assert process.wait(PATIENCE) == BROKEN_PIPE


@pytest.mark.parametrize('form', ['csv', 'value'])
def test_pipe_closed_while_waiting_is_noticed_at_next_write(form):
    held = Held(after=1)
    # Few enough bytes for the buffer of a pipe.
    words = (*LIST, '-f', form, '-c', 'ID')
    with (
        held.cloud() as server,
        running(shell_of(server), *words) as process,
    ):
        assert process.stdout.readline()
        assert held.reached.wait(PATIENCE)
        process.stdout.close()
        held.let_go.set()
        assert process.stderr.read() == b''
        assert process.wait(PATIENCE) == BROKEN_PIPE


def test_rows_are_printed_before_next_page_is_requested():
    held = Held(after=1)
    with (
        held.cloud() as server,
        running(shell_of(server), *LIST, '-f', 'csv') as process,
    ):
        lines = [process.stdout.readline() for _ in range(1001)]
        assert FEW[0]['id'].encode() in lines[1]
        held.let_go.set()
        rest = end(process)
    assert (rest.code, rest.err) == (0, '')
    assert rest.out.count('\n') == len(MANY) - 1000


# --- streams that are closed or full --------------------------------------


@pytest.mark.parametrize('form', FORMATS)
def test_list_with_closed_stdout_is_an_error(few, form):
    result = redirected(few, '>&-', *LIST, '-f', form)
    assert (result.code, result.out) == (1, '')
    assert result.err == 'Cannot write the output: stdout is closed\n'


def test_show_with_closed_stdout_is_an_error(few):
    result = redirected(few, '>&-', *SHOW, FEW[0]['id'])
    assert (result.code, result.out) == (1, '')
    assert result.err == 'Cannot write the output: stdout is closed\n'


def test_command_without_output_needs_no_stdout(canned, few):
    words = ('compute', 'image', 'delete', FEW[0]['id'])
    result = redirected(few, '>&-', *words)
    assert (result.code, result.err) == (0, '')
    assert f'DELETE /v2.1/images/{FEW[0]["id"]}' in canned.paths()


def test_stdout_opened_for_reading(few):
    result = redirected(few, '1</dev/null', *LIST)
    assert result.code == 1
    assert result.err == 'Cannot write the output: Bad file descriptor\n'


@pytest.mark.parametrize('redirection', ['2>&-', '2>/dev/full'])
def test_list_without_stderr(few, redirection):
    result = redirected(few, redirection, *LIST, '-f', 'value', '-c', 'ID')
    assert result.code == 0
    assert result.out.split() == [image['id'] for image in FEW]


def test_failure_without_stderr(few):
    result = redirected(few, '2>&-', *SHOW, 'none')
    assert (result.code, result.out) == (1, '')


def test_list_without_stdin(few):
    result = redirected(few, '<&-', *LIST, '-f', 'value', '-c', 'ID')
    assert (result.code, result.err) == (0, '')
    assert result.out.split() == [image['id'] for image in FEW]


@pytest.mark.parametrize('form', FORMATS)
@pytest.mark.parametrize('size', ['few', 'many'])
def test_full_disk_is_reported_by_list(request, size, form):
    shell = request.getfixturevalue(size)
    result = redirected(shell, '>/dev/full', *LIST, '-f', form)
    assert result.code == 1
    assert result.err == 'Cannot write the output: No space left on device\n'


def test_full_disk_is_reported_by_show(few):
    result = redirected(few, '>/dev/full', *SHOW, FEW[0]['id'])
    assert result.code == 1
    assert result.err == 'Cannot write the output: No space left on device\n'


# --- signals --------------------------------------------------------------


def interrupted(
    held: Held,
    shell: Shell,
    *words: str,
    number: int = signal.SIGINT,
) -> Result:
    """Send a signal to a command while it waits for a response."""
    with running(shell, *words) as process:
        assert held.reached.wait(PATIENCE)
        process.send_signal(number)
        return end(process)


@pytest.mark.parametrize(
    ('form', 'lines'), [('value', 1000), ('csv', 1001), ('json', 0)]
)
def test_interrupted_list_keeps_printed_rows(interruptible, form, lines):
    held = Held(after=1)
    with held.cloud() as server:
        words = (*LIST, '-f', form, '-c', 'ID')
        result = interrupted(held, shell_of(server), *words)
    assert (result.code, result.err) == (INTERRUPTED, '')
    assert result.out.count('\n') == lines


def test_interrupt_ends_wait(interruptible):
    held = Held(after=2, status='SAVING')
    with held.cloud() as server:
        words = (*SHOW, '--wait', FEW[0]['id'])
        result = interrupted(held, shell_of(server), *words)
    assert (result.code, result.out, result.err) == (INTERRUPTED, '', '')


@pytest.mark.parametrize('answered', ['first', 'second'])
def test_interrupt_does_not_wait_for_regions(interruptible, answered):
    """The command does not wait for the threads of the regions."""
    held = Held(after=0)
    nova = canned_cloud.Nova(FEW)
    with (
        held.cloud() as hanging,
        canned_cloud.Server(nova) as answering,
    ):
        urls = [f'{server.url}/v2.1' for server in (answering, hanging)]
        if answered == 'second':
            urls.reverse()
        regions = dict(zip(('RegionOne', 'RegionTwo'), urls, strict=True))
        with canned_cloud.Server(canned_cloud.keystone(regions)) as keystone:
            words = (*LIST, '--all-regions', '-f', 'value', '-c', 'ID')
            result = interrupted(held, shell_of(keystone), *words)
    assert (result.code, result.err) == (INTERRUPTED, '')
    # The regions are printed in the order of their names.
    printed = [image['id'] for image in FEW] if answered == 'first' else []
    assert result.out.split() in (printed, [])


def test_sigterm_ends_list_silently():
    held = Held(after=1)
    with held.cloud() as server:
        words = (*LIST, '-f', 'value', '-c', 'ID')
        result = interrupted(
            held, shell_of(server), *words, number=signal.SIGTERM
        )
    assert (result.code, result.err) == (-signal.SIGTERM, '')
    assert result.out.count('\n') == 1000


# --- encodings ------------------------------------------------------------

FOREIGN = 'Größe-café-映像'

#: The locale C, without Python's coercion to UTF-8.
PLAIN_C = {
    'LC_ALL': 'C',
    'PYTHONCOERCECLOCALE': '0',
    'PYTHONUTF8': '0',
    'PYTHONIOENCODING': '',
}


@pytest.fixture
def foreign() -> Iterator[canned_cloud.Server]:
    """Provide a cloud with an image whose name is not ASCII, and another."""
    images: list[dict[str, Any]] = [
        canned_cloud.image(0),
        canned_cloud.image(1, name=FOREIGN),
    ]
    with canned_cloud.canned_cloud(canned_cloud.Nova(images)) as server:
        yield server


@pytest.mark.parametrize('form', ['csv', 'value', 'table'])
def test_names_are_utf_8_in_locale_c(foreign, form):
    shell = shell_of(foreign, LC_ALL='C', LANG='', PYTHONUTF8='')
    result = shell(*LIST, '-f', form, '-c', 'Name')
    assert FOREIGN in result.out


def test_name_argument_in_locale_c(foreign):
    shell = shell_of(foreign, LC_ALL='C', LANG='', PYTHONUTF8='')
    assert shell(*SHOW, FOREIGN, '-f', 'json').json()['name'] == FOREIGN


@pytest.mark.parametrize('form', ['json', 'yaml'])
@pytest.mark.parametrize(
    'environment', [{'PYTHONIOENCODING': 'ascii'}, PLAIN_C], ids=['io', 'c']
)
def test_json_and_yaml_are_ascii(foreign, form, environment):
    result = shell_of(foreign, **environment)(*LIST, '-f', form)
    assert result.out.isascii()
    assert '\\xF6' in result.out or '\\u00f6' in result.out


@pytest.mark.parametrize(
    ('form', 'printed'),
    [
        ('csv', ['"Name"', '"cirros-0.6.2-000000"']),
        ('value', ['cirros-0.6.2-000000']),
    ],
)
@pytest.mark.parametrize(
    'environment', [{'PYTHONIOENCODING': 'ascii'}, PLAIN_C], ids=['io', 'c']
)
def test_unencodable_character_is_reported(
    foreign, form, printed, environment
):
    shell = shell_of(foreign, **environment)
    result = shell.run(*LIST, '-f', form, '-c', 'Name')
    assert result.code == 1
    assert result.out.splitlines() == printed
    assert result.err == (
        "Cannot write '\\xf6' in the encoding ascii: set "
        'PYTHONIOENCODING=utf-8\n'
    )


@pytest.mark.parametrize(
    'environment', [{'PYTHONIOENCODING': 'ascii'}, PLAIN_C], ids=['io', 'c']
)
def test_table_escapes_unencodable_characters(foreign, environment):
    """Tables are for people; for a program an escape would change the name."""
    result = shell_of(foreign, **environment)(*LIST, '-c', 'Name')
    assert result.out.splitlines()[3:-1] == [
        '| cirros-0.6.2-000000              |',
        '| Gr\\xf6\\xdfe-caf\\xe9-\\u6620\\u50cf |',
    ]


def test_error_escapes_unencodable_characters(foreign):
    shell = shell_of(foreign, PYTHONIOENCODING='ascii')
    line = shell.fails(*SHOW, 'não')
    assert line == "No image with a name or ID of 'n\\xe3o' exists"


# --- arguments ------------------------------------------------------------


@pytest.mark.parametrize(
    'words',
    [
        (*SHOW, '\udce9t\xe9'),
        (*LIST, '--name', '\udce9t\xe9'),
        (*LIST, '--server', '\udce9t\xe9'),
        (*LIST, '--flavor', '\udce9t\xe9'),
        (*LIST, '--marker', '\udce9t\xe9'),
        (*LIST, '--type', '\udce9t\xe9'),
        ('compute', 'image', 'delete', '\udce9t\xe9'),
        ('compute', 'image', 'set', FEW[0]['id'], '--property', 'a=\udce9'),
        ('compute', 'image', 'unset', FEW[0]['id'], '--property', '\udce9'),
    ],
    ids=lambda words: f'{words[2]} {words[3]}',
)
def test_undecodable_argument_is_an_error(canned, few, words):
    """Arguments may be any bytes, such as $'caf\\xe9'."""
    result = few.run(*map(os.fsencode, words))
    assert (result.code, result.out) == (1, '')
    assert result.err.splitlines()[0].isprintable()
    assert '\\udce9' in result.err
    assert 'Traceback' not in result.err
    assert canned.paths().count('POST /v3/auth/tokens') <= 1
    assert not [r for r in canned.requests if r.method == 'DELETE']


@pytest.mark.parametrize('words', [SHOW, (*LIST, '--name')])
def test_very_long_argument(few, words):
    result = few.run(*words, 'x' * 100_000)
    assert result.code == int(words == SHOW)
    assert 'Traceback' not in result.err
    assert result.err.count('\n') == int(words == SHOW)


def test_interactive_mode(few):
    """OpenStackClient itself ends this mode with exit code 1."""
    done = subprocess.run(
        [executable()],
        env=few.environment,
        input='compute image list -f value -c ID\n' * 2,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    listed = [w for w in done.stdout.split() if w in {i['id'] for i in FEW}]
    assert listed == [image['id'] for image in FEW] * 2
    assert done.stderr == ''


def test_usage_error_does_not_end_interactive_mode(few):
    done = subprocess.run(
        [executable()],
        env=few.environment,
        input='compute image show x --timeout 5\n'
        'compute image list -f value -c ID\n',
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert FEW[0]['id'] in done.stdout
    assert done.stderr == '--timeout needs --wait\n'
