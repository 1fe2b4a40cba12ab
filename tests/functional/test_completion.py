# SPDX-License-Identifier: Apache-2.0

"""What bash completes, with what ``complete`` prints."""

import subprocess

import pytest

from tests.functional.shell import executable

#: Prints what the Tab key would offer after some words. Without the package
#: bash-completion, a function is as it is for words without colons.
_TAB = """
. /usr/share/bash-completion/bash_completion 2> /dev/null ||
_get_comp_words_by_ref() {
    cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    words=("${COMP_WORDS[@]}")
}
. /dev/stdin
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$* COMP_POINT=${#COMP_LINE}
"_${1//-/_}" "$1"
echo "${COMPREPLY[@]}"
"""


@pytest.fixture(scope='module')
def scripts():
    """Return what each program prints."""
    return {
        program: subprocess.run(
            [executable(program), 'complete'],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for program in ('compute-image', 'openstack')
    }


@pytest.mark.parametrize(
    ('line', 'offered'),
    [
        ('compute-image li', 'list'),
        ('compute-image s', 'set show summary'),
        ('compute-image list --sort-c', '--sort-column'),
        ('compute-image delete web --dry', '--dry-run'),
        ('compute-image --os-cloud mycloud sh', 'show'),
        ('openstack compute image pr', 'prune'),
        ('openstack compute image list --newe', '--newest'),
    ],
)
def test_bash(scripts, line, offered):
    program, *words = line.split()
    done = subprocess.run(
        ['bash', '-c', _TAB, 'bash', program, *words],
        input=scripts[program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (f'{offered}\n', '')
