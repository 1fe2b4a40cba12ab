# SPDX-License-Identifier: Apache-2.0

"""Forked commands, compared with commands of fresh interpreters."""

import os
import subprocess
import sys

import pytest

from testbed import canned_cloud
from testbed.fork_server import ForkServer
from tests.functional.shell import Shell

LIST = ('compute', 'image', 'list')


@pytest.mark.parametrize(
    'words',
    [
        (*LIST, '--all-regions', '-f', 'jsonl'),
        ('compute', 'image', 'delete', 'none', canned_cloud.image(2)['name']),
        ('no-such-command',),
    ],
    ids=' '.join,
)
def test_fork_equals_fresh_interpreter(words):
    answers = []
    # A variable that imports could depend on.
    for more in ({}, {'FRESH': 'yes'}):
        nova = canned_cloud.Nova([canned_cloud.image(n) for n in range(3)])
        with canned_cloud.canned_cloud(nova) as server:
            environment = canned_cloud.environment(server) | more
            # It starts faster.
            shell = Shell(environment, program='compute-image')
            answers.append((shell.run(*words), server.paths()))
    assert answers[0] == answers[1]


@pytest.fixture
def run(tmp_path):
    """Return a function that runs Python code; it does not return before."""
    program = tmp_path / 'program'
    program.write_text(
        f'#!{sys.executable}\nimport os, signal, sys, time\nexec(sys.argv[1])'
    )
    program.chmod(0o755)
    environment = dict(os.environ)
    with ForkServer(str(program), ['pass'], environment) as server:

        def run(code, more={}, **how):  # noqa: B006
            return server.run(code, environment=environment | more, **how)

        yield run


def test_what_imports_read_needs_fresh_interpreter(run, tmp_path):
    def session(**how):
        done = run('print(dict(os.environ), os.getcwd(), os.getsid(0))', **how)
        for value in how.values():
            found = f'{value}'.strip('{}').encode()
            assert found in done.stdout
        return int(done.stdout.split()[-1])

    for name in ('OS_CLOUD', 'COLUMNS'):
        assert session(more={name: 'x'}) != os.getsid(0)
    for how in ({'more': {'HOME': 'x'}}, {'cwd': tmp_path}):
        assert session(**how) == os.getsid(0)


@pytest.mark.parametrize(
    ('code', 'ended'),
    [
        ('print(sys.stdin.read()); sys.exit()', (0, b'\n', b'')),
        ('sys.exit("no")', (1, b'', b'no\n')),
        ('print("out"); sys.exit(7)', (7, b'out\n', b'')),
        ('os.kill(os.getpid(), 15)', (-15, b'', b'')),
    ],
)
def test_end_of_run(run, code, ended):
    done = run(code)
    assert (done.returncode, done.stdout, done.stderr) == ended


def test_run_is_killed_after_timeout(run):
    with pytest.raises(subprocess.TimeoutExpired):
        run('signal.alarm(0); time.sleep(600)', timeout=0.5)
    assert run('print(1)').stdout == b'1\n'
