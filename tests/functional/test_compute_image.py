# SPDX-License-Identifier: Apache-2.0

"""``compute-image``, compared with ``openstack compute image``."""

import json

import pytest

from testbed import canned_cloud
from tests.functional.shell import Shell
from tests.functional.terminal import Terminal

LIST = ('compute', 'image', 'list')
PROGRAMS = ('openstack', 'compute-image')


@pytest.fixture(scope='module')
def server():
    """Provide a cloud with an image of each status."""
    images = [
        canned_cloud.image(n, status=status, name=status.lower())
        for n, status in enumerate(['ACTIVE', 'ERROR', 'DELETED', 'SAVING'])
    ]
    with canned_cloud.canned_cloud(canned_cloud.Nova(images)) as server:
        yield server


SAME = {
    'table': (['list', '--all-regions'], 0),
    'jsonl': (['list', '--long', '-f', 'jsonl'], 0),
    'none': (['delete', 'no such', 'nor this'], 1),
    'value of an option': (['list', '--min-ram', 'much'], 2),
    'error': (['show', 'error', '--wait'], 3),
}


@pytest.mark.parametrize(('words', 'code'), SAME.values(), ids=SAME)
def test_both_programs_print_the_same(server, words, code):
    environment = canned_cloud.environment(server)
    osc, own = (
        Shell(environment, program=program).run('compute', 'image', *words)
        for program in PROGRAMS
    )
    assert (own.code, own.out) == (code, osc.out)
    assert osc.code == code
    # The usage is wrapped depending on the length of the name.
    assert own.err.split('\n')[-2:] == [
        line.replace('openstack compute image', 'compute-image')
        for line in osc.err.split('\n')[-2:]
    ]
    if code in (0, 1):
        assert own.err == osc.err


@pytest.mark.parametrize('program', PROGRAMS)
def test_both_programs_prompt_for_a_password(server, program):
    environment = canned_cloud.environment(server)
    del environment['OS_PASSWORD']
    terminal = Terminal(
        Shell(environment, program=program),
        *(*LIST, '-f', 'value', '-c', 'Name'),
        stdout=False,
        own_session=True,
    )
    typed = f'{canned_cloud.PASSWORD}\n'
    code, shown, out = terminal.answer('Password: ', typed)
    assert (code, shown.strip()) == (0, 'Password:')
    assert out.split() == ['active', 'error', 'deleted', 'saving']


@pytest.mark.parametrize('program', PROGRAMS)
def test_debug_output_has_no_secrets(server, program):
    environment = canned_cloud.environment(server)
    result = Shell(environment, program=program).run('--debug', *LIST)
    assert result.code == 0
    assert 'REQ: curl' in result.err
    assert canned_cloud.TOKEN not in result.out + result.err
    assert canned_cloud.PASSWORD not in result.out + result.err


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
        listed = Shell(environment, program=program)(*LIST, '-f', 'value')
        assert listed.out.count('\n') == 3
        sent.append(canned.paths())
    assert any('auth/tokens' in path for path in sent[0])
    assert len(sent[1]) == 1
    assert 'images/detail' in sent[1][0]
