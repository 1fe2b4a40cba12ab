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


def succeeds(*words):
    with_time = {'timeout': 120, 'capture_output': True, 'check': False}
    return not subprocess.run(words, **with_time).returncode


@pytest.mark.parametrize(
    ('home', 'program', 'group'),
    [
        ((), 'compute-image', ()),
        (('HOME=/nonexistent',), 'compute-image', ()),
        # Without HOME, openstacksdk cannot be imported.
        (('HOME=/nonexistent',), 'openstack', ('compute', 'image')),
    ],
)
def test_unknown_user_without_writable_disk(tmp_path, home, program, group):
    # As far as the system allows.
    wrapper = _UNKNOWN if succeeds(*_UNKNOWN, 'true') else _CLOSED
    nova = canned_cloud.Nova(
        [canned_cloud.image(n, name=name) for n, name in enumerate('aé')]
    )
    with canned_cloud.canned_cloud(nova) as server:
        variables = canned_cloud.configuration(server, tmp_path)
        words = (f'{key}={value}' for key, value in variables.items())
        program = (executable(program), *group)
        command = (*wrapper, 'env', '-i', *home, *words, *program)
        names = ('-f', 'value', '-c', 'Name')
        assert output(*command, 'list', *names) == 'a\né\n'
        output(*command, 'delete', 'é')
    assert [image['name'] for image in nova.images] == ['a']


def test_container_image(canned, tmp_path):
    """CONTAINER_BUILD has more options of ``build``, as of a proxy."""
    for program in ('podman', 'docker'):
        if shutil.which(program) and succeeds(program, 'info'):
            break
    else:
        pytest.skip('needs podman or docker')
    text = (_ROOT / 'Containerfile').read_text()
    base = re.search('^ARG PYTHON=(.*)$', text, re.MULTILINE)[1]
    if not (
        succeeds(program, 'image', 'inspect', base)
        or succeeds(program, 'pull', '--quiet', base)
    ):
        pytest.skip(f'needs {base}')
    tag = 'localhost/compute-image-tests'
    subprocess.run(
        [program, 'build', '--quiet', '--tag', tag, '--file', 'Containerfile',
         *shlex.split(os.environ.get('CONTAINER_BUILD', '')), '.'],
        cwd=_ROOT, check=True,
    )  # fmt: skip
    variables = canned_cloud.configuration(canned, tmp_path)
    mount = f'{variables["OS_CLIENT_CONFIG_FILE"]}:/etc/openstack/clouds.yaml'
    run = (
        *(program, 'run', '--rm', '--network', 'host', '--read-only'),
        *('--user', '12345:12345', '--env', 'OS_CLOUD=canned'),
        *('--volume', f'{mount}:ro'),
    )
    try:
        for command in (
            (tag,),
            ('--entrypoint', 'openstack', tag, 'compute', 'image'),
        ):
            words = (*command, 'list', '-f', 'value', '-c', 'Name')
            listed = output(*run, *words).split()
            assert listed == [f'cirros-0.6.2-{n:06}' for n in range(3)]
    finally:
        subprocess.run([program, 'image', 'rm', '--force', tag], check=True)
