# SPDX-License-Identifier: Apache-2.0

"""``compute-image`` has the configuration of ``openstack``.

Each global option and each variable that ``openstack`` reads is given to both:
the settings and the requests of both must be the same. Of those that only the
parser of ``openstack`` knows, which both then use, a few stand for all.
"""

import os
import re
import types

from keystoneauth1 import fixture
from osc_lib import clientmanager
from osc_lib import shell as osc_lib_shell
from osc_lib.api import auth
from osc_lib.cli import client_config
import pytest
import yaml

from osc_compute_images import _shell
from osc_compute_images import shell
from testbed import nova
from tests.unit.running import AUTH
from tests.unit.running import kept_logging

V3 = f'{nova.KEYSTONE}/v3'
CLOUD = {'auth': AUTH, 'region_name': 'RegionOne'}
#: Where openstacksdk and keystoneauth expect certain words.
VALUES = {
    'auth_type': (*shell._TYPES, 'v3oidcpassword', 'bogus'),
    'cloud': ('other', 'bogus'),
    'interface': ('internal', 'bogus'),
    'region_name': ('RegionTwo', 'bogus'),
    'auth_url': (V3, 'http://remote.example.com/v3'),
    'compute_api_version': ('2', '2.90', '1', 'bogus'),
    'identity_api_version': ('2', '3', 'bogus'),
    'service_provider': ('remote', 'bogus'),
    'force_ipv4': ('true', 'bogus'),
    # Older clients check it.
    'volume_api_version': ('3',),
}
#: They end the program, or name a file.
LEFT_OUT = {'deferred_help', 'help', 'version', 'log_file'}
#: For those that "compute-image" does not know itself.
UNUSUAL = {'volume_api_version', 'identity_provider', 'redirect_port'}
#: Several at once: what one of them alone would not show.
TOGETHER = [
    (
        'service-provider=remote remote-project-name=x '
        'remote-project-domain-name=y'
    ),
    'cert=x key=y',
    'auth-type=v3oidcpassword client-id=x',
    f'compute-endpoint-override={nova.ENDPOINT} api-timeout=7',
]


def variables_for(words):
    """Return the variables that are the same as these options."""
    pairs = (word.split('=', 1) for word in words.split())
    return {f'OS_{k.upper().replace("-", "_")}': v for k, v in pairs}


@pytest.fixture
def cloud(http):
    """Mock endpoints of two regions and three interfaces, all different."""
    token = fixture.V3Token(project_id=nova.PROJECT)
    service = token.add_service('compute', name='nova')
    for region in ('RegionOne', 'RegionTwo'):
        urls = {
            interface: f'http://{interface}.{region}.example.com/v2.1'
            for interface in ('public', 'internal', 'admin')
        }
        service.add_standard_endpoints(region=region, **urls)
    http.get(V3, json={'version': fixture.V3Discovery(V3)})
    federated = 'OS-FEDERATION/identity_providers/x/protocols/y/auth'
    for path in ('auth/tokens', federated):
        headers = {'X-Subject-Token': nova.TOKEN}
        http.post(f'{V3}/{path}', json=token, headers=headers)
    http.get(
        re.compile(r'example\.com(:8774)?/v2\.1/images/detail'),
        json=nova.page(nova.images(1)),
    )
    return http


def keep_lists(patch):
    """Undo what ComputeImageShell does to the lists of osc-lib."""
    patch.setattr(auth, 'PLUGIN_LIST', auth.get_plugin_list())
    patch.setattr(auth, 'OPTIONS_LIST', auth.get_options_list())


