# SPDX-License-Identifier: Apache-2.0

"""The commands in a container: an unknown user, and nothing to write to."""

import os
from pathlib import Path
import re
import shlex
import shutil
import subprocess

import pytest

from testbed import canned_cloud
from tests.functional.shell import executable
from tests.functional.shell import fresh

_ROOT = Path(__file__).parents[2]

#: Runs a command whose standard input is closed.
_CLOSED = ('sh', '-c', 'exec "$0" "$@" <&-')
#: The same, where no file system can be written to, by a user who has no entry
#: in the list of users. Files of root may be read: Python may be one of them.
_UNKNOWN = (
    *('unshare', '--mount', 'sh', '-c'),
    'mount -o remount,bind,ro / && exec "$0" "$@" <&-',
    *('setpriv', '--reuid', '12345', '--regid', '12345', '--clear-groups'),
    *('--inh-caps', '-all,+dac_read_search'),
    *('--ambient-caps', '-all,+dac_read_search'),
)


def output(*words):
    result = fresh(words, os.environ, cwd='/', timeout=300, encoding='utf-8')
    assert (result.code, result.err) == (0, ''), words
    return result.out


@pytest.fixture(scope='module')
def wrapper():
    """Provide the words before a command, as far as the system allows."""
    tried = subprocess.run(
        [*_UNKNOWN, 'true'], capture_output=True, check=False
    )
    return _CLOSED if tried.returncode else _UNKNOWN


@pytest.mark.parametrize(
    ('program', 'home'),
    [
        ('compute-image', ()),
        ('compute-image', ('HOME=/nonexistent',)),
        # Without HOME, openstacksdk cannot be imported.
        ('openstack compute image', ('HOME=/nonexistent',)),
    ],
)
def test_unknown_user_without_writable_disk(wrapper, tmp_path, program, home):
    nova = canned_cloud.Nova(
        [canned_cloud.image(n, name=name) for n, name in enumerate('aé')]
    )
    name, *group = program.split()
    with canned_cloud.canned_cloud(nova) as server:
        variables = canned_cloud.configuration(server, tmp_path)
        words = (f'{key}={value}' for key, value in variables.items())
        command = (*wrapper, 'env', '-i', *home, *words, executable(name))
        command = (*command, *group)
        names = ('-f', 'value', '-c', 'Name')
        assert output(*command, 'list', *names) == 'a\né\n'
        output(*command, 'delete', 'é')
    assert [image['name'] for image in nova.images] == ['a']


def _base():
    text = (_ROOT / 'Containerfile').read_text()
    return re.search('^ARG PYTHON=(.*)$', text, re.MULTILINE)[1]


@pytest.fixture(scope='module')
def container():
    """Build the image; return the words that run a program in it.

    CONTAINER_BUILD has more options of ``build``, as of a proxy.
    """

    def succeeds(*words):
        with_time = {'timeout': 120, 'capture_output': True, 'check': False}
        return not subprocess.run(words, **with_time).returncode

    for program in ('podman', 'docker'):
        if shutil.which(program) and succeeds(program, 'info'):
            break
    else:
        pytest.skip('needs podman or docker')
    if not (
        succeeds(program, 'image', 'inspect', _base())
        or succeeds(program, 'pull', '--quiet', _base())
    ):
        pytest.skip(f'needs {_base()}')
    tag = 'localhost/compute-image-tests'
    subprocess.run(
        [program, 'build', '--quiet', '--tag', tag, '--file', 'Containerfile',
         *shlex.split(os.environ.get('CONTAINER_BUILD', '')), '.'],
        cwd=_ROOT, check=True,
    )  # fmt: skip
    yield (
        *(program, 'run', '--rm', '--network', 'host', '--read-only'),
        *('--user', '12345:12345', '--env', 'OS_CLOUD=canned'),
        tag,
    )
    subprocess.run([program, 'image', 'rm', '--force', tag], check=True)


@pytest.mark.parametrize(
    ('entrypoint', 'group'),
    [((), ()), (('--entrypoint', 'openstack'), ('compute', 'image'))],
)
def test_container_image(container, canned, tmp_path, entrypoint, group):
    variables = canned_cloud.configuration(canned, tmp_path)
    mount = f'{variables["OS_CLIENT_CONFIG_FILE"]}:/etc/openstack/clouds.yaml'
    *run, tag = container
    command = (*run, *entrypoint, '--volume', f'{mount}:ro', tag, *group)
    listed = output(*command, 'list', '-f', 'value', '-c', 'Name')
    assert listed.split() == [f'cirros-0.6.2-{n:06}' for n in range(3)]
