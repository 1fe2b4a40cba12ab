# SPDX-License-Identifier: Apache-2.0

"""Mistakes of users, as Keystone and Nova see them."""

import pytest

from tests.functional.shell import Shell

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')

CHECK = (
    ': check the project, the region and the interface; "openstack catalog '
    'list" shows the available endpoints'
)

#: Variables to set or to remove, words, and the ends of the line.
MISTAKES = {
    'password': ({'OS_PASSWORD': 'wrong'}, (), '', '(HTTP 401)'),
    'project': ({'OS_PROJECT_NAME': 'admin'}, (), '', '(HTTP 401)'),
    'region': (
        {'OS_REGION_NAME': 'Nowhere'},
        (),
        '',
        f"choose from 'RegionOne', 'RegionTwo'{CHECK}",
    ),
    'interface': (
        {'OS_INTERFACE': 'none'},
        (),
        'none endpoint for compute service in ',
        CHECK,
    ),
    'no project': (
        dict.fromkeys(['OS_PROJECT_NAME', 'OS_PROJECT_DOMAIN_NAME']),
        (),
        'The service catalog is empty',
        CHECK,
    ),
    'no project, and all regions': (
        dict.fromkeys(['OS_PROJECT_NAME', 'OS_PROJECT_DOMAIN_NAME']),
        ('--all-regions',),
        'No region in the catalog has a Compute endpoint',
        CHECK,
    ),
}


@pytest.mark.parametrize(
    ('changed', 'words', 'start', 'end'), MISTAKES.values(), ids=MISTAKES
)
def test_mistake_is_one_line(cloud, tmp_path, changed, words, start, end):
    user = cloud.clouds()['demo']
    file = tmp_path / 'clouds.yaml'
    # Another file of the user is not read then.
    file.write_text('{}')
    variables = {
        'OS_CLIENT_CONFIG_FILE': str(file),
        'OS_IDENTITY_API_VERSION': '3',
        'OS_REGION_NAME': user['region_name'],
        **{f'OS_{k.upper()}': v for k, v in user['auth'].items()},
        **changed,
    }
    shell = Shell({k: v for k, v in variables.items() if v is not None})
    line = shell.fails(*LIST, *words)
    assert line.startswith(start)
    assert end in line


def test_image_of_another_project_is_not_found(demo, admin_images):
    image_id = admin_images('secret')
    for name in ('secret', image_id):
        line = demo.fails(*SHOW, name)
        assert line == f'No image with a name or ID of {name!r} exists'


def test_help_needs_no_configuration(tmp_path):
    nowhere = {'HOME': str(tmp_path), 'XDG_CONFIG_HOME': str(tmp_path)}
    shell = Shell(nowhere, program='compute-image')
    result = shell(*LIST, '--help', cwd=tmp_path)
    assert result.out.startswith('usage: compute-image list')
