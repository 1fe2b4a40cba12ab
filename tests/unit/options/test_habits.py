# SPDX-License-Identifier: Apache-2.0

"""Options of other commands are refused with a hint."""

import pytest

from tests.unit.running import COMMANDS


@pytest.mark.parametrize(
    ('command', 'words', 'hint'),
    [
        ('set', 'x --name new', 'openstack image set --name'),
        ('set', 'x --min-disk=1', 'openstack image set --min-disk'),
        ('unset', '--tag a x', 'openstack image unset --tag'),
        ('list', '--sort name:asc', 'use --sort-column'),
        ('list', '--all', 'see also --all-regions'),
        ('list', '--all-projects', 'see also --all-regions'),
        ('list', '--tag a', 'openstack image list --tag'),
    ],
)
def test_option_of_another_command_is_refused(command, words, hint, capsys):
    parser = COMMANDS[command](None, None).get_parser('x')
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(words.split())
    assert caught.value.code == 2
    usage, error = capsys.readouterr().err.splitlines()
    assert usage.startswith('usage: x [options]')
    assert hint in error
