# SPDX-License-Identifier: Apache-2.0

"""Mistakes of users: the error says what is wrong, and what to do.

OpenStackClient itself reports some errors before our commands run. For these
the tests only require one line and a non-zero exit code.
"""

import json

import pytest

from testbed import canned_cloud
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


def error_line(result: Result, code: int = 1) -> str:
    """Return the error of a command, which must be one line."""
    assert (result.code, result.out) == (code, ''), result.err
    assert result.err.count('\n') == 1, result.err
    return result.err[:-1]


# --- the configuration ----------------------------------------------------


def test_no_configuration(tmp_path):
    """This is the message of OpenStackClient."""
    shell = Shell({'HOME': str(tmp_path), 'XDG_CONFIG_HOME': str(tmp_path)})
    line = error_line(shell.run(*LIST, cwd=tmp_path))
    assert 'auth-url' in line


def test_unknown_cloud(cloud):
    """This is the message of OpenStackClient."""
    line = error_line(cloud.shell('nobody').run(*LIST))
    assert line == 'Cloud nobody was not found.'


@pytest.mark.parametrize(
    ('variable', 'value'),
    [
        ('OS_PASSWORD', 'wrong'),
        ('OS_USERNAME', 'nobody'),
        ('OS_USER_DOMAIN_NAME', 'none'),
        ('OS_PROJECT_NAME', 'admin'),
    ],
)
@pytest.mark.parametrize(
    'words', [LIST, (*DELETE, 'x')], ids=['list', 'delete']
)
def test_login_error_has_message_of_keystone(
    variables, tmp_path, variable, value, words
):
    shell = Shell(variables | {variable: value})
    line = error_line(shell.run(*words, cwd=tmp_path))
    assert '(HTTP 401)' in line


@pytest.mark.parametrize(
    'words',
    [LIST, (*SHOW, 'x'), (*DELETE, 'x'), (*UNSET, '--property', 'a', 'x')],
    ids=lambda words: words[2],
)
def test_region_without_compute(variables, tmp_path, words):
    shell = Shell(variables | {'OS_REGION_NAME': 'Nowhere'})
    result = shell.run(*words, cwd=tmp_path)
    assert result.code == 1
    assert (
        'The catalog has no public endpoint of the Compute service in region '
        f"'Nowhere'; choose from 'RegionOne', 'RegionTwo': {CHECK}"
    ) in result.err.splitlines()[0]
    # The same with the option.
    asked = shell.run(*LIST, '--region', 'Nowhere', cwd=tmp_path)
    assert (asked.code, asked.out) == (1, '')
    first, last = asked.err.splitlines()
    assert first.startswith('Region Nowhere: ')
    assert f"choose from 'RegionOne', 'RegionTwo': {CHECK}" in first
    assert last == 'Every region failed or was skipped'


def test_unknown_interface(variables, tmp_path):
    shell = Shell(variables | {'OS_INTERFACE': 'none'})
    line = error_line(shell.run(*LIST, cwd=tmp_path))
    assert line == (
        "none endpoint for compute service in region 'RegionOne' not found: "
        f'{CHECK}'
    )


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
    ('words', 'last'),
    [
        (
            (*DELETE, 'ubuntu-24.04'),
            '1 of 1 images failed to delete.',
        ),
        (
            (*UNSET, '--property', 'os_distro', 'ubuntu-24.04'),
            '1 of 1 images failed to unset.',
        ),
        (
            (*SET, '--property', 'a=b', 'ubuntu-24.04'),
            '1 of 1 images failed to set.',
        ),
        (
            (*SET, '--no-property', 'ubuntu-24.04'),
            '1 of 1 images failed to set.',
        ),
    ],
    ids=['delete', 'unset', 'set', 'no-property'],
)
@pytest.mark.parametrize('user', ['demo', 'reader'])
def test_forbidden_changes(cloud, admin_glance, user, words, last):
    shell = cloud.shell(user)
    image_id = shell.images('--name', 'ubuntu-24.04')[0]['ID']
    before = admin_glance.image(image_id)
    result = shell.run(*words)
    assert (result.code, result.out) == (1, '')
    first, *rest = result.err.splitlines()
    assert '(HTTP 403)' in first
    assert 'not allowed' in first or 'Not authorized' in first
    assert rest == [last]
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
    'an image': (
        (*SHOW, 'none'),
        "No image with a name or ID of 'none' exists",
    ),
    'an image to wait for': (
        (*SHOW, '--wait', 'none'),
        "No image with a name or ID of 'none' exists",
    ),
    'a name of three': ((*SHOW, 'golden'), "3 images have the name 'golden'"),
    'a flavor of two regions': (
        (*LIST, '--region', 'RegionTwo', '--flavor', 'gpu.only-one'),
        'Every region failed or was skipped',
    ),
}


@pytest.mark.parametrize(('words', 'start'), UNKNOWN.values(), ids=UNKNOWN)
def test_missing_resources_are_named(demo, words, start):
    result = demo.run(*words)
    assert (result.code, result.out) == (1, '')
    assert result.err.splitlines()[-1].startswith(start)
    assert len(result.err.splitlines()) == 1 + ('RegionTwo' in words)


# --- invalid options ------------------------------------------------------

#: Arguments, and the end of the message, which may follow the usage.
INVALID = [
    ((*LIST, '--limit', '0'), "'0' is not a positive integer"),
    ((*LIST, '--property', ''), 'the value is empty'),
    ((*LIST, '--all-regions', '--region', 'One'), 'not allowed with argument'),
    ((*LIST, '--nonsense'), 'unrecognized arguments: --nonsense'),
    ((*SHOW, 'x', '--timeout', '5'), '--timeout needs --wait'),
    (SHOW, 'the following arguments are required: <image>'),
    ((*SET, 'x', '--property', 'a'), "Expected 'key=value'"),
    (DELETE, 'No images selected: give names or IDs'),
    ((*SET, '--property', 'a=b'), 'No images selected: give names or IDs'),
    ((*UNSET, '--property', 'a'), 'No images selected: give names or IDs'),
]


@pytest.mark.parametrize(
    ('words', 'message'), INVALID, ids=[repr(w)[:60] for w, _m in INVALID]
)
def test_invalid_options_are_rejected_before_any_request(
    canned, words, message
):
    result = Shell(canned_cloud.environment(canned)).run(*words)
    assert (result.code, result.out) == (2, '')
    last = result.err.splitlines()[-1]
    assert message in last
    assert 'Traceback' not in result.err
    assert not [r for r in canned.requests if '/images' in r.path]


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ((*LIST, '-c', 'Nonsense'), 'There is no column Nonsense'),
        ((*SHOW, 'ubuntu-24.04', '-c', 'x'), 'No recognized column names in'),
    ],
    ids=['column of a list', 'column of show'],
)
def test_unsupported_request_is_one_line(demo, words, message):
    assert message in error_line(demo.run(*words))


def test_unknown_sort_column_is_ignored(demo):
    """cliff does this."""
    words = ('-f', 'value', '-c', 'ID', '--limit', '3')
    plain = demo(*LIST, *words)
    assert demo(*LIST, *words, '--sort-column', 'none').out == plain.out


@pytest.mark.parametrize(
    'words', [LIST, SHOW, DELETE, SET, UNSET], ids=lambda words: words[2]
)
def test_help_needs_no_configuration(tmp_path, words):
    shell = Shell({'HOME': str(tmp_path), 'XDG_CONFIG_HOME': str(tmp_path)})
    result = shell(*words, '--help', cwd=tmp_path)
    assert result.out.startswith(f'usage: openstack {" ".join(words)}')
