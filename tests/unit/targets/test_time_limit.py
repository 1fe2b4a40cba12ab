# SPDX-License-Identifier: Apache-2.0

"""A command whose login never ends."""

import json
import socket

import pytest

from osc_compute_images.commands import show
from tests.unit.running import AUTH
from tests.unit.running import kept_logging


@pytest.mark.timeout(120)
@pytest.mark.parametrize('words', [[], ['--region', 'RegionOne']])
def test_show_ends_while_keystone_is_mute(
    shell_class, tmp_path, set_variables, words
):
    file = tmp_path / 'clouds.yaml'
    set_variables({'OS_CLIENT_CONFIG_FILE': str(file), 'OS_CLOUD': 'mute'})
    # It accepts, and never answers.
    with socket.create_server(('127.0.0.1', 0)) as listener, kept_logging():
        _host, port = listener.getsockname()
        auth = {**AUTH, 'auth_url': f'http://127.0.0.1:{port}'}
        cloud = {'auth': auth, 'region_name': 'RegionOne'}
        # It is YAML, too.
        file.write_text(json.dumps({'clouds': {'mute': cloud}}))
        command = ['compute', 'image', 'show', 'x', *words]
        code = shell_class().run([*command, '--wait', '--timeout=0.3'])
    assert code == show.EXIT_TIMEOUT
