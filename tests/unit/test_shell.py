# SPDX-License-Identifier: Apache-2.0

"""The commands in the real shell, with a real configuration."""

import json
import logging
import os
import re

from keystoneauth1 import fixture
import pytest
import yaml

from testbed import nova
from tests.unit.conftest import sent
from tests.unit.conftest import set_catalog

V3 = f'{nova.KEYSTONE}/v3'
AUTH = {
    'auth_url': V3,
    'username': 'demo',
    'password': 'secret',
    'project_name': 'demo',
    'user_domain_name': 'Default',
    'project_domain_name': 'Default',
}


@pytest.fixture(scope='module')
def shell_class():
    """Import the shell only if it is needed: it is slow."""
    from openstackclient import shell

    return shell.OpenStackShell


@pytest.fixture
def shell(shell_class, http, tmp_path, monkeypatch):
    """Run a command with a configuration; return its exit code."""
    http.get(V3, json={'version': fixture.V3Discovery(V3)})
    http.get(nova.DETAIL, json=nova.page(nova.images(1)))
    for name in [name for name in os.environ if name.startswith('OS_')]:
        monkeypatch.delenv(name)
    monkeypatch.setenv('OS_CLIENT_CONFIG_FILE', str(tmp_path / 'clouds.yaml'))
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*words, shell_options=(), **config):
        cloud = {'auth': AUTH, 'region_name': 'RegionOne', **config}
        clouds = yaml.safe_dump({'clouds': {'mycloud': cloud}})
        (tmp_path / 'clouds.yaml').write_text(clouds)
        return shell_class().run(
            [*shell_options, '--os-cloud=mycloud', 'compute', 'image', *words]
        )

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)


def test_list_takes_three_requests(shell, http, capsys):
    assert shell('list', '-f', 'json') == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)[0]['Name'] == 'cirros-1'
    assert printed.err == ''
    assert [f'{r.method} {r.url}' for r in http.request_history] == [
        f'GET {V3}',
        f'POST {V3}/auth/tokens',
        f'GET {nova.DETAIL}?limit=1000',
    ]


@pytest.mark.parametrize(
    ('words', 'header'),
    [
        (('list',), r'\| URL +\| +Seconds +\|'),
        (('list', '-f', 'json'), '"URL","Seconds"'),
    ],
)
def test_timing_output(shell, capsys, words, header):
    assert shell(*words, shell_options=['--timing']) == 0
    printed = capsys.readouterr().out
    assert 'cirros-1' in printed
    assert re.search(header, printed)


@pytest.mark.parametrize('configured', [None, 7])
def test_requests_have_a_timeout(shell, http, configured):
    config = {} if configured is None else {'api_timeout': configured}
    assert shell('list', **config) == 0
    timeouts = [request.timeout for request in http.request_history]
    assert None not in timeouts
    if configured is not None:
        assert timeouts == [configured, configured, (configured, configured)]


@pytest.mark.parametrize(
    'config',
    [
        {'compute_default_microversion': '2.90'},
        {'compute_api_version': '2.90'},
    ],
)
def test_configured_microversion_is_not_sent(shell, http, monkeypatch, config):
    monkeypatch.setenv('OS_COMPUTE_API_VERSION', '2.90')
    assert shell('list', **config) == 0
    names = {name.lower() for name in http.last_request.headers}
    assert 'x-auth-token' in names
    assert not names & {
        'openstack-api-version',
        'x-openstack-nova-api-version',
    }


def test_compute_endpoint_override(shell, http):
    url = 'http://other.example.com/nova/v2.1'
    http.get(f'{url}/images/detail', json=nova.page([]))
    assert shell('list', compute_endpoint_override=url) == 0
    assert http.last_request.url.startswith(url)


