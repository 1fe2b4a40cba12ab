# SPDX-License-Identifier: Apache-2.0

"""Mistakes of users, as Keystone and Nova see them."""

import re

import pytest

from tests.functional.shell import Shell

LIST = ('compute', 'image', 'list')

CHECK = (
    ': check the project, the region and the interface; "openstack catalog '
    'list" shows the available endpoints'
)
UNSCOPED = dict.fromkeys(['OS_PROJECT_NAME', 'OS_PROJECT_DOMAIN_NAME'])

#: Variables to set or to remove, words, and the line.
MISTAKES = {
    'password': ({'OS_PASSWORD': 'wrong'}, (), r'.*\(HTTP 401\).*'),
    'region': (
        {'OS_REGION_NAME': 'Nowhere'},
        (),
        f".*choose from 'RegionOne', 'RegionTwo'{CHECK}",
    ),
    'interface': (
        {'OS_INTERFACE': 'none'},
        (),
        f'none endpoint for compute service in .*{CHECK}',
    ),
    'no project': (UNSCOPED, (), f'The service catalog is empty{CHECK}'),
    'no project, and all regions': (
        UNSCOPED,
        ('--all-regions',),
        f'No region in the catalog has a Compute endpoint{CHECK}',
    ),
}


@pytest.mark.parametrize(
    ('changed', 'words', 'said'), MISTAKES.values(), ids=MISTAKES
)
def test_mistake_is_one_line(cloud, tmp_path, changed, words, said):
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
    assert re.fullmatch(said, shell.fails(*LIST, *words))
