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
    'jsonl': (['list', '--long', '-f', 'jsonl'], 0),
    'regions': (['list', '--all-regions'], 0),
    'error': (['show', 'error', '--wait'], 3),
    'none': (['delete', 'no such', 'nor this'], 1),
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
    'auth type of a cloud': {'OS_CLOUD': 'unknown'},
    'file': {'OS_CLIENT_CONFIG_FILE': 'broken.yaml'},
}


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


def test_both_programs_time_the_same_requests(server):
    environment = canned_cloud.environment(server)
    osc, own = (
        run(each, environment, 'list', before=['--timing'])
        for each in PROGRAMS
    )

    def without_seconds(text):
        # They also decide how wide the table is.
        return re.sub(r'\d+\.\d+(e-\d+)?|[ -]+', ' ', text)

    assert 'Total' in own[1]
    assert without_seconds(own[1]) == without_seconds(osc[1])


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


def test_debug_output_has_no_password(server):
    environment = canned_cloud.environment(server)
    code, _out, err = run(
        'compute-image', environment, 'list', before=['--debug']
    )
    assert code == 0
    assert "'password': '***'" in err
    assert environment['OS_PASSWORD'] not in err


def test_help_of_command():
    code, out, _err = run('compute-image', {}, 'list', '--help')
    assert (code, '--name-pattern <glob>' in out) == (0, True)
    assert run('compute-image', {}, '--version')[1].startswith('compute-image')


@pytest.mark.parametrize('program', PROGRAMS)
def test_cached_token_saves_login(canned, program, tmp_path):
    environment = canned_cloud.configuration(canned, tmp_path) | {
        # A keyring without a prompt.
        'PYTHON_KEYRING_BACKEND': 'keyrings.alt.file.PlaintextKeyring',
        'XDG_DATA_HOME': str(tmp_path),
    }
    file = tmp_path / 'clouds.yaml'
    settings = json.loads(file.read_text()) | {'cache': {'auth': True}}
    file.write_text(json.dumps(settings))
    sent = []
    for _ in range(2):
        canned.requests.clear()
        code, out, err = run(program, environment, 'list', '-f', 'value')
        assert (code, out.count('\n'), err) == (0, 3, '')
        sent.append(canned.paths())
    assert any('auth/tokens' in path for path in sent[0])
    assert len(sent[1]) == 1
    assert 'images/detail' in sent[1][0]
