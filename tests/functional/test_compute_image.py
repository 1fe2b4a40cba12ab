# SPDX-License-Identifier: Apache-2.0

"""``compute-image``, compared with ``openstack compute image``."""

import json
import re

import pytest

from testbed import canned_cloud
from tests.functional.conftest import executable
from tests.functional.conftest import Shell
from tests.functional.terminal import Terminal

PROGRAMS = ('openstack', 'compute-image')


def run(program, environment, *words, before=(), cwd=None):
    """Run a command; return its exit code, stdout and stderr."""
    osc = ('compute', 'image') if program == 'openstack' else ()
    shell = Shell(environment, program=program)
    result = shell.run(*before, *osc, *words, cwd=cwd, timeout=60)
    return result.code, result.out, result.err


def images():
    return [
        canned_cloud.image(n) | {'status': status, 'name': status.lower()}
        for n, status in enumerate(['ACTIVE', 'ERROR', 'DELETED', 'SAVING'])
    ]


@pytest.fixture(scope='module')
def server():
    """Provide a cloud with an image of each status."""
    with canned_cloud.canned_cloud(canned_cloud.Nova(images())) as server:
        yield server


SAME = {
    'table': (['list'], 0),
    'json': (['list', '--long', '-f', 'json'], 0),
    'jsonl': (['list', '--long', '-f', 'jsonl'], 0),
    'yaml': (['list', '-f', 'yaml'], 0),
    'regions': (['list', '--all-regions'], 0),
    'summary': (['summary'], 0),
    'show': (['show', 'active', '--wait', '--timeout', '5'], 0),
    'error': (['show', 'error', '--wait'], 3),
    'timeout': (['show', 'saving', '--wait', '--timeout', '0.5'], 6),
    'none': (['show', 'no such'], 1),
    'several': (['delete', 'no such', 'nor this'], 1),
    'value of an option': (['list', '--min-ram', 'much'], 2),
    'option': (['list', '--no-such'], 2),
}


@pytest.mark.parametrize(('words', 'code'), SAME.values(), ids=SAME)
def test_both_programs_print_the_same(server, words, code):
    environment = canned_cloud.environment(server)
    osc, own = (run(each, environment, *words) for each in PROGRAMS)
    assert own[0] == osc[0] == code
    assert own[1] == osc[1]
    # The usage is wrapped depending on the length of the name.
    assert own[2].split('\n')[-2:] == [
        line.replace('openstack compute image', 'compute-image')
        for line in osc[2].split('\n')[-2:]
    ]
    if code in (0, 1):
        assert own[2] == osc[2]


INVALID = {
    'nothing': {},
    'cloud': {'OS_CLOUD': 'no-such'},
    'password': {
        'OS_AUTH_URL': 'http://127.0.0.1:9/v3', 'OS_USERNAME': 'x',
    },
    'user': {'OS_AUTH_URL': 'http://127.0.0.1:9/v3', 'OS_PASSWORD': 'x'},
    'auth type': {'OS_AUTH_TYPE': 'no-such'},
    'auth type of a cloud': {'OS_CLOUD': 'unknown'},
    'file': {'OS_CLIENT_CONFIG_FILE': 'broken.yaml'},
}  # fmt: skip


@pytest.mark.parametrize('environment', INVALID.values(), ids=INVALID)
def test_both_programs_reject_the_same_configuration(
    environment, tmp_path, monkeypatch
):
    monkeypatch.setenv('HOME', str(tmp_path))
    unknown = {
        'auth_type': 'no-such',
        'auth': {'auth_url': 'http://127.0.0.1'},
    }
    # openstacksdk would choose a cloud that is the only one.
    clouds = {'unknown': unknown, 'other': {}}
    (tmp_path / 'clouds.yaml').write_text(json.dumps({'clouds': clouds}))
    (tmp_path / 'broken.yaml').write_text('clouds: [')
    osc, own = (
        run(each, environment, 'list', cwd=tmp_path) for each in PROGRAMS
    )
    assert own == osc
    assert own[0] == 1
    assert own[2]
    assert 'Traceback' not in own[2]


@pytest.mark.parametrize(
    'option', ['--os-auth-type=no-such', '--os-cloud=no-such', '--no-such']
)
def test_both_programs_reject_the_same_options(server, option):
    environment = canned_cloud.environment(server)
    osc, own = (
        run(each, environment, 'list', before=[option]) for each in PROGRAMS
    )
    assert own[0] == osc[0]
    assert own[0] in (1, 2)
    assert 'no-such' in own[1] + own[2]
    assert 'Traceback' not in own[2]


