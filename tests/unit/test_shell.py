# SPDX-License-Identifier: Apache-2.0

"""The commands in the real shell, with a real configuration."""

import re
import socket

from keystoneauth1 import fixture
from osc_lib import shell as osc_shell
import pytest
import requests
import yaml

from osc_compute_images.commands.show import EXIT_TIMEOUT
from testbed import keystone
from testbed import nova
from tests.unit.running import AUTH
from tests.unit.running import kept_logging

V3 = f'{nova.KEYSTONE}/v3'


@pytest.fixture
def shell(shell_class, http, tmp_path, set_variables):
    """Run a command with a configuration; return its exit code."""
    http.get(V3, json={'version': fixture.V3Discovery(V3)})
    http.get(nova.DETAIL, json=nova.page(nova.images(1)))
    file = tmp_path / 'clouds.yaml'

    def run(*words, options=(), variables=None, **config):
        cloud = {'auth': AUTH, 'region_name': 'RegionOne', **config}
        file.write_text(yaml.safe_dump({'clouds': {'mycloud': cloud}}))
        paths = {'OS_CLIENT_CONFIG_FILE': str(file), 'OS_CLOUD': 'mycloud'}
        set_variables({**paths, **(variables or {})})
        with kept_logging():
            return shell_class().run([*options, 'compute', 'image', *words])

    return run


@pytest.mark.parametrize(
    ('config', 'timeout'), [({}, 60), ({'api_timeout': 7}, 7)]
)
def test_list_takes_three_requests(shell, http, capsys, config, timeout):
    assert shell('list', options=['--timing'], **config) == 0
    printed = capsys.readouterr()
    assert 'cirros-1' in printed.out
    assert re.search(r'\| URL +\| +Seconds +\|', printed.out)
    assert printed.err == ''
    assert [(r.method, r.url, r.timeout) for r in http.request_history] == [
        ('GET', V3, timeout),
        ('POST', f'{V3}/auth/tokens', timeout),
        ('GET', f'{nova.DETAIL}?limit=1000', (timeout, timeout)),
    ]


@pytest.mark.timeout(120)
@pytest.mark.parametrize('words', [[], ['--region=RegionOne']])
def test_wait_ends_while_keystone_is_mute(shell, http, words):
    # It accepts, and never answers.
    with socket.create_server(('127.0.0.1', 0), backlog=64) as mute:
        url = 'http://{}:{}/v3'.format(*mute.getsockname())
        http.register_uri('GET', url, real_http=True)
        http.register_uri('POST', f'{url}/auth/tokens', real_http=True)
        auth = {**AUTH, 'auth_url': url}
        command = ['show', 'x', *words, '--wait', '--timeout=0.3']
        code = shell(*command, auth=auth, api_timeout=1000)
    assert code == EXIT_TIMEOUT


@pytest.mark.parametrize(
    ('answers', 'code', 'errors'),
    [
        (
            [{'status_code': 503, 'text': 'Busy'}],
            0,
            r'Busy \(HTTP 503\)\. Retrying in 0\.5 seconds, 3 retries left\n',
        ),
        (
            [{'exc': requests.ConnectionError('reset')}] * 4,
            1,
            r'(.*: reset\. Retrying in .*, \d retries left\n){3}.*: reset\n',
        ),
        (
            [{'json': {'token': {}}}],
            1,
            ".* from Keystone is invalid: KeyError: 'x-subject-token'\n",
        ),
        (
            [{'status_code': 404, 'text': 'No.'}],
            1,
            r'.*: No\.; check "auth_url", or the token that was given .*\n',
        ),
        ([{'status_code': 401, 'text': 'No.'}], 1, r'No\. \(HTTP 401\)\n'),
    ],
)
def test_login_is_retried_and_its_errors_are_clear(
    shell, http, slept, capsys, answers, code, errors
):
    token = {
        'json': keystone.token({'RegionOne': nova.ENDPOINT}),
        'headers': {'X-Subject-Token': nova.TOKEN},
    }
    http.post(f'{V3}/auth/tokens', [*answers, token])
    assert shell('list') == code
    assert re.fullmatch(errors, capsys.readouterr().err)


def test_password_is_asked_for_once(shell, http, slept, monkeypatch):
    prompts = []
    monkeypatch.setattr(
        osc_shell,
        'prompt_for_password',
        lambda prompt=None: prompts.append(prompt) or 'secret',
    )
    token = {
        'json': keystone.token({'RegionOne': nova.ENDPOINT}),
        'headers': {'X-Subject-Token': nova.TOKEN},
    }
    http.post(f'{V3}/auth/tokens', [{'status_code': 503}] * 2 + [token])
    auth = {key: value for key, value in AUTH.items() if key != 'password'}
    assert shell('list', auth=auth) == 0
    assert len(prompts) == 1


@pytest.mark.parametrize('version', ['default_microversion', 'api_version'])
def test_settings_of_compute_are_used_except_a_microversion(
    shell, http, slept, version
):
    url = 'http://my.example.com/v2.1'
    http.get(re.compile(url), status_code=503)
    settings = {'endpoint_override': url, 'status_code_retries': 1}
    settings[version] = '2.90'
    config = {f'compute_{key}': value for key, value in settings.items()}
    variables = {'OS_COMPUTE_API_VERSION': '2.90'}
    assert shell('list', variables=variables, **config) == 1
    [*_login, first, again] = http.request_history
    assert first.url == again.url == f'{url}/images/detail?limit=1000'
    names = [name.lower() for name in again.headers]
    assert 'x-auth-token' in names
    assert not [name for name in names if name.endswith('api-version')]


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (['--os-region-name', 'RegionOne'], '--os-region-name=RegionOne'),
        # The variable of the shell still applies.
        (['--os-cloud', 'mycloud', '-v'], ''),
        # A login is not repeated: there might be another one.
        (['--os-password', 'pa55', '--os-username', 'me'], None),
        (['--os-project-name', 'a'], None),
    ],
)
def test_counterpart_is_in_the_same_place(
    shell, http, capsys, options, expected
):
    http.get(nova.DETAIL, **nova.fault(403, 'forbidden', 'No.'))
    assert shell('list', options=options) == 1
    errors = capsys.readouterr().err
    assert 'pa55' not in errors
    [line] = [text for text in errors.splitlines() if 'HTTP 403' in text]
    words = f'openstack {expected} image list'.replace('  ', ' ')
    if expected is None:
        words = '"openstack image" uses the Image service instead'
    assert line.endswith(words)
