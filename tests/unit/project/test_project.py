# SPDX-License-Identifier: Apache-2.0

"""The project's own tools: tox, its environments, workflows, licences."""

import configparser
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[3]


def tox_sections():
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / 'tox.ini')
    return {
        name: section
        for name, section in tox.items()
        if 'pytest' in section.get('commands', '')
    }


@pytest.mark.parametrize('name', tox_sections())
def test_positional_arguments_replace_those_of_pytest(name):
    # The arguments replace all of pytest's, including the coverage threshold.
    command = tox_sections()[name]['commands'].strip()
    assert command.startswith('pytest {posargs:')
    assert command.endswith('}')
    assert command.count('{') == 1


def test_ci_runs_command_of_readme():
    script = (ROOT / '.ci' / 'run').read_text().splitlines()
    assert script[-1] == 'exec ./run test'
    assert '\n    ./run test\n' in (ROOT / 'README.rst').read_text()


#: In place of tox: says what it is asked to run, and fails for "types".
FAKE_TOX = """\
#!/bin/sh
case $1 in
    list) printf 'lint\\ntypes\\nunit\\n' ;;
    *) echo "tox $*"; [ "$4" != types ] ;;
esac
"""


@pytest.fixture
def run(tmp_path):
    """Return a function that runs ``./run`` with another tox."""
    shutil.copy(ROOT / 'run', tmp_path)
    tox = tmp_path / '.venv' / 'bin' / 'tox'
    tox.parent.mkdir(parents=True)
    tox.write_text(FAKE_TOX)
    tox.chmod(0o755)

    def run(*words):
        return subprocess.run(
            [tmp_path / 'run', *words],
            env={**os.environ, 'PYTHON': sys.executable},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_run_test_goes_on_after_failure_and_ends_with_table(run):
    done = run('test')
    assert done.returncode == 1
    shown, _, result = done.stdout.partition('=== result\n')
    assert re.findall(r'tox .*|=== .*', shown) == [
        *('=== lint', 'tox run -q -e lint'),
        *('=== types', 'tox run -q -e types'),
        *('=== unit', 'tox run -q -e unit'),
    ]
    result = re.sub(r' \d+ s ', '', result)
    assert [line.split() for line in result.splitlines()] == [
        ['lint', 'passed'],
        ['types', 'FAILED', './run', 'tox', 'run', '-e', 'types'],
        ['unit', 'passed'],
    ]


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        ('tests/unit/test_x.py -x', 'unit -- tests/unit/test_x.py -x'),
        (
            'tests/unit tests/functional',
            'functional -- tests/unit tests/functional',
        ),
        ('-k word', 'functional -- -k word tests'),
    ],
)
def test_run_test_chooses_environment(run, words, expected):
    done = run('test', '--', *words.split())
    assert done.stdout == f'tox run -qe {expected}\n'


@pytest.mark.parametrize('word', ['--help', '-h', 'help'])
def test_help_of_run_succeeds(run, word):
    done = run(word)
    assert done.returncode == 0
    assert done.stdout.startswith('usage: ./run <command>')
    assert run('no-such-command').returncode == 2


@pytest.mark.parametrize('tool', ['demo.py', 'devcloud'])
def test_help_of_tool_does_nothing_else(tool, tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / 'tools' / tool, '--help'],
        env={**os.environ, 'DEVCLOUD_STATE': str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith('usage: ./run ')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('command', 'printed'),
    [
        (['status'], 'down\n'),
        (['env'], './run cloud: The cloud is down: bring it up first\n'),
    ],
)
def test_commands_fail_while_cloud_is_down(command, printed, tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / 'tools' / 'devcloud', *command],
        env={**os.environ, 'DEVCLOUD_STATE': str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, printed)


WORKFLOWS = sorted((ROOT / '.github' / 'workflows').glob('*.yml'))


@pytest.mark.parametrize('path', WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_permissions_are_minimal_and_actions_pinned(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow['permissions'] == {}
    for name, job in workflow['jobs'].items():
        writes = {k for k, v in job['permissions'].items() if v == 'write'}
        assert writes == {
            'attest': {'attestations', 'id-token'},
            'publish': {'id-token'},
            'release': {'contents'},
        }.get(name, set())
        assert 'timeout-minutes' in job
        for step in job['steps']:
            if 'uses' in step:
                assert re.fullmatch(r'[\w/-]+@[0-9a-f]{40}', step['uses'])


def test_commands_in_workflows_exist():
    test = yaml.safe_load((ROOT / '.github/workflows/test.yml').read_text())
    matrix = test['jobs']['unit']['strategy']['matrix']
    named = {*matrix['env'], *(each['env'] for each in matrix['include'])}
    done = [
        section.removeprefix('testenv:').partition('{')[0]
        for section in tox_sections()
    ]
    assert {re.match('[a-z]+', env)[0] for env in named} <= set(done)
    steps = test['jobs']['all']['steps']
    assert '.ci/run' in [step.get('run') for step in steps]


#: With the package, all that a wheel is built from.
BUILT_FROM = (
    'setup.cfg',
    'setup.py',
    'pyproject.toml',
    'README.rst',
    'LICENSE',
)


def test_wheel_is_reproducible(tmp_path):
    built = []
    for number in (1, 2):
        source = tmp_path / str(number)
        # The builds differ in path, times of files and hash seed.
        shutil.copytree(
            ROOT / 'osc_compute_images',
            source / 'osc_compute_images',
            copy_function=shutil.copyfile,
            ignore=shutil.ignore_patterns('__pycache__'),
        )
        for name in BUILT_FROM:
            shutil.copyfile(ROOT / name, source / name)
            os.utime(source / name, (10**9 * number, 10**9 * number))
        build = 'from setuptools import build_meta as b; b.build_wheel("dist")'
        subprocess.run(
            [sys.executable, '-c', build],
            cwd=source,
            env={
                **os.environ,
                'PYTHONHASHSEED': str(number),
                'SOURCE_DATE_EPOCH': '1700000000',
            },
            capture_output=True,
            check=True,
        )
        [wheel] = (source / 'dist').glob('*.whl')
        built.append((wheel.name, wheel.read_bytes()))
    assert built[0] == built[1]


def test_files_have_spdx_tag():
    listed = subprocess.run(
        ['git', '-C', ROOT, 'ls-files', '*.py', '*.go', '*.yml'],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip('not in a clone')
    tag = 'SPDX-License-Identifier: Apache-2.0'
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if not path.exists() or name.startswith('.pre-commit'):
            continue
        text = path.read_text()
        if not text:
            continue
        first, _, rest = text.partition('\n')
        if first.startswith('#!'):
            first, _, rest = rest.partition('\n')
        assert first.endswith(tag), name
        assert 'Licensed' + ' under' not in rest, name
