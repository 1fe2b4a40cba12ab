# SPDX-License-Identifier: Apache-2.0

"""Forked commands, compared with commands of fresh interpreters."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
import contextlib
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from testbed import canned_cloud
from testbed.fork_server import ForkServer
from tests.functional.conftest import Shell
from tests.functional.terminal import Terminal

IMAGE = ('compute', 'image')

#: What has not come after these seconds will not come.
PATIENCE = 60


@pytest.mark.parametrize(
    'words',
    [
        (*IMAGE, 'list'),
        (*IMAGE, 'list', '-f', 'csv', '--name-pattern', '*1'),
        (*IMAGE, 'list', '--help'),
        (*IMAGE, 'list', '--unused', '-f', 'yaml'),
        (*IMAGE, 'list', '--all-regions', '-f', 'jsonl'),
        (*IMAGE, 'show', canned_cloud.image(1)['id'], '-f', 'shell'),
        (*IMAGE, 'show', '\udce9'),
        (*IMAGE, 'delete', 'none', canned_cloud.image(2)['name']),
        (*IMAGE, 'summary', '--group-by', 'status', '-f', 'value'),
        (*IMAGE, 'prune', '--keep-last', '1', '--dry-run'),
        ('token', 'issue', '-f', 'value', '-c', 'project_id'),
        ('no', 'such', 'command'),
    ],
    ids=' '.join,
)
def test_fork_equals_fresh_interpreter(words):
    answers = []
    for fresh in (True, False):
        nova = canned_cloud.Nova([canned_cloud.image(n) for n in range(3)])
        with canned_cloud.canned_cloud(nova) as server:
            shell = Shell(canned_cloud.environment(server), fresh=fresh)
            answers.append((shell.run(*words), server.paths()))
    assert answers[0] == answers[1]


def test_run_does_not_affect_the_next(canned, tmp_path):
    shell = Shell(canned_cloud.environment(canned))
    plain = shell(*IMAGE, 'list')
    usage = shell(*IMAGE, 'list', '--help').out
    narrow = {'COLUMNS': '30'}
    assert shell(*IMAGE, 'list', '--help', environment=narrow).out != usage
    assert shell(*IMAGE, 'list', '--help').out == usage
    shell.run('--debug', '--os-region-name', 'x', *IMAGE, 'list')
    assert shell(*IMAGE, 'list') == plain


#: Writes what it finds to a file, and waits for a signal.
_PROGRAM = """#!{python}
import json, os, signal, sys, time
if sys.argv[1:] == ['imports']:
    sys.exit()
def of(stream):
    return stream and (
        stream.encoding, stream.errors, stream.newlines, stream.isatty(),
        stream.line_buffering, stream.write_through, stream.fileno(),
    )
found = {{
    'words': sys.argv[1:],
    'streams': [*map(of, (sys.stdin, sys.stdout, sys.stderr))],
    'folder': os.getcwd(),
    # Shells set these.
    'environment': {{
        k: v for k, v in os.environ.items()
        if k not in ('_', 'PWD', 'OLDPWD', 'SHLVL')
    }},
    'ignored': [n for n in (1, 2, 3, 15) if signal.getsignal(n) == 1],
    'sockets': sum(
        'socket' in os.path.realpath('/dev/fd/' + n)
        for n in os.listdir('/dev/fd')
    ),
}}
with open(os.environ['OS_REPORT'], 'w') as file:
    json.dump([found, os.getpid(), os.getppid()], file)
print('out')
print('err', file=sys.stderr)
if 'wait' in sys.argv:
    print('waits', flush=True)
    time.sleep({patience})
sys.exit(len(sys.argv))
"""


class Program:
    """A program that reports about itself, and its fork server."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / 'program'
        text = _PROGRAM.format(python=sys.executable, patience=PATIENCE * 2)
        self.path.write_text(text)
        self.path.chmod(0o755)
        self._report = folder / 'report'
        self.environment = os.environ | {'OS_REPORT': str(self._report)}
        self.server = ForkServer(
            str(self.path), ('imports',), self.environment
        )

    def report(self) -> tuple[dict[str, Any], int, int]:
        """Return what it found, its process ID, and that of its parent."""
        found, pid, parent = json.loads(self._report.read_text())
        self._report.unlink()
        return found, pid, parent


@pytest.fixture
def program(tmp_path):
    program = Program(tmp_path)
    with program.server:
        yield program


def test_program_is_forked(program):
    parents = set()
    for word in 'ab':
        done = program.server.run(word, environment=program.environment)
        assert (done.returncode, done.stdout) == (2, b'out\n')
        found, _pid, parent = program.report()
        assert found['words'] == [word]
        parents.add(parent)
    assert len(parents) == 1
    assert os.getpid() not in parents


