# SPDX-License-Identifier: Apache-2.0

"""Commands as processes: pipes, full disks, signals, encodings.

The clouds are canned, and respond when a test tells them to.
"""

from collections.abc import Iterator
import contextlib
import os
import signal
import subprocess

import pytest

from testbed import canned_cloud
from tests.functional.conftest import executable
from tests.functional.conftest import Result
from tests.functional.conftest import Shell
from tests.functional.held import Held
from tests.functional.held import MANY
from tests.functional.terminal import PATIENCE

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')

FEW = MANY[:3]

IDS = ('-f', 'value', '-c', 'ID')

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


# --- pipes, and streams that are closed or full ----------------------------


@pytest.mark.parametrize(
    ('form', 'unbuffered'),
    [('csv', ''), ('csv', '1'), ('table', ''), ('json', ''), ('jsonl', '')],
)
def test_pipe_closed_after_first_line(many, form, unbuffered):
    shell = Shell({**many.environment, 'PYTHONUNBUFFERED': unbuffered})
    with running(shell, *LIST, '-f', form) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b''
        assert process.wait(PATIENCE) == BROKEN_PIPE


@pytest.mark.parametrize(
    'words', [LIST, (*SHOW, FEW[0]['id'])], ids=['list', 'show']
)
def test_pipe_closed_before_any_output(few, words):
    """The whole output is still in a buffer when the command is done."""
    with running(few, *words) as process:
        process.stdout.close()
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


@pytest.mark.parametrize(
    ('redirection', 'error'),
    [
        ('>&-', 'stdout is closed'),
        ('1</dev/null', 'Bad file descriptor'),
        ('>/dev/full', 'No space left on device'),
    ],
)
@pytest.mark.parametrize(
    'words',
    [LIST, (*LIST, '-f', 'csv'), (*SHOW, FEW[0]['id'])],
    ids=['table', 'csv', 'show'],
)
def test_output_that_cannot_be_written(few, redirection, error, words):
    result = redirected(few, redirection, *words)
    assert (result.code, result.out) == (1, '')
    assert result.err == f'Cannot write the output: {error}\n'


def test_disk_gets_full_while_listing(many):
    result = redirected(many, '>/dev/full', *LIST, '-f', 'value')
    assert result.code == 1
    assert result.err == 'Cannot write the output: No space left on device\n'


def test_command_without_output_needs_no_stdout(canned, few):
    words = ('compute', 'image', 'delete', FEW[0]['id'])
    result = redirected(few, '>&-', *words)
    assert (result.code, result.err) == (0, '')
    assert f'DELETE /v2.1/images/{FEW[0]["id"]}' in canned.paths()


@pytest.mark.parametrize('redirection', ['2>&-', '2>/dev/full', '<&-'])
def test_streams_that_are_not_needed(few, redirection):
    result = redirected(few, redirection, *LIST, *IDS)
    assert (result.code, result.err) == (0, '')
    assert result.out.split() == [image['id'] for image in FEW]


def test_failure_without_stderr(few):
    result = redirected(few, '2>&-', *SHOW, 'none')
    assert (result.code, result.out) == (1, '')


# --- signals --------------------------------------------------------------


def interrupted(
    held: Held, shell: Shell, *words: str, number: int = signal.SIGINT
) -> Result:
    """Send a signal to a command while it waits for a response."""
    with running(shell, *words) as process:
        assert held.reached.wait(PATIENCE)
        process.send_signal(number)
        return end(process)