def services(http):
    token = fixture.V3Token(project_id=nova.PROJECT)
    token.set_project_scope(id=nova.PROJECT)
    for kind, name in (
        ('compute', 'nova'),
        ('compute', 'other'),
        ('compute_legacy', 'old'),
    ):
        token.add_service(kind, name=name).add_standard_endpoints(
            public=f'http://{name}.public.example.com/v2.1',
            internal=f'http://{name}.internal.example.com/v2.1',
            region='RegionTwo' if name == 'other' else 'RegionOne',
        )
    http.post(
        f'{V3}/auth/tokens',
        json=token,
        headers={'X-Subject-Token': nova.TOKEN},
    )


@pytest.mark.parametrize(
    ('config', 'host'),
    [
        ({}, 'nova.public'),
        ({'interface': 'internal'}, 'nova.internal'),
        ({'compute_interface': 'internal'}, 'nova.internal'),
        ({'compute_service_type': 'compute_legacy'}, 'old.public'),
        ({'region_name': 'RegionTwo'}, 'other.public'),
    ],
)
def test_endpoint_depends_on_configuration(shell, http, config, host):
    services(http)
    url = f'http://{host}.example.com/v2.1/images/detail'
    http.get(url, json=nova.page(nova.images(1)))
    assert shell('list', **config) == 0
    assert http.last_request.url.startswith(url)


@pytest.mark.parametrize(
    ('config', 'requests'),
    [
        ({}, 4),
        ({'compute_status_code_retries': 1}, 2),
        ({'status_code_retries': 0}, 1),
    ],
)
def test_retry_settings(shell, http, slept, config, requests):
    http.get(nova.DETAIL, status_code=503)
    assert shell('list', **config) == 1
    assert len(sent(http)) == requests


def test_all_regions_uses_catalog(shell, http, capsys):
    two = 'http://two.example.com/v2.1'
    set_catalog(http, {'RegionTwo': two, 'RegionOne': nova.ENDPOINT})
    http.get(f'{two}/images/detail', json=nova.page(nova.images(2)))
    words = ('list', '--all-regions', '-f', 'value', '-c', 'Region')
    assert shell(*words) == 0
    assert capsys.readouterr().out == 'RegionOne\nRegionTwo\n'


@pytest.mark.parametrize(
    'words', [('list',), ('show', 'x'), ('delete', 'x'), ('list', '--long')]
)
def test_forbidden_is_reported_in_one_line(shell, http, capsys, words):
    http.get(nova.DETAIL, **nova.fault(403, 'forbidden', 'Not\nyou.'))
    assert shell(*words) == 1
    printed = capsys.readouterr()
    assert printed.out == ''
    assert 'Not you. (HTTP 403) (Request-ID: req-1)' in printed.err
    expected = 2 if words[0] == 'delete' else 1
    assert len(printed.err.splitlines()) == expected


def test_error_while_listing_keeps_printed_rows(shell, http, capsys):
    http.get(
        nova.DETAIL,
        [
            {'json': nova.page(nova.images(1, 2))},
            nova.fault(500, 'computeFault', 'Oh.'),
        ],
    )
    words = ('--limit', '2', '--max-items', '9', '-f', 'value', '-c', 'Name')
    assert shell('list', *words) == 1
    printed = capsys.readouterr()
    assert printed.out == 'cirros-1\ncirros-2\n'
    assert f'with --marker {nova.image_id(2)}' in printed.err
    assert len(printed.err.splitlines()) == 1


@pytest.mark.parametrize('limit', [2**63 - 1, 2**63, 10**30])
def test_limit_may_be_any_positive_number(shell, capsys, limit):
    assert shell('list', '--limit', str(limit), '-f', 'value') == 0
    assert capsys.readouterr().err == ''


@pytest.mark.parametrize('words', [('show',), ('list', '--name')])
def test_undecodable_name_is_an_error(shell, capsys, words):
    # Python decodes arguments that are not UTF-8 like this.
    assert shell(*words, 'caf\udce9') == 1
    assert 'codec' not in capsys.readouterr().err