@pytest.mark.parametrize(
    ('name', 'is_forked'),
    [
        *((n, True) for n in ('OS_CLOUD', 'COLUMNS', 'PATH', 'TERM')),
        *((n, False) for n in ('HOME', 'LC_ALL', 'PYTHONIOENCODING', 'X')),
    ],
)
def test_variables_read_by_imports_need_fresh_interpreter(
    program, name, is_forked
):
    value = os.environ['PATH'] if name == 'PATH' else 'ascii'
    environment = program.environment | {name: value}
    program.server.run(environment=environment)
    found, _pid, parent = program.report()
    assert found['environment'][name] == value
    assert (parent != os.getpid()) == is_forked


def test_other_folder_needs_fresh_interpreter(program, tmp_path):
    program.server.run(environment=program.environment, cwd=tmp_path)
    found, _pid, parent = program.report()
    assert (found['folder'], parent) == (str(tmp_path), os.getpid())


@pytest.mark.parametrize(
    'redirection',
    [
        *('', '>&-', '2>&-', '<&-', '>&- 2>&- <&-', '>/dev/full', '2>&1'),
        *('</dev/null', '1</dev/null'),
    ],
)
def test_launcher_stands_for_program(program, redirection):
    done = []
    for path in (program.path, program.server.launcher):
        ran = subprocess.run(
            ['/bin/sh', '-c', f'exec "$0" "$@" {redirection}']
            + [path, 'a b', b'\xe9', ''],
            env=program.environment,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        found, _pid, _parent = program.report()
        # A traceback has further frames.
        error = ran.stderr.splitlines()[-1:]
        done.append((ran.returncode, ran.stdout, error, found))
    assert done[0] == done[1]


def test_launcher_on_a_terminal(program):
    done = []
    for path in (str(program.path), program.server.launcher):
        shell = Shell(program.environment)
        terminal = Terminal(shell, 'a', stdout=True, program=path)
        done.append((terminal.end(), program.report()[0]))
    assert done[0] == done[1]
    assert done[0][1]['streams'][1][3]


@contextlib.contextmanager
def waiting(
    path: str | Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen]:
    """Run the program until it waits."""
    with subprocess.Popen(
        [path, 'wait'],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b'out\n'
        assert process.stdout.readline() == b'waits\n'
        yield process


@contextlib.contextmanager
def handling(number: int, handler: Any) -> Iterator[None]:
    """Handle a signal, as processes that are started meanwhile do."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize('ignored', [False, True], ids=['heeded', 'ignored'])
@pytest.mark.parametrize('number', [1, 2, 15])
def test_launcher_passes_signals_on(program, number, ignored):
    handler = signal.SIG_IGN if ignored else signal.SIG_DFL
    done = []
    for path in (program.path, program.server.launcher):
        with (
            handling(number, handler),
            waiting(path, program.environment) as process,
        ):
            process.send_signal(number)
            if ignored:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.5)
                process.kill()
            process.communicate(timeout=PATIENCE)
            done.append((process.returncode, program.report()[0]))
    assert done[0] == done[1]
    assert done[0][0] == -(signal.SIGKILL if ignored else number)


def test_signal_is_passed_on_by_a_server_that_ignores_it(program):
    """As the tests do when they run in the background of a shell."""
    with handling(signal.SIGINT, signal.SIG_IGN):
        launcher = program.server.launcher
    with (
        handling(signal.SIGINT, signal.SIG_DFL),
        waiting(launcher, program.environment) as process,
    ):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGINT


def test_program_ends_with_its_launcher(program):
    with waiting(program.server.launcher, program.environment) as process:
        _found, pid, _parent = program.report()
        os.kill(pid, 0)
        process.kill()
        # It closes the pipe, and then its parent is told.
        process.communicate(timeout=PATIENCE)
    for _ in range(PATIENCE * 10):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail('The program still runs')


@pytest.fixture
def held(canned):
    """Provide a shell whose commands block, a semaphore, and their end."""
    asked = threading.Semaphore(0)
    end = threading.Event()

    def hold(request: canned_cloud.Request) -> None:
        asked.release()
        end.wait(PATIENCE * 3)

    nova = canned_cloud.Nova([canned_cloud.image(0)])
    with canned_cloud.canned_cloud(nova, '/v2.1', hold) as server:
        yield Shell(canned_cloud.environment(server)), asked, end
        end.set()


def test_commands_run_in_parallel(held):
    shell, asked, end = held
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(shell, *IMAGE, 'list') for _ in range(2)]
        for _ in done:
            assert asked.acquire(timeout=PATIENCE)
        end.set()
        assert done[0].result() == done[1].result()


def test_command_is_killed_after_timeout(held, canned):
    shell, _asked, _end = held
    with pytest.raises(subprocess.TimeoutExpired):
        shell.run(*IMAGE, 'list', timeout=2)
    # The next one starts anew.
    assert Shell(canned_cloud.environment(canned))(*IMAGE, 'list').out
