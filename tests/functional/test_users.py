# SPDX-License-Identifier: Apache-2.0

"""Mistakes of users, as Keystone and Nova see them."""

import json

import pytest

from tests.functional.conftest import Cloud
from tests.functional.conftest import Result
from tests.functional.conftest import Shell

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')
DELETE = ('compute', 'image', 'delete')
SET = ('compute', 'image', 'set')
UNSET = ('compute', 'image', 'unset')

#: The hint in errors about the catalog.
CHECK = (
    'check the project, the region and the interface; "openstack catalog '
    'list" shows the available endpoints'
)


@pytest.fixture
def variables(cloud: Cloud, tmp_path) -> dict[str, str]:
    """Provide the environment variables of the ordinary user."""
    with open(cloud.facts['clouds_yaml']) as file:
        user = json.load(file)['clouds']['demo']
    return {
        'HOME': str(tmp_path),
        'XDG_CONFIG_HOME': str(tmp_path),
        'OS_IDENTITY_API_VERSION': '3',
        'OS_REGION_NAME': user['region_name'],
        **{f'OS_{k.upper()}': v for k, v in user['auth'].items()},
    }


def error_line(result: Result) -> str:
    """Return the error of a command, which must be one line."""
    assert (result.code, result.out) == (1, ''), result.err
    assert result.err.count('\n') == 1, result.err
    return result.err[:-1]


# --- logins and catalogs --------------------------------------------------


@pytest.mark.parametrize(
    ('variable', 'value'),
    [('OS_PASSWORD', 'wrong'), ('OS_PROJECT_NAME', 'admin')],
)
def test_login_error_has_message_of_keystone(
    variables, tmp_path, variable, value
):
    shell = Shell(variables | {variable: value})
    line = error_line(shell.run(*LIST, cwd=tmp_path))
    assert '(HTTP 401)' in line


def test_region_without_compute(variables, tmp_path):
    shell = Shell(variables | {'OS_REGION_NAME': 'Nowhere'})
    known = f"choose from 'RegionOne', 'RegionTwo': {CHECK}"
    assert known in error_line(shell.run(*LIST, cwd=tmp_path))
    # The same with the option.
    asked = shell.run(*LIST, '--region', 'Nowhere', cwd=tmp_path)
    assert (asked.code, asked.out) == (1, '')
    first, last = asked.err.splitlines()
    assert first.startswith('Region Nowhere: ')
    assert known in first
    assert last == 'Every region failed or was skipped'


def test_unknown_interface(variables, tmp_path):
    shell = Shell(variables | {'OS_INTERFACE': 'none'})
    line = error_line(shell.run(*LIST, cwd=tmp_path))
    assert line.startswith('none endpoint for compute service in ')
    assert line.endswith(f': {CHECK}')


def test_token_without_project(variables, tmp_path):
    for name in ('OS_PROJECT_NAME', 'OS_PROJECT_DOMAIN_NAME'):
        del variables[name]
    shell = Shell(variables)
    line = error_line(shell.run(*LIST, cwd=tmp_path))
    assert line == f'The service catalog is empty: {CHECK}'
    line = error_line(shell.run(*LIST, '--all-regions', cwd=tmp_path))
    assert line == f'No region in the catalog has a Compute endpoint: {CHECK}'


# --- permission -----------------------------------------------------------


@pytest.mark.parametrize(
    'words',
    [
        (*DELETE, 'ubuntu-24.04'),
        (*UNSET, '--property', 'os_distro', 'ubuntu-24.04'),
        (*SET, '--property', 'a=b', 'ubuntu-24.04'),
    ],
    ids=lambda words: words[2],
)
@pytest.mark.parametrize('user', ['demo', 'reader'])
def test_forbidden_changes(cloud, admin_glance, user, words):
    shell = cloud.shell(user)
    image_id = shell.images('--name', 'ubuntu-24.04')[0]['ID']
    before = admin_glance.image(image_id)
    result = shell.run(*words)
    assert (result.code, result.out) == (1, '')
    first, last = result.err.splitlines()
    assert '(HTTP 403)' in first
    assert 'not allowed' in first or 'Not authorized' in first
    assert last == f'1 of 1 images failed to {words[2]}.'
    assert admin_glance.image(image_id) == before


def test_image_of_another_project_is_not_found(demo, admin_glance):
    image_id = next(
        image['id']
        for image in admin_glance.images()
        if image['name'] == 'admin-private'
    )
    for name in ('admin-private', image_id):
        line = demo.fails(*SHOW, name)
        assert line == f'No image with a name or ID of {name!r} exists'


# --- missing resources ----------------------------------------------------

UNKNOWN = {
    'a flavor': (
        (*LIST, '--flavor', 'none'),
        "No flavor with a name or ID of 'none' exists",
    ),
    'a server': (
        (*LIST, '--server', 'none'),
        "No server with a name or ID of 'none' exists; for a deleted server",
    ),
    'a marker': (
        (*LIST, '--marker', 'none'),
        "No image with a name or ID of 'none' exists",
    ),
    'an image to wait for': (
        (*SHOW, '--wait', 'none'),
        "No image with a name or ID of 'none' exists",
    ),
    'a name of three': ((*SHOW, 'golden'), "3 images have the name 'golden'"),
    'a column': ((*LIST, '-c', 'Nonsense'), 'There is no column Nonsense'),
}


@pytest.mark.parametrize(('words', 'start'), UNKNOWN.values(), ids=UNKNOWN)
def test_missing_resources_are_named(demo, words, start):
    assert error_line(demo.run(*words)).startswith(start)


def test_help_needs_no_configuration(tmp_path):
    shell = Shell({'HOME': str(tmp_path), 'XDG_CONFIG_HOME': str(tmp_path)})
    result = shell(*DELETE, '--help', cwd=tmp_path)
    assert result.out.startswith(f'usage: openstack {" ".join(DELETE)}')
