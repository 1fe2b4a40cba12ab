# SPDX-License-Identifier: Apache-2.0

"""Forked commands, compared with commands of fresh interpreters."""

from concurrent.futures import ThreadPoolExecutor
import subprocess
import threading

import pytest

from testbed import canned_cloud
from tests.functional.conftest import FORKS
from tests.functional.conftest import Shell

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
            # Else it would be compared with itself.
            assert FORKS.suits(shell.environment)
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


def test_other_folder_needs_fresh_interpreter(canned, tmp_path):
    shell = Shell(canned_cloud.environment(canned))
    # openstacksdk reads the current folder when it is imported.
    (tmp_path / 'clouds.yaml').write_text('{]')
    assert str(tmp_path) in shell.run(*IMAGE, 'list', cwd=tmp_path).err


def test_variables_read_by_imports_need_fresh_interpreter(
    canned, tmp_path, monkeypatch
):
    environment = Shell(canned_cloud.environment(canned)).environment
    assert FORKS.suits(environment)
    assert FORKS.suits(environment | {'OS_CLOUD': 'x', 'COLUMNS': '30'})
    for name in ('HOME', 'XDG_CONFIG_HOME', 'LC_ALL', 'PYTHONIOENCODING'):
        assert not FORKS.suits(environment | {name: 'x'})
    monkeypatch.chdir(tmp_path)
    assert not FORKS.suits(environment)


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
