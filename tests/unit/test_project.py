# SPDX-License-Identifier: Apache-2.0

"""The project's own tools: tox, its environments and ``./run``."""

import configparser
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]


def tox_sections():
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / 'tox.ini')
    return {
        name: section
        for name, section in tox.items()
        if 'pytest' in section.get('commands', '')
    }


@pytest.mark.parametrize('name', tox_sections())
def test_only_the_tests_that_are_asked_for_run(name):
    # One pytest, all of whose words give way to those of the user: neither
    # other tests nor a threshold of coverage are left.
    command = tox_sections()[name]['commands'].strip()
    assert command.startswith('pytest {posargs:')
    assert command.endswith('}')
    assert command.count('{') == 1


def test_ci_runs_the_command_of_the_readme():
    script = (ROOT / '.ci' / 'run').read_text().splitlines()
    assert script[-1] == 'exec ./run test'
    assert '\n    ./run test\n' in (ROOT / 'README.rst').read_text()