@pytest.mark.parametrize(
    'words',
    [
        ['list'],
        ['list', '-f', 'json'],
        ['show', 'active'],
        ['delete', 'no such'],
        ['list', '--all-regions', '-f', 'csv'],
    ],
    ids=' '.join,
)
def test_both_programs_time_the_same_requests(server, words):
    environment = canned_cloud.environment(server)
    osc, own = (
        run(each, environment, *words, before=['--timing'])
        for each in PROGRAMS
    )

    def without_seconds(text):
        # They also decide how wide the table is.
        return re.sub(r'\d+\.\d+(e-\d+)?|[ -]+', ' ', text)

    assert 'Total' in own[1]
    assert without_seconds(own[1]) == without_seconds(osc[1])
    assert (own[0], own[2]) == (osc[0], osc[2])


@pytest.mark.parametrize('program', PROGRAMS)
def test_both_programs_prompt_for_a_password(server, program):
    environment = canned_cloud.environment(server)
    before = ['compute', 'image'] if program == 'openstack' else []
    terminal = Terminal(
        Shell({k: v for k, v in environment.items() if k != 'OS_PASSWORD'}),
        *(*before, 'list', '-f', 'value', '-c', 'Name'),
        stdout=False,
        program=executable(program),
        own_session=True,
    )
    assert terminal.shows('Password: ')
    terminal.type(environment['OS_PASSWORD'] + '\n')
    code, shown, out = terminal.end()
    assert (code, shown.strip()) == (0, 'Password:')
    assert out.split() == ['active', 'error', 'deleted', 'saving']


@pytest.mark.parametrize('kind', ['variables', 'options'])
def test_variables_and_options(server, kind):
    environment = canned_cloud.environment(server)
    before = ()
    if kind == 'options':
        before = [
            f'--{name.lower().replace("_", "-")}={value}'
            for name, value in environment.items()
            if name != 'OS_IDENTITY_API_VERSION'
        ]
        environment = {}
    code, out, err = run(
        'compute-image', environment, 'list', '-f', 'value', before=before
    )
    assert (code, err) == (0, '')
    assert out.count('\n') == 4


def test_debug_output_has_no_password(server):
    environment = canned_cloud.environment(server)
    code, _out, err = run(
        'compute-image', environment, 'list', before=['--debug']
    )
    assert code == 0
    assert "'password': '***'" in err
    assert environment['OS_PASSWORD'] not in err


@pytest.mark.parametrize('words', [[], ['--timing']], ids=str)
def test_help_without_command(words):
    code, out, err = run('compute-image', {}, *words)
    assert (code, out) == (2, '')
    assert err.startswith('usage: compute-image ')
    assert 'List images, through the Compute service' in err


@pytest.mark.parametrize(
    'option',
    [
        '--os-interface=bogus',
        '--os-interface=admin',
        '--verify',
        '--os-image-api-version=2',
        '--os-client-id=x',
        '--os-auth-type=v3password',
        '--os-auth-type=v3websso',
        '--os-proj=x',
        '--os-user-dom=x',
        '--os-cloud',
    ],
)
def test_both_programs_take_the_same_options(server, option):
    environment = canned_cloud.environment(server)
    osc, own = (
        run(each, environment, 'list', before=[option]) for each in PROGRAMS
    )
    assert own[:2] == osc[:2]
    assert 'Traceback' not in own[2]


def test_help_of_command(server):
    environment = canned_cloud.environment(server)
    code, out, _err = run('compute-image', environment, 'list', '--help')
    assert code == 0
    assert '--name-pattern <glob>' in out
    assert run('compute-image', {}, '--version')[1].startswith('compute-image')


@pytest.mark.parametrize('program', PROGRAMS)
def test_cached_token_saves_login(canned, program, tmp_path):
    file = tmp_path / 'clouds.yaml'
    given = canned_cloud.environment(canned)
    region = given.pop('OS_REGION_NAME')
    given.pop('OS_IDENTITY_API_VERSION')
    auth = {k.removeprefix('OS_').lower(): v for k, v in given.items()}
    cloud = {'auth': auth, 'region_name': region}
    file.write_text(
        json.dumps({'cache': {'auth': True}, 'clouds': {'mine': cloud}})
    )
    environment = {
        'OS_CLIENT_CONFIG_FILE': str(file),
        'OS_CLOUD': 'mine',
        # A keyring without a prompt.
        'PYTHON_KEYRING_BACKEND': 'keyrings.alt.file.PlaintextKeyring',
        'XDG_DATA_HOME': str(tmp_path),
    }
    sent = []
    for _ in range(2):
        canned.requests.clear()
        code, out, err = run(program, environment, 'list', '-f', 'value')
        assert (code, out.count('\n'), err) == (0, 3, '')
        sent.append(canned.paths())
    assert any('auth/tokens' in path for path in sent[0])
    assert len(sent[1]) == 1
    assert 'images/detail' in sent[1][0]