@pytest.fixture
def both(shell_class, cloud, tmp_path, set_variables, monkeypatch, capsys):
    """Return a function that lists with both; two clouds are in a file."""
    other = {**CLOUD, 'region_name': 'RegionTwo'}
    clouds = yaml.safe_dump({'clouds': {'mine': CLOUD, 'other': other}})
    (tmp_path / 'clouds.yaml').write_text(clouds)
    # Its effect on other tests, and that of the imports, ends here.
    monkeypatch.setattr(shell, '_import_less', lambda: None)
    keep_lists(monkeypatch)
    for module in (client_config, clientmanager, osc_lib_shell):
        monkeypatch.setattr(module, 'strutils', module.strutils)
    made = []

    class Own(_shell.ComputeImageShell):
        def __init__(self, *args, **kwargs):
            made.append(self)
            super().__init__(*args, **kwargs)

    def osc(words, _patch):
        made.append(shell_class())
        return made[-1].run([*words, 'compute', 'image', 'list'])

    def own(words, patch):
        patch.setattr(_shell, 'ComputeImageShell', Own)
        if shell._usual_options(words):
            stand_in = types.SimpleNamespace(Connection=shell._Connection)
            patch.setattr(clientmanager, 'connection', stand_in)
        return shell.main([*words, 'list'])

    def done(program, words):
        cloud.reset_mock()
        made.clear()
        capsys.readouterr()
        with kept_logging(), monkeypatch.context() as patch:
            # One list for all instances.
            patch.setattr(osc_lib_shell.OpenStackShell, 'timing_data', [])
            keep_lists(patch)
            try:
                code = program(words, patch)
            except SystemExit as e:
                code = e.code
        printed = capsys.readouterr()
        used = getattr(made[0], 'cloud', None) if made else None
        return types.SimpleNamespace(
            code=code,
            config=comparable(used.config if used else {}),
            requests=[
                (
                    *(r.method, r.url, r.text, r.verify, r.cert, r.timeout),
                    r.headers.get('X-Auth-Token'),
                )
                for r in cloud.request_history
            ],
            # Not the seconds of --timing, which decide how wide it is.
            out=re.sub(SECONDS, ' ', printed.out),
            err=printed.err,
        )

    def run(words, variables):
        set_variables(variables)
        return [done(program, words) for program in (osc, own)]

    with kept_logging():
        yield run


#: Also 9e-05. A longer one makes the table wider.
SECONDS = r'\d+(\.\d+)?e-\d+|\d+\.\d+|[ -]+'

#: Variables that log in without a file.
LOGIN = {f'OS_{name.upper()}': value for name, value in AUTH.items()}
LOGIN['OS_REGION_NAME'] = 'RegionOne'


def of_file(tmp_path):
    """Return the variables that log in by a file."""
    file = str(tmp_path / 'clouds.yaml')
    return {'OS_CLIENT_CONFIG_FILE': file, 'OS_CLOUD': 'mine'}


def comparable(config):
    """Leave out settings of other services, from plugins of the client.

    Manila's plugin has a global --os-endpoint-override.
    """
    return {
        key: value
        for key, value in (config or {}).items()
        if not key.endswith(('_api_version', 'endpoint_override'))
        or key.startswith(('compute_', 'identity_'))
    }


def assert_same(both, lines):
    """Give each of these words and variables to both programs."""
    for words, variables in lines:
        osc, own = both(words, variables)
        if osc.code and own.code == 2 and 'the Compute API version' in own.err:
            # The exit code of openstack depends on its version.
            assert not own.requests
        else:
            assert {**vars(own), 'err': osc.err} == vars(osc), own.err


def test_each_global_option(both, shell_class, tmp_path):
    options = {
        max(option.option_strings, key=len): option
        for option in shell_class().parser._actions
        if option.option_strings and option.dest not in LEFT_OUT
    }
    lines = []
    for word, option in options.items():
        name = option.dest.removeprefix('os_')
        if option.nargs == 0:
            lines.append([word])
        elif shell._usual_options([word]) or name in {*VALUES, *UNUSUAL}:
            values = VALUES.get(name, ['value'])
            lines += [[word, value] for value in values]
    assert len(lines) > 60
    assert_same(both, [(words, of_file(tmp_path)) for words in lines])
    words = ['--os-username=value', '--os-region-name=RegionTwo']
    assert_same(both, [(words, LOGIN)])


