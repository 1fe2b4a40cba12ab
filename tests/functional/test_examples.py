# SPDX-License-Identifier: Apache-2.0

"""The examples of the documentation.

A literal block that begins with ``$ `` is a session in a shell: a shell runs
each command on the real cloud, and the output must equal the text below the
command. A block with five fields and a command is a line of a crontab. A block
that imports ``openstack`` is Python. Pictures of a terminal are sessions, too.
"""

from collections.abc import Iterator
import contextlib
import datetime
import html
import json
import os
from pathlib import Path
import re
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from tests.functional.conftest import Glance
from tests.functional.conftest import openstack_executable

_ROOT = Path(__file__).parents[2]
_DOCUMENTS = (_ROOT / 'README.rst', *(_ROOT / 'doc' / 'source').rglob('*.rst'))
_CRONTAB = re.compile(r'([\d*/,-]+ +){5}(?P<command>.*)')

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
    for rest in re.split(r'::\n', path.read_text())[1:]:
        lines = []
        for line in rest.splitlines():
            if line and not line.startswith('    '):
                break
            lines.append(line)
        yield textwrap.dedent('\n'.join(lines)).strip('\n')


def steps(session: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a session, with its output."""
    lines = iter(session.splitlines())
    command = ''
    output: list[str] = []
    for line in lines:
        if not line.startswith('$ '):
            output.append(line)
            continue
        if command:
            yield command, '\n'.join(output).strip('\n')
        command, output = line.removeprefix('$ '), []
        while command.endswith('\\'):
            command += '\n' + next(lines)
    yield command, '\n'.join(output).strip('\n')


def _examples(pattern: str) -> list[object]:
    return [
        pytest.param(
            block, id=f'{path.relative_to(_ROOT).with_suffix("")}-{number}'
        )
        for path in _DOCUMENTS
        for number, block in enumerate(blocks(path), start=1)
        if re.match(pattern, block)
    ]


@pytest.fixture
def run(demo, tmp_path):
    """Return a function that runs a command in a shell."""
    (tmp_path / 'bin').mkdir()
    jq = tmp_path / 'bin' / 'jq'
    jq.write_text(_JQ)
    jq.chmod(0o755)
    (tmp_path / 'home').mkdir()
    path = (
        str(tmp_path / 'bin'),
        str(Path(openstack_executable()).parent),
        os.environ['PATH'],
    )
    environment = demo.environment | {'PATH': os.pathsep.join(path)}

    def run(*words: str) -> str:
        run.code = None
        done = subprocess.run(
            words,
            env=environment,
            cwd=tmp_path / 'home',
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        run.code = done.returncode
        return done.stdout.strip('\n')

    return run


#: Images that examples may change, with their age in days.
_BACKUPS = {
    'backup-1': 40,
    'backup-2': 35,
    'backup-3': 2,
    'backup of web-1': 50,
}


@pytest.fixture
def backups(cloud):
    """Provide the images, in both regions."""
    made = []
    now = datetime.datetime.now(datetime.UTC)
    try:
        for region, facts in cloud.facts['regions'].items():
            glance = Glance(cloud, 'demo', region)
            for name, days in _BACKUPS.items():
                image_id = glance.create(
                    name=name, image_type='snapshot', visibility='private'
                )
                made.append((glance, image_id))
                created = now - datetime.timedelta(days=days)
                # No API sets this time.
                with sqlite3.connect(facts['glance_db'], timeout=60) as db:
                    db.execute(
                        'UPDATE images SET created_at = ? WHERE id = ?',
                        (
                            created.strftime('%Y-%m-%d %H:%M:%S.000000'),
                            image_id,
                        ),
                    )
                db.close()
        yield made
    finally:
        for glance, image_id in made:
            glance.delete(image_id)


#: The exit code of each command, in the program that ran it first.
_CODES: dict[str, int] = {}


@pytest.mark.parametrize(
    'program', ['openstack compute image', 'compute-image']
)
@pytest.mark.parametrize('session', _examples(r'\$ '))
def test_session(run, session, program, request):
    if 'backup' in session:
        request.getfixturevalue('backups')
    for command, output in steps(session):
        typed = command.replace('openstack compute image', program)
        assert run('sh', '-c', typed) == output, command
        assert _CODES.setdefault(command, run.code) == run.code, command


def session_of(picture: Path) -> str:
    """Return the text of a picture of a terminal."""
    lines: dict[str, str] = {}
    for line, text in re.findall(
        r'<text[^>]*-line-(\d+)\)">(.*?)</text>',
        picture.read_text(),
        re.DOTALL,
    ):
        shown = html.unescape(text).replace('\xa0', ' ').strip('\n')
        lines[line] = lines.get(line, '') + shown
    return '\n'.join(line.rstrip() for line in lines.values())


@pytest.mark.parametrize('name', ['list', 'regions'])
def test_picture(run, name):
    picture = _ROOT / 'doc' / 'source' / '_static' / f'{name}.svg'
    shown = list(steps(session_of(picture)))
    assert shown
    for command, output in shown:
        assert run('sh', '-c', command) == output, command


@pytest.mark.parametrize('line', _examples(_CRONTAB.pattern))
def test_crontab(run, demo, backups, line):
    before = demo.images()
    command = _CRONTAB.fullmatch(line)['command']
    assert run('sh', '-c', command.replace(r'\%', '%')) == ''
    assert run.code == 0
    old = ('backup-1', 'backup-2')
    kept = [image for image in before if image['Name'] not in old]
    assert len(kept) == len(before) - 2
    assert demo.images() == kept


@pytest.mark.parametrize('program', _examples(_PROGRAM))
def test_python_program(run, cloud, glance, tmp_path, program):
    clouds = json.loads(Path(cloud.facts['clouds_yaml']).read_text())
    clouds['clouds']['mycloud'] = clouds['clouds']['demo']
    (tmp_path / 'home' / 'clouds.yaml').write_text(json.dumps(clouds))
    file = tmp_path / 'home' / 'program.py'
    file.write_text(program)
    expected = 'web-1-snapshot'
    with contextlib.ExitStack() as stack:
        if 'json.loads' in program:
            # The program finds images that Compute cannot list.
            spoilt = glance.create(name='spoilt', mappings='{')
            stack.callback(glance.delete, spoilt)
            # In openstacksdk, an image without properties has None.
            stack.callback(glance.delete, glance.create(name='bare'))
            expected = f'{spoilt} mappings'
        said = run(
            *('env', '-u', 'OS_CLIENT_CONFIG_FILE'), sys.executable, str(file)
        )
    assert run.code == 0, said
    assert expected in said


def test_examples_of_each_kind_exist():
    assert len(_examples(r'\$ ')) > 20
    assert _examples(_CRONTAB.pattern)
    assert len(_examples(_PROGRAM)) > 2