@pytest.mark.parametrize(
    ('number', 'form', 'lines'),
    [
        (signal.SIGINT, 'value', 1000),
        (signal.SIGINT, 'json', 0),
        (signal.SIGTERM, 'csv', 1001),
    ],
)
def test_interrupted_list_keeps_printed_rows(
    interruptible, number, form, lines
):
    held = Held(after=1)
    with held.cloud() as server:
        words = (*LIST, '-f', form, '-c', 'ID')
        result = interrupted(held, shell_of(server), *words, number=number)
    code = INTERRUPTED if number == signal.SIGINT else -number
    assert (result.code, result.err) == (code, '')
    assert result.out.count('\n') == lines


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
            words = (*LIST, '--all-regions', *IDS)
            result = interrupted(held, shell_of(keystone), *words)
    assert (result.code, result.err) == (INTERRUPTED, '')
    # The regions are printed in the order of their names.
    printed = [image['id'] for image in FEW] if answered == 'first' else []
    assert result.out.split() in (printed, [])


# --- encodings, and arguments ---------------------------------------------

FOREIGN = 'Größe-café-映像'

UTF_8 = {'LC_ALL': 'C', 'LANG': '', 'PYTHONUTF8': ''}
#: The locale C, without Python's coercion to UTF-8.
PLAIN_C = {
    'LC_ALL': 'C',
    'PYTHONCOERCECLOCALE': '0',
    'PYTHONUTF8': '0',
    'PYTHONIOENCODING': '',
}
ASCII = {'PYTHONIOENCODING': 'ascii'}


@pytest.fixture
def foreign() -> Iterator[canned_cloud.Server]:
    """Provide a cloud with an image whose name is not ASCII, and another."""
    images = [canned_cloud.image(0), canned_cloud.image(1, name=FOREIGN)]
    with canned_cloud.canned_cloud(canned_cloud.Nova(images)) as server:
        yield server


def test_text_is_utf_8_in_locale_c(foreign):
    shell = shell_of(foreign, **UTF_8)
    shown = shell(*SHOW, FOREIGN, '-f', 'value', '-c', 'name')
    assert shown.out == f'{FOREIGN}\n'


@pytest.mark.parametrize('environment', [ASCII, PLAIN_C], ids=['io', 'c'])
def test_unencodable_character(foreign, environment):
    shell = shell_of(foreign, **environment)
    words = (*LIST, '-c', 'Name', '-f')
    result = shell.run(*words, 'value')
    assert (result.code, result.out) == (1, 'cirros-0.6.2-000000\n')
    assert result.err == (
        "Cannot write '\\xf6' in the encoding ascii: set "
        'PYTHONIOENCODING=utf-8\n'
    )
    # Tables are for people; for a program an escape would change the name.
    assert '| Gr\\xf6\\xdfe-caf\\xe9-\\u6620\\u50cf |' in (
        shell(*words, 'table').out
    )
    assert shell(*words, 'json').json()[1] == {'Name': FOREIGN}


def test_error_escapes_unencodable_characters(foreign):
    line = shell_of(foreign, **ASCII).fails(*SHOW, 'não')
    assert line == "No image with a name or ID of 'n\\xe3o' exists"


@pytest.mark.parametrize(
    'words',
    [
        (*SHOW, '\udce9t\xe9'),
        (*LIST, '--name', '\udce9t\xe9'),
        ('compute', 'image', 'unset', FEW[0]['id'], '--property', '\udce9'),
    ],
    ids=lambda words: words[2],
)
def test_undecodable_argument_is_an_error(canned, few, words):
    """Arguments may be any bytes, such as $'caf\\xe9'."""
    result = few.run(*map(os.fsencode, words))
    assert (result.code, result.out) == (1, '')
    assert result.err.splitlines()[0].isprintable()
    assert '\\udce9' in result.err
    assert 'Traceback' not in result.err
    assert not [r for r in canned.requests if r.method == 'DELETE']


def test_interactive_mode(few):
    """OpenStackClient itself ends this mode with exit code 1."""
    lines = (
        'compute image list -f value -c ID\n',
        'compute image show x --timeout 5\n',
    )
    done = subprocess.run(
        [executable()],
        env=few.environment,
        input=''.join(lines * 2),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    listed = [w for w in done.stdout.split() if w in {i['id'] for i in FEW}]
    assert listed == [image['id'] for image in FEW] * 2
    assert done.stderr == '--timeout needs --wait\n' * 2