@pytest.mark.parametrize(
    'way',
    [
        f'token=x endpoint={nova.ENDPOINT}',
        f'token=x auth-type=token auth-url={V3}',
        (
            f'auth-type=v3oidcaccesstoken auth-url={V3} identity-provider=x '
            f'protocol=y access-token=z'
        ),
        (
            f'auth-type=v3applicationcredential auth-url={V3} '
            f'application-credential-id=x application-credential-secret=y'
        ),
    ],
)
def test_each_way_to_log_in(both, way):
    words = [f'--os-{word}' for word in way.split()]
    assert both(words, {})[0].code == 0
    assert_same(both, [(words, {}), ([], variables_for(way))])


@pytest.mark.parametrize(
    ('word', 'named'),
    [('--no-such=secret', '--no-such'), ('--os-compute-api-ver=1', 'not 1')],
)
def test_other_options_and_no_command_are_refused(both, capsys, word, named):
    both([], {})
    assert shell.main([word, 'list']) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ('', 1)
    assert named in err
    assert 'secret' not in err
    with pytest.raises(SystemExit, match='2'):
        shell.main(['--timing'])
    out, err = capsys.readouterr()
    assert (out, 'usage: ' in err) == ('', True)
    assert 'List images, through the Compute service' in err


def test_malformed_entry_is_one_line(both, tmp_path):
    for entry, message in (
        ('secret', 'of type str, and not a mapping'),
        ({**CLOUD, 'networks': 7}, 'TypeError'),
    ):
        content = yaml.safe_dump({'clouds': {'mine': entry}})
        (tmp_path / 'clouds.yaml').write_text(content)
        osc, own = both([], of_file(tmp_path))
        assert own.code == osc.code == 1
        (line,) = own.err.splitlines()
        assert line.startswith('The configuration is invalid: ')
        assert message in line
        assert 'secret' not in line


def test_usual_options_are_of_osc_lib(shell_class):
    # The slower way would accept them, too.
    for words in (['--os-auth-type', 'password'], ['--os-auth-type=token']):
        assert shell._usual_options(words)
    known = shell._LOGIN | shell._SHELL
    names = {
        word.removeprefix('--os-')
        for option in shell_class().parser._actions
        for word in option.option_strings
    }
    assert names >= known
    variables = {*auth.get_options_list()} - {'auth-type'}
    assert not shell._VARIABLES & variables
    assert not [v for v in variables if v.endswith(shell._OTHER_SERVICES)]
    assert {*auth.get_plugin_list()} >= {*shell._TYPES}


def read_variables(shell_class):
    """Return the names of the variables that ``openstack`` reads."""
    names = set()

    class Recording(dict):
        def get(self, name, default=None):
            names.add(name)
            return super().get(name, default)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, 'environ', Recording(LOGIN))
        shell_class().run(['compute', 'image', 'list'])
    return {name for name in names if name.startswith('OS_')}


def test_each_variable(both, shell_class, tmp_path):
    names = read_variables(shell_class)
    assert len(names) > 50
    more = [*map(variables_for, TOGETHER)]
    for word in sorted(names - {'OS_CLIENT_CONFIG_FILE'}):
        name = word[3:].lower()
        is_known = shell._usual_variables({word: 'value'})
        is_of_another = name.endswith(('_api_version', '_endpoint_type'))
        if (is_known and not is_of_another) or name in {*VALUES, *UNUSUAL}:
            more += [{word: v} for v in VALUES.get(name, ['value'])]
    assert len(more) > 60
    assert_same(both, [([], {**LOGIN, **each}) for each in more])
    more = map(variables_for, [*TOGETHER, 'username=x'])
    assert_same(both, [([], of_file(tmp_path) | each) for each in more])
