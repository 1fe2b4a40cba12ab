# SPDX-License-Identifier: Apache-2.0

"""Options of other commands are refused with a hint."""

import pytest

from osc_compute_images.commands.list import ListComputeImage
from osc_compute_images.commands.set import SetComputeImage
from osc_compute_images.commands.unset import UnsetComputeImage


@pytest.mark.parametrize(
    ('command', 'words', 'hint'),
    [
        (SetComputeImage, 'x --name new', 'openstack image set --name'),
        (SetComputeImage, 'x --min-disk=1', 'openstack image set --min-disk'),
        (UnsetComputeImage, '--tag a x', 'openstack image unset --tag'),
        (ListComputeImage, '--sort name:asc', 'use --sort-column'),
        (ListComputeImage, '--all', 'see also --all-regions'),
        (ListComputeImage, '--all-projects', 'see also --all-regions'),
        (ListComputeImage, '--tag a', 'openstack image list --tag'),
    ],
)
def test_option_of_another_command_is_refused(command, words, hint, capsys):
    parser = command(None, None).get_parser('x')
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(words.split())
    assert caught.value.code == 2
    usage, error = capsys.readouterr().err.splitlines()
    assert usage.startswith('usage: x [options]')
    assert hint in error
