# SPDX-License-Identifier: Apache-2.0

"""The examples of the documentation.

A literal block that begins with ``$ `` is a session in a shell: a shell runs
each command on the real cloud, and the output must equal the text below the
command. A block with five fields and a command is a line of a crontab. A block
that imports ``openstack`` is Python. Pictures of a terminal are sessions, too.
A block that begins with a command has no output: it runs on a canned cloud.
What no cloud of the tests prints is a ``code-block`` instead.
"""

from collections.abc import Iterator
import datetime
import html
import json
import os
from pathlib import Path
import re
import sys
import textwrap
from typing import Any

import pytest

from testbed import canned_cloud
from testbed.records import image_id
from testbed.records import snapshot
from tests.functional.shell import fresh
from tests.functional.shell import Result
from tests.functional.shell import search_path
from tests.functional.shell import Shell

_ROOT = Path(__file__).parents[2]
_DOCUMENTS = (_ROOT / 'README.rst', *(_ROOT / 'doc' / 'source').rglob('*.rst'))
_CRONTAB = re.compile(r'([\d*/,-]+ +){5}(?P<command>.* openstack .*)')

_COMMAND = 'openstack compute image'

#: The canned cloud has no servers.
_EXAMPLE = f'{_COMMAND} (?!create|check)'

_PROGRAM = r'(?s).*\bimport openstack\b'

#: The command ``jq``, as far as the examples need it.
_JQ = f"""#!{sys.executable}
import sys
import jq
option, program = sys.argv[1:]
assert option == '-r'
for value in jq.compile(program).input_text(sys.stdin.read()).all():
    print(value)
"""


def blocks(path: Path) -> Iterator[str]:
    """Yield the literal blocks of a document."""
    for block in re.findall(r'::\n((?:    .*\n|\n)*)', path.read_text()):
        yield textwrap.dedent(block).strip('\n')


def steps(session: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a session, with its output."""
    for step in re.split(r'^\$ ', session, flags=re.MULTILINE)[1:]:
        # Lines that end with a backslash continue.
        parts = re.fullmatch(r'((?:.*\\\n)*.*)\n?((?s:.*))', step)
        assert parts is not None
        yield parts[1], parts[2].strip('\n')


def _examples(pattern: str) -> list[object]:
    found = [
        pytest.param(
            block, id=f'{path.relative_to(_ROOT).with_suffix("")}-{number}'
        )
        for path in _DOCUMENTS
        for number, block in enumerate(blocks(path), start=1)
        if re.match(pattern, block)
    ]
    assert found, pattern
    return found


def in_shell(shell: Shell, line: str, cwd: Path | None = None) -> Result:
    """Run a command line; both outputs are one."""
    # It starts faster.
    line = line.replace(_COMMAND, 'compute-image')
    words = ['sh', '-c', f'exec 2>&1\n{line}']
    return fresh(words, shell.environment, cwd=cwd)


@pytest.fixture
def run(cloud, tmp_path):
    """Return a function that runs a command line, and its output."""
    jq = tmp_path / 'bin' / 'jq'
    jq.parent.mkdir()
    jq.write_text(_JQ)
    jq.chmod(0o755)
    path = os.pathsep.join([str(jq.parent), search_path()])

    def run(line: str, **more: str) -> str:
        shell = cloud.shell('demo', PATH=path, **more)
        return in_shell(shell, line, tmp_path).out.strip('\n')

    return run


@pytest.fixture
def backups(cloud):
    """Provide the images that examples may change, in both regions."""
    try:
        cloud.do('backups')
        yield
    finally:
        cloud.do('backups', '--remove')


@pytest.mark.parametrize('session', _examples(r'\$ '))
def test_session(run, session, request):
    if 'backup' in session:
        request.getfixturevalue('backups')
    for command, output in steps(session):
        assert run(command) == output, command


def of_picture(name: str) -> list[tuple[str, str]]:
    """Return the commands of a picture of a terminal, with their output."""
    picture = _ROOT / 'doc' / 'source' / '_static' / f'{name}.svg'
    lines: dict[str, str] = {}
    for line, text in re.findall(
        r'<text[^>]*-line-(\d+)\)">(.*?)</text>',
        picture.read_text(),
        re.DOTALL,
    ):
        shown = html.unescape(text).replace('\xa0', ' ').strip('\n')
        lines[line] = lines.get(line, '') + shown
    session = '\n'.join(line.rstrip() for line in lines.values())
    return list(steps(session))


@pytest.mark.parametrize('name', ['list', 'regions'])
def test_picture(run, name):
    shown = of_picture(name)
    assert shown
    for command, output in shown:
        assert run(command) == output, command


def test_picture_of_a_plan(run):
    [(command, output)] = of_picture('plan')
    row = re.compile(r'^\| (keep|delete) +\| \S+ +\| (\S+)', re.MULTILINE)
    shown = row.findall(output)
    # Some IDs are made by the cloud.
    planned = run(f'{command} --dry-run -q -f value -c Action -c Name')
    assert planned.splitlines() == [' '.join(row) for row in shown]
    count = [action for action, _name in shown].count('delete')
    assert output.endswith(f'Delete {count} images? [y/N]')


@pytest.mark.parametrize('line', _examples(_CRONTAB.pattern))
def test_crontab(run, demo, backups, line, tmp_path):
    before = demo.images()
    command = _CRONTAB.fullmatch(line)['command'].replace(r'\%', '%')
    # The file of the lock is in the home directory.
    said = run(f'{command}; echo "exit code $?"', HOME=str(tmp_path))
    assert said == 'exit code 0'
    old = ('backup-1', 'backup-2')
    kept = [image for image in before if image['Name'] not in old]
    assert len(kept) == len(before) - 2
    assert demo.images() == kept


@pytest.mark.parametrize('program', _examples(_PROGRAM))
def test_python_program(cloud, images, tmp_path, monkeypatch, capsys, program):
    clouds = cloud.clouds()
    clouds['mycloud'] = clouds['demo']
    file = tmp_path / 'clouds.yaml'
    file.write_text(json.dumps({'clouds': clouds}))
    expected = 'web-1-snapshot'
    if 'json.loads' in program:
        # The program finds images that Compute cannot list.
        spoilt = images('spoilt', mappings='{')
        # In openstacksdk, an image without properties has None.
        images('bare')
        expected = f'{spoilt} mappings'
    monkeypatch.setenv('OS_CLIENT_CONFIG_FILE', str(file))
    exec(program, {'__name__': '__main__'})
    assert expected in capsys.readouterr().out


def _snapshots() -> list[dict[str, Any]]:
    """Return images, some of which each command selects."""
    first = datetime.datetime(2026, 6, 28, 3)
    return [
        snapshot(
            number,
            image_id(0),
            name=f'ubuntu-{number}',
            created=f'{first - datetime.timedelta(days=number):%FT%TZ}',
        )
        for number in range(25)
    ]


@pytest.mark.parametrize('command', _examples(_EXAMPLE))
def test_command_without_output(command):
    nova = canned_cloud.Nova(_snapshots())
    with canned_cloud.canned_cloud(nova) as server:
        variables = canned_cloud.environment(server) | {'PATH': search_path()}
        ran = in_shell(Shell(variables), command)
    assert ran.code == 0, ran
    assert ran.out
    assert (nova.images != _snapshots()) == ('--auto-approve' in command)
