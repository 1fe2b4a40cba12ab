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
from testbed.canned_cloud import Response
from tests.functional.held import Held
from tests.functional.held import MANY
from tests.functional.shell import executable
from tests.functional.shell import fresh
from tests.functional.shell import PATIENCE
from tests.functional.shell import Result
from tests.functional.shell import Shell

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')

FEW = MANY[:3]

IDS = ('-f', 'value', '-c', 'ID')

#: 128 and the number of the signal.
BROKEN_PIPE = 141
INTERRUPTED = 130


def shell_of(
    server: canned_cloud.Server,
    program: str = 'compute-image',
    **environment: str,
) -> Shell:
    """Return a shell of a canned cloud, with Python's own buffering."""
    more = {'PYTHONUNBUFFERED': '', **environment}
    return Shell(canned_cloud.environment(server) | more, program=program)


@pytest.fixture
def few(canned: canned_cloud.Server) -> Shell:
    """Provide the shell of a cloud of three images."""
    return shell_of(canned)


@pytest.fixture(scope='module')
def many() -> Iterator[canned_cloud.Server]:
    """Provide a cloud of three pages of images."""
    with canned_cloud.canned_cloud(canned_cloud.Nova(MANY)) as server:
        yield server


@contextlib.contextmanager
def running(shell: Shell, *words: str) -> Iterator[subprocess.Popen]:
    """Run a command whose output is read line by line."""
    with subprocess.Popen(
        shell.command(*words),
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
    command = ['/bin/sh', '-c', f'exec "$0" "$@" {redirection}']
    return fresh([*command, *shell.command(*words)], shell.environment)


# --- pipes, and streams that are closed or full ----------------------------


@pytest.mark.parametrize(
    ('program', 'form'), [('openstack', 'csv'), ('compute-image', 'table')]
)
def test_pipe_closed_after_first_line(many, program, form):
    shell = shell_of(many, program)
    with running(shell, *LIST, '-f', form) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b''
        assert process.wait(PATIENCE) == BROKEN_PIPE


def test_pipe_closed_before_any_output(few):
    """The whole output is still in a buffer when the command is done."""
    with running(few, *SHOW, FEW[0]['id']) as process:
        process.stdout.close()
        assert process.stderr.read() == b''
        assert process.wait(PATIENCE) == BROKEN_PIPE


def test_rows_are_printed_before_next_page_arrives():
    held = Held(after=1)
    with (
        held.cloud() as server,
        running(shell_of(server), *LIST, '-f', 'csv') as process,
    ):
        lines = [process.stdout.readline() for _ in range(1001)]
        assert MANY[999]['id'].encode() in lines[-1]
        held.let_go.set()
        rest = end(process)
    assert (rest.code, rest.err) == (0, '')
    assert rest.out.count('\n') == len(MANY) - 1000


@pytest.mark.parametrize(
    ('redirection', 'words', 'error'),
    [
        ('>&-', LIST, 'stdout is closed'),
        ('1</dev/null', (*LIST, '-f', 'csv'), 'Bad file descriptor'),
        ('>/dev/full', (*LIST, '-f', 'csv'), 'No space left on device'),
        ('>/dev/full', (*SHOW, FEW[0]['id']), 'No space left on device'),
    ],
)
def test_output_that_cannot_be_written(few, redirection, words, error):
    result = redirected(few, redirection, *words)
    assert (result.code, result.out) == (1, '')
    assert result.err == f'Cannot write the output: {error}\n'


def test_disk_gets_full_while_listing(many):
    words = (*LIST, '-f', 'value')
    result = redirected(shell_of(many, 'openstack'), '>/dev/full', *words)
    assert result.code == 1
    assert result.err == 'Cannot write the output: No space left on device\n'


def test_command_without_output_needs_no_stdout(canned, few):
    words = ('compute', 'image', 'delete', FEW[0]['id'])
    result = redirected(few, '>&-', *words)
    assert (result.code, result.err) == (0, '')
    assert f'DELETE /v2.1/images/{FEW[0]["id"]}' in canned.paths()


@pytest.mark.parametrize('redirection', ['2>&- <&-', '2>/dev/full'])
def test_streams_that_are_not_needed(few, redirection):
    result = redirected(few, redirection, *LIST, *IDS)
    assert (result.code, result.err) == (0, '')
    assert result.out.split() == [image['id'] for image in FEW]


def test_failure_without_stderr(few):
    result = redirected(few, '2>&-', *SHOW, 'none')
    assert (result.code, result.out) == (1, '')


# --- signals --------------------------------------------------------------


@pytest.mark.parametrize(
    ('program', 'number', 'form', 'lines'),
    [
        ('openstack', signal.SIGINT, 'value', 1000),
        ('compute-image', signal.SIGTERM, 'json', 0),
    ],
)
def test_interrupted_list_keeps_printed_rows(
    interruptible, program, number, form, lines
):
    held = Held(after=1)
    with (
        held.cloud() as server,
        running(
            shell_of(server, program), *LIST, '-f', form, '-c', 'ID'
        ) as process,
    ):
        assert held.reached.wait(PATIENCE)
        process.send_signal(number)
        result = end(process)
    code = INTERRUPTED if number == signal.SIGINT else -number
    assert (result.code, result.err) == (code, '')
    assert result.out.count('\n') == lines


def test_interrupt_does_not_wait_for_regions(interruptible):
    """The command does not wait for the threads of the regions."""
    held = Held(after=0)
    with (
        held.cloud() as hanging,
        canned_cloud.Server(canned_cloud.Nova(FEW)) as answering,
    ):
        urls = {'a': f'{answering.url}/v2.1', 'b': f'{hanging.url}/v2.1'}
        words = (*LIST, '--all-regions', *IDS)
        with (
            canned_cloud.Server(canned_cloud.keystone(urls)) as keystone,
            running(shell_of(keystone), *words) as process,
        ):
            # The first region is printed while the second one hangs.
            shown = [process.stdout.readline() for _ in FEW]
            assert held.reached.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            result = end(process)
    assert (result.code, result.out, result.err) == (INTERRUPTED, '', '')
    assert [line.decode().strip() for line in shown] == [
        image['id'] for image in FEW
    ]


@pytest.mark.parametrize('does_it', [False, True])
def test_same_command_continues_after_kill(does_it):
    """Nova has done what was asked for last, or not."""
    reset = Response(send=canned_cloud.reset)
    held = Held(1, MANY[:4], 'DELETE', reset, does_it=does_it)
    words = ('compute', 'image', 'delete', '--all', '--auto-approve')
    words = ('-q', *words, '-f', 'json')
    with held.cloud() as server:
        shell = shell_of(server)
        with running(shell, *words):
            assert held.reached.wait(PATIENCE)
        held.let_go.set()
        ids = [image['id'] for image in MANY[:4]]
        left = ids[2:] if does_it else ids[1:]
        assert [image['id'] for image in held.nova.images] == left
        rows = shell(*words).json()
        assert [(row['ID'], row['Result']) for row in rows] == [
            (image_id, 'done') for image_id in left
        ]
        assert not held.nova.images
        # Each was asked for as often as it took, and no other.
        asked = [r.path for r in server.requests if r.method == 'DELETE']
    again = [] if does_it else [ids[1]]
    assert sorted(p.rpartition('/')[2] for p in asked) == sorted(ids + again)


# --- encodings, and arguments ---------------------------------------------

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
    images = [canned_cloud.image(0), canned_cloud.image(1, name=FOREIGN)]
    with canned_cloud.canned_cloud(canned_cloud.Nova(images)) as server:
        yield server


def test_unencodable_character(foreign):
    shell = shell_of(foreign, **PLAIN_C)
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


def test_undecodable_argument_is_an_error(canned, few):
    """Arguments may be any bytes, such as $'caf\\xe9'."""
    argument = os.fsencode('\udce9t\xe9')
    result = few.run('compute', 'image', 'delete', argument)
    assert (result.code, result.out) == (1, '')
    first, _count = result.err.splitlines()
    assert first.isprintable()
    assert '\\udce9' in first
    assert not [r for r in canned.requests if r.method == 'DELETE']


def test_interactive_mode(canned):
    """OpenStackClient itself ends this mode with exit code 1."""
    lines = (
        'compute image list -f value -c ID\n',
        'compute image show x --timeout 5\n',
    )
    environment = shell_of(canned).environment
    result = fresh([executable()], environment, input=''.join(lines * 2))
    known = [image['id'] for image in FEW]
    assert [w for w in result.out.split() if w in known] == known * 2
    assert result.err == '--timeout needs --wait\n' * 2
