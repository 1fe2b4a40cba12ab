# SPDX-License-Identifier: Apache-2.0

"""``compute-image``, compared with ``openstack compute image``."""

import json
import sys

import pytest

from testbed import canned_cloud
from tests.functional.processes import Terminal
from tests.functional.shell import fresh
from tests.functional.shell import Shell

LIST = ('compute', 'image', 'list')


def own(environment, *words):
    """Run the program."""
    shell = Shell(environment, program='compute-image')
    return shell.process('compute', 'image', *words)


@pytest.mark.parametrize(
    ('words', 'code'),
    [
        (['list', '--all-regions'], 0),
        (['list', '--long', '-f', 'jsonl'], 0),
        (['delete', 'no such', 'nor this'], 1),
        (['list', '--min-ram', 'much'], 2),
        (['delete', '--all', '--keep-from=/dev/null', '--auto-approve'], 7),
    ],
)
def test_both_programs_print_the_same(canned, words, code):
    environment = canned_cloud.environment(canned)
    of_osc = Shell(environment).run('compute', 'image', *words)
    ours = own(environment, *words)
    assert (ours.code, ours.out) == (of_osc.code, of_osc.out)
    assert ours.code == code
    expected = of_osc.err.replace('openstack compute image', 'compute-image')
    # The usage before it is wrapped elsewhere.
    assert ours.err.splitlines()[-1:] == expected.splitlines()[-1:]


def test_prompt_for_a_password(canned):
    variables = canned_cloud.environment(canned)
    del variables['OS_PASSWORD']
    terminal = Terminal(
        Shell(variables, program='compute-image'),
        *(*LIST, '-f', 'value', '-c', 'Name'),
        stdout=False,
        own_session=True,
    )
    typed = f'{canned_cloud.PASSWORD}\n'
    code, shown, out = terminal.answer('Password: ', typed)
    assert (code, shown.strip()) == (0, 'Password:')
    assert out.count('\n') == 3


def test_debug_output_has_no_secrets_nor_control_characters():
    odd = canned_cloud.Response(b'{}', headers={'X-Odd': '\x1b]0;pwned\x07'})
    before = canned_cloud.in_turn(odd, odd)
    with canned_cloud.canned_cloud(canned_cloud.Nova([]), '', before) as cloud:
        environment = canned_cloud.environment(cloud)
        of_osc = Shell(environment).run('--debug', *LIST)
        for result in (of_osc, own(environment, '--debug', 'list')):
            assert 'pwned' in result.err
            assert not {*result.err} & {'\x1b', '\x07'}
            assert canned_cloud.TOKEN not in result.out + result.err
            assert canned_cloud.PASSWORD not in result.out + result.err


@pytest.mark.parametrize('regions', [[], ['--all-regions'], ['--all-clouds']])
def test_cached_token_saves_login(canned, tmp_path, regions):
    environment = canned_cloud.configuration(canned, tmp_path) | {
        # A keyring without a prompt.
        'PYTHON_KEYRING_BACKEND': 'keyrings.alt.file.PlaintextKeyring',
        'XDG_DATA_HOME': str(tmp_path),
    }
    file = tmp_path / 'clouds.yaml'
    settings = json.loads(file.read_text()) | {'cache': {'auth': True}}
    file.write_text(json.dumps(settings))
    for logs_in in (True, False):
        canned.requests.clear()
        listed = own(environment, 'list', '-f', 'value', *regions)
        assert (listed.out.count('\n'), listed.err) == (3, '')
        paths = canned.paths()
        assert any('auth/tokens' in path for path in paths) == logs_in
    assert paths == ['GET /v2.1/images/detail']


# --- imports and memory: counts independent of time -----------------------

#: Runs the program, and then writes its peak memory in kB, and its imported
#: modules, to stderr. Optional dependencies of openstacksdk are not imported.
MEASURED = r"""
import atexit, re, sys
def report():
    # getrusage would include the memory of the parent.
    peak = re.search(r'VmHWM:\s*(\d+)', open('/proc/self/status').read())[1]
    print(peak, *(n for n, m in sys.modules.items() if m), file=sys.stderr)
atexit.register(report)
for optional in ('influxdb', 'keyring', 'prometheus_client', 'statsd'):
    sys.modules[optional] = None
sys.argv[0] = 'compute-image'
from osc_compute_images.shell import main
sys.exit(main(sys.argv[1:]))
"""

#: Modules that "openstack" imports, or other commands.
UNUSED = {
    *('cmd2', 'dogpile', 'keystoneclient', 'msgpack', 'openstackclient'),
    *('openstack.block_storage', 'openstack.cloud', 'openstack.compute'),
    *('psutil', 'rich', 'cinderclient', 'novaclient'),
    *(
        f'osc_compute_images.commands.{name}'
        for name in ('delete', 'set', 'show', 'summary', 'unset')
    ),
}


def test_few_modules_are_imported_and_memory_does_not_grow():
    peaks = []
    for count in (1, 20_000):
        nova = canned_cloud.Nova(map(canned_cloud.image, range(count)))
        with canned_cloud.canned_cloud(nova) as server:
            shell = Shell(canned_cloud.environment(server))
            words = [sys.executable, '-c', MEASURED, 'list', '-f', 'csv']
            result = fresh(words, shell.environment)
        assert (result.code, result.out.count('\n')) == (0, count + 1)
        peak, *modules = result.err.split()
        assert 'osc_compute_images.commands.list' in modules
        assert not UNUSED.intersection(modules)
        peaks.append(int(peak))
    assert peaks[0] < 50 * 1024
    assert peaks[1] - peaks[0] < 12_000, peaks


# --- completion --------------------------------------------------

#: Prints what the Tab key would offer after some words. Without the package
#: bash-completion, a function is as it is for words without colons.
_TAB = """
. /usr/share/bash-completion/bash_completion 2> /dev/null ||
_get_comp_words_by_ref() {
    cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    words=("${COMP_WORDS[@]}")
}
. /dev/stdin
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$* COMP_POINT=${#COMP_LINE}
"_${1//-/_}" "$1"
echo "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ('line', 'offered'),
    [
        ('compute-image s', 'set show summary'),
        ('compute-image list --sort-c', '--sort-column'),
        ('compute-image delete web --dry', '--dry-run'),
        ('compute-image --os-cloud mycloud sh', 'show'),
        ('openstack compute image pr', 'prune'),
    ],
)
def test_bash_completes(line, offered):
    program, *words = line.split()
    shell = Shell({}, program=program)
    completion = shell.process('complete').out
    tab = ['bash', '-c', _TAB, 'bash', program, *words]
    done = fresh(tab, shell.environment, input=completion)
    assert (done.out, done.err) == (f'{offered}\n', '')
