# SPDX-License-Identifier: Apache-2.0

"""The project's own tools: tox, its environments, workflows, licences."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[3]

#: In place of tox: says what it is asked to run, and fails for "types".
FAKE_TOX = """\
#!/bin/sh
case $1 in
    list) printf 'lint\\ntypes\\nunit\\n' ;;
    *) echo "tox $*"; [ "$4" != types ] ;;
esac
"""


def ran(*words, **variables):
    """Run a program; what it prints includes its errors."""
    return subprocess.run(
        words,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_run_test_goes_on_after_failure_and_ends_with_table(tmp_path):
    shutil.copy(ROOT / 'run', tmp_path)
    tox = tmp_path / '.venv' / 'bin' / 'tox'
    tox.parent.mkdir(parents=True)
    tox.write_text(FAKE_TOX)
    tox.chmod(0o755)
    done = ran(tmp_path / 'run', 'test', PYTHON=sys.executable)
    assert done.returncode == 1
    shown, _, result = done.stdout.partition('=== result\n')
    assert re.findall(r'run -q -e (\w+)', shown) == ['lint', 'types', 'unit']
    lines = re.sub(r' \d+ s ', '', result).splitlines()
    assert [' '.join(line.split()) for line in lines] == [
        *('lint passed', 'types FAILED ./run tox run -e types'),
        'unit passed',
    ]


def test_commands_in_workflows_exist():
    test = yaml.safe_load((ROOT / '.github/workflows/test.yml').read_text())
    matrix = test['jobs']['unit']['strategy']['matrix']
    named = {*matrix['env'], *(each['env'] for each in matrix['include'])}
    tox = (ROOT / 'tox.ini').read_text()
    known = {*re.findall(r'^\[testenv:{?([a-z]+)', tox, re.MULTILINE)}
    assert {re.match('[a-z]+', env)[0] for env in named} <= known
    steps = test['jobs']['all']['steps']
    assert '.ci/run' in [step.get('run') for step in steps]


def test_files_have_spdx_tag():
    listed = ran('git', '-C', ROOT, 'ls-files', '*.py', '*.go', '*.yml')
    if listed.returncode:
        pytest.skip('not in a clone')
    for name in listed.stdout.splitlines():
        path = ROOT / name
        text = path.read_text() if path.exists() else ''
        first = re.sub('^#!.*\n', '', text).partition('\n')[0]
        is_tagged = first.endswith('SPDX-License-Identifier: Apache-2.0')
        assert is_tagged or not text or name.startswith('.pre-commit'), name
