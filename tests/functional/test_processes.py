# SPDX-License-Identifier: Apache-2.0

"""Commands as processes: pipes, full disks, signals, encodings.

The clouds are canned, and respond when a test tells them to.
"""

from collections.abc import Iterator
import contextlib
import signal
import subprocess

import pytest

from testbed import canned_cloud
from tests.functional.processes import Held
from tests.functional.processes import MANY
from tests.functional.processes import shell_of
from tests.functional.shell import executable
from tests.functional.shell import fresh
from tests.functional.shell import PATIENCE
from tests.functional.shell import Result
from tests.functional.shell import Shell

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')

FEW = MANY[:3]
DELETE = ('compute', 'image', 'delete', FEW[0]['id'])

IDS = ('-f', 'value', '-c', 'ID')

#: 128 and the number of the signal.
BROKEN_PIPE = 141
INTERRUPTED = 130


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


# --- pipes, and streams that are closed or full ----------------------------


@pytest.mark.parametrize(
    ('program', 'words', 'lines'),
    [
        ('openstack', (*LIST, '-f', 'csv'), 1),
        ('compute-image', LIST, 1),
        # The whole output is still in a buffer when the command is done.
        ('compute-image', (*SHOW, FEW[0]['id']), 0),
    ],
)
def test_pipe_that_is_closed(program, words, lines):
    with (
        canned_cloud.canned_cloud(canned_cloud.Nova(MANY)) as server,
        running(shell_of(server, program), *words) as process,
    ):
        for _ in range(lines):
            assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b''
        assert process.wait(PATIENCE) == BROKEN_PIPE


CANNOT = 'Cannot write the output: {}\n'
LISTED = ''.join(f'{image["id"]}\n' for image in FEW)


@pytest.mark.parametrize(
    ('redirection', 'words', 'expected'),
    [
        ('>&-', LIST, (1, '', CANNOT.format('stdout is closed'))),
        (
            '1</dev/null',
            (*LIST, '-f', 'csv'),
            (1, '', CANNOT.format('Bad file descriptor')),
        ),
        *(
            (
                '>/dev/full',
                words,
                (1, '', CANNOT.format('No space left on device')),
            )
            for words in ((*LIST, '-f', 'csv'), (*SHOW, FEW[0]['id']))
        ),
        # Streams that are not needed.
        ('>&-', DELETE, (0, '', '')),
        ('2>&- <&-', (*LIST, *IDS), (0, LISTED, '')),
        ('2>/dev/full', (*LIST, *IDS), (0, LISTED, '')),
        ('2>&-', (*SHOW, 'none'), (1, '', '')),
    ],
)
def test_streams_that_are_closed_or_full(canned, redirection, words, expected):
    command = ['/bin/sh', '-c', f'exec "$0" "$@" {redirection}']
    shell = shell_of(canned)
    result = fresh([*command, *shell.command(*words)], shell.environment)
    assert (result.code, result.out, result.err) == expected
    deleted = f'DELETE /v2.1/images/{FEW[0]["id"]}' in canned.paths()
    assert deleted == (words == DELETE)


# --- signals --------------------------------------------------------------


def test_interrupted_list_keeps_printed_rows():
    held = Held(after=1)
    with (
        held.cloud() as server,
        running(shell_of(server, 'openstack'), *LIST, *IDS) as process,
    ):
        assert held.reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        result = end(process)
    assert (result.code, result.err) == (INTERRUPTED, '')
    assert result.out.count('\n') == 1000


def test_interrupt_does_not_wait_for_regions():
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


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_ended_deletion_says_what_was_done(number):
    held = Held(1, MANY[:4], 'DELETE')
    words = ('compute', 'image', 'delete', '--all', '--auto-approve')
    with (
        held.cloud() as server,
        running(shell_of(server), *words, '-f', 'json') as process,
    ):
        assert held.reached.wait(PATIENCE)
        process.send_signal(number)
        result = end(process)
    assert result.code == 128 + number
    [done] = result.json()
    assert (done['ID'], done['Result']) == (MANY[0]['id'], 'done')
    *_before, unknown, stopped, totals = result.err.splitlines()
    assert f'{MANY[1]["id"]} may have been changed' in unknown
    assert stopped.startswith('Stopped after 1 of 4 images')
    assert totals.startswith('1 image deleted')


# --- encodings, and a shell of OpenStackClient -----------------------------


def test_unencodable_character():
    name = 'Größe-café-映像'
    images = [canned_cloud.image(0), canned_cloud.image(1, name=name)]
    with canned_cloud.canned_cloud(canned_cloud.Nova(images)) as server:
        # The locale C, without Python's coercion to UTF-8.
        utf8 = {'PYTHONCOERCECLOCALE': '0', 'PYTHONUTF8': '0'}
        shell = shell_of(server, LC_ALL='C', PYTHONIOENCODING='', **utf8)
        value, table, whole = (
            shell.process(*LIST, '-c', 'Name', '-f', form)
            for form in ('value', 'table', 'json')
        )
    assert (value.code, value.out) == (1, 'cirros-0.6.2-000000\n')
    assert value.err == (
        "Cannot write '\\xf6' in the encoding ascii: set "
        'PYTHONIOENCODING=utf-8\n'
    )
    # Tables are for people; for a program an escape would change the name.
    assert '| Gr\\xf6\\xdfe-caf\\xe9-\\u6620\\u50cf |' in table.out
    assert whole.json()[1] == {'Name': name}


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
