# SPDX-License-Identifier: Apache-2.0

"""Commands as processes: pipes, full disks, signals, faults, encodings.

The clouds are canned, and respond when a test tells them to.
"""

from collections.abc import Iterator
import contextlib
import signal
import ssl
import subprocess

import pytest

from testbed import canned_cloud
from testbed import sending
from testbed.canned_cloud import in_turn
from testbed.canned_cloud import Response
from testbed.faults import self_signed
from tests.functional.processes import Held
from tests.functional.processes import MANY
from tests.functional.processes import shell_of
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
FULL = CANNOT.format('No space left on device')
CSV = (*LIST, '-f', 'csv')
LISTED = ''.join(f'{image["id"]}\n' for image in FEW)


@pytest.mark.parametrize(
    ('redirection', 'words', 'expected'),
    [
        ('>&-', LIST, (1, '', CANNOT.format('stdout is closed'))),
        ('1</dev/null', CSV, (1, '', CANNOT.format('Bad file descriptor'))),
        ('>/dev/full', CSV, (1, '', FULL)),
        ('>/dev/full', (*SHOW, FEW[0]['id']), (1, '', FULL)),
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


def test_interrupt_does_not_wait_for_regions():
    held = Held(after=0)
    with (
        held.cloud() as hanging,
        canned_cloud.Server(canned_cloud.Nova(FEW)) as answering,
    ):
        urls = {'a': f'{answering.url}/v2.1', 'b': f'{hanging.url}/v2.1'}
        words = (*LIST, '--all-regions', *IDS)
        with (
            canned_cloud.Server(canned_cloud.keystone(urls)) as keystone,
            running(shell_of(keystone, 'openstack'), *words) as process,
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


# --- broken connections ----------------------------------------------------


@pytest.mark.parametrize(
    'send',
    [
        sending.reset,
        sending.cut_off,
        sending.truncated,
        sending.hang_up,
        sending.garbage,
        sending.broken_chunks,
    ],
)
def test_transient_errors_are_retried(send):
    body = Response.of({'images': FEW}).body
    nova = canned_cloud.Nova(FEW)
    broken = in_turn(Response(body, send=send))
    with canned_cloud.canned_cloud(nova, '/v2.1', broken) as server:
        result = Shell(canned_cloud.environment(server)).run(*LIST, *IDS)
        assert (result.code, result.out) == (0, LISTED)
        assert server.paths().count('GET /v2.1/images/detail') == 2
    [warning] = result.err.splitlines()
    assert 'Retrying in' in warning
    assert warning.isprintable()


def test_untrusted_certificate(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    with canned_cloud.Server(canned_cloud.Nova(FEW), context) as tls:
        keystone = canned_cloud.keystone({'RegionOne': f'{tls.url}/v2.1'})
        with canned_cloud.Server(keystone) as server:
            shell = Shell(canned_cloud.environment(server))
            assert 'certificate' in shell.fails(*LIST)
            assert tls.requests == []
            assert shell('--insecure', *LIST, *IDS).out == LISTED


# --- encodings -------------------------------------------------------------


def test_unencodable_character():
    name = 'Größe-café-映像'
    images = [canned_cloud.image(0), canned_cloud.image(1, name=name)]
    with canned_cloud.canned_cloud(canned_cloud.Nova(images)) as server:
        # The locale C, without Python's coercion to UTF-8.
        utf8 = {'PYTHONCOERCECLOCALE': '0', 'PYTHONUTF8': '0'}
        shell = shell_of(server, LC_ALL='C', PYTHONIOENCODING='', **utf8)
        value, table = (
            shell.process(*LIST, '-c', 'Name', '-f', form)
            for form in ('value', 'table')
        )
    assert (value.code, value.out) == (1, 'cirros-0.6.2-000000\n')
    assert value.err == (
        "Cannot write '\\xf6' in the encoding ascii: set "
        'PYTHONIOENCODING=utf-8\n'
    )
    # Tables are for people; for a program an escape would change the name.
    assert '| Gr\\xf6\\xdfe-caf\\xe9-\\u6620\\u50cf |' in table.out
